#include "pawl/coordinator/router.h"

#include "pawl/base/check.h"
#include "pawl/coordinator/merge.h"
#include "pawl/coordinator/route.h"

namespace pawl {
namespace {

bool can_be_stopped(const Request& request) {
  const auto* read = std::get_if<ReadHistory>(&request.what);
  return std::holds_alternative<RunExecution>(request.what) || (read != nullptr && read->wait);
}

template <class What>
const What* command_in(const Request& request) {
  const auto* command = std::get_if<Command>(&request.what);
  return command != nullptr ? std::get_if<What>(command) : nullptr;
}

uint32_t limit_of(const Request& request) {
  const auto* query = std::get_if<Query>(&request.what);
  if (query == nullptr) return 0;
  if (const auto* list = std::get_if<ListExecutions>(query)) return list->limit;
  if (const auto* letters = std::get_if<ListDeadLetters>(query)) return letters->limit;
  return 0;
}

}  // namespace

Router::Router(std::vector<Sink<Request>*> partitions)
    : partitions_(std::move(partitions)), outside_(partitions_.size()) {
  PAWL_CHECK(!partitions_.empty() && partitions_.size() <= partitions_max,
             "a coordinator has 1 to partitions_max partitions");
}

void Router::put(Request request) {
  if (partitions_.size() == 1) return partitions_.front()->put(std::move(request));
  if (const auto* stop = std::get_if<StopWaiting>(&request.what)) return stop_waiting(*stop);
  Route route = route_of(request, partitions());
  if (route.kind == Route::everywhere) return ask_all(request);
  if (route.kind == Route::any) route.slot = next_++ % partitions();
  ask_one(route.slot, std::move(request));
}

void Router::ask_one(uint32_t slot, Request request) {
  if (SubmitExecution* submit = submission_in(request))
    submit->workflow = local(submit->workflow, slot);
  if (can_be_stopped(request)) waiting_[request.ticket] = slot;
  partitions_[slot]->put(std::move(request));
}

void Router::ask_all(const Request& request) {
  if (request.ticket != 0) {
    bool registers = command_in<RegisterWorkflow>(request) != nullptr;
    asked_[request.ticket] = {limit_of(request), registers, partitions_.size(),
                              std::vector<Response>(partitions_.size())};
  }
  const auto* configure = command_in<ConfigureQueue>(request);
  for (uint32_t slot = 0; slot < partitions(); ++slot) {
    Request one = request;
    if (configure != nullptr) one.what = Command{share_of(*configure, slot, partitions())};
    partitions_[slot]->put(std::move(one));
  }
}

// Who is not waited for any more has been answered, or never waited.
void Router::stop_waiting(const StopWaiting& stop) {
  auto waiting = waiting_.find(stop.waiting);
  if (waiting != waiting_.end()) partitions_[waiting->second]->put({0, stop});
}

std::optional<Response> Router::take(uint32_t partition, Response response) {
  if (partitions_.size() == 1) return response;
  auto asked = asked_.find(response.ticket);
  if (asked == asked_.end()) {
    waiting_.erase(response.ticket);
    if (auto* history = std::get_if<History>(&response.what)) say_outside(partition, *history);
    return response;
  }
  asked->second.answers[partition] = std::move(response);
  if (--asked->second.outstanding > 0) return std::nullopt;
  Asked all = std::move(asked->second);
  asked_.erase(asked);
  if (all.registers) learn(all.answers);
  return merge(std::move(all.answers), all.limit);
}

void Router::learn(const std::vector<Response>& answers) {
  std::vector<WorkflowId> ids;
  for (const Response& response : answers) {
    const auto* reply = std::get_if<Reply>(&response.what);
    if (reply == nullptr || reply->code != Code::ok) return;
    ids.push_back(WorkflowId{reply->number});
  }
  const WorkflowId outside = ids.front();
  for (size_t slot = 0; slot < ids.size(); ++slot) outside_[slot][ids[slot]] = outside;
  local_[outside] = std::move(ids);
}

bool Router::knows(WorkflowId workflow) const {
  return partitions_.size() == 1 || local_.contains(workflow);
}

// 0, which no workflow has, if it is not known here: some other has the number there.
WorkflowId Router::local(WorkflowId workflow, uint32_t slot) const {
  auto known = local_.find(workflow);
  return known != local_.end() ? known->second[slot] : WorkflowId{};
}

void Router::say_outside(uint32_t partition, History& history) const {
  for (HistoryEntry& entry : history.entries) {
    auto* submitted = std::get_if<ExecutionSubmitted>(&entry.event);
    if (submitted == nullptr) continue;
    auto known = outside_[partition].find(submitted->workflow);
    if (known != outside_[partition].end()) submitted->workflow = known->second;
  }
}

}  // namespace pawl
