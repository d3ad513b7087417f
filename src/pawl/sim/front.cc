#include "pawl/sim/front.h"

namespace pawl::sim {
namespace {

uint32_t count(const std::vector<std::unique_ptr<Server>>& servers) {
  return static_cast<uint32_t>(servers.size());
}

}  // namespace

Front::Front(const std::vector<std::unique_ptr<Server>>& servers)
    : servers_(servers),
      doors_([&] {
        std::vector<Door> doors;
        for (const auto& server : servers) doors.emplace_back(*server);
        return doors;
      }()),
      router_(faces(doors_)),
      blob_(servers) {}

std::vector<Sink<Request>*> Front::faces(std::vector<Door>& doors) {
  std::vector<Sink<Request>*> faces;
  for (Door& door : doors) faces.push_back(&door);
  return faces;
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
