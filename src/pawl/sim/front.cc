#include "pawl/sim/front.h"

namespace pawl::sim {
namespace {

uint32_t count(const std::vector<std::unique_ptr<Server>>& servers) {
  return static_cast<uint32_t>(servers.size());
}

}  // namespace

Front::Front(const std::vector<std::unique_ptr<Server>>& servers, Judges& judges, Seams& seams)
    : servers_(servers),
      judges_(judges),
      doors_([&] {
        std::vector<Door> doors;
        for (const auto& server : servers) doors.emplace_back(*server, seams);
        return doors;
      }()),
      router_(faces(doors_)),
      blob_(servers) {}

std::vector<Sink<Request>*> Front::faces(std::vector<Door>& doors) {
  std::vector<Sink<Request>*> faces;
  for (Door& door : doors) faces.push_back(&door);
  return faces;
}

void Front::ask(Request request) {
  if (const auto* command = std::get_if<Command>(&request.what))
    if (const auto* workflow = std::get_if<RegisterWorkflow>(command))
      registering_[request.ticket] = workflow->definition;
  router_.put(std::move(request));
}

std::optional<Response> Front::answered(uint32_t slot, Response response) {
  std::optional<Response> whole = router_.take(slot, std::move(response));
  if (!whole) return whole;
  auto registering = registering_.find(whole->ticket);
  if (registering == registering_.end()) return whole;
  const auto& reply = std::get<Reply>(whole->what);
  if (reply.code == Code::ok)
    judges_.check_registered(WorkflowId{reply.number}, registering->second);
  registering_.erase(registering);
  return whole;
}

void Front::know_input(const std::string& text) {
  for (const auto& server : servers_) server->know_input(text);
}

Blob& Front::Payloads::of(const BlobRef& ref) const {
  return servers_[slot_of(ref.owner, count(servers_))]->blob();
}

Status Front::Payloads::put(const BlobRef& ref, ByteView bytes) {
  if (ref.owner) return of(ref).put(ref, bytes);
  for (const auto& server : servers_) PAWL_TRY(server->blob().put(ref, bytes));
  return {};
}

Result<std::vector<ExecutionId>> Front::Payloads::owners() {
  std::vector<ExecutionId> all;
  for (const auto& server : servers_) {
    PAWL_ASSIGN(std::vector<ExecutionId> some, server->blob().owners());
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

Status Front::Payloads::drop_owner(ExecutionId owner) {
  return servers_[slot_of(owner, count(servers_))]->blob().drop_owner(owner);
}

}  // namespace pawl::sim
