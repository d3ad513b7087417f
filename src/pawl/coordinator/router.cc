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

Router::Router(std::vector<Sink<Request>*> partitions) : partitions_(std::move(partitions)) {
  PAWL_CHECK(!partitions_.empty() && partitions_.size() <= partitions_max,
             "a coordinator has 1 to partitions_max partitions");
}

void Router::put(Request request) {
  if (partitions_.size() == 1) return partitions_.front()->put(std::move(request));
  if (const auto* stop = std::get_if<StopWaiting>(&request.what)) return stop_waiting(*stop);
  Route route = route_of(request, partitions());
  if (route.kind == Route::in_turn) return ask_first(std::move(request));
  if (route.kind == Route::everywhere) return ask_all(request);
  if (route.kind == Route::any) route.slot = next_++ % partitions();
  ask_one(route.slot, std::move(request));
}

void Router::ask_one(uint32_t slot, Request request) {
  if (can_be_stopped(request)) waiting_[request.ticket] = slot;
  partitions_[slot]->put(std::move(request));
}

void Router::ask_first(Request request) {
  PAWL_CHECK(request.ticket != 0, "what the others are told depends on the first one's answer");
  Asked& asked = asked_[request.ticket];
  asked.outstanding = 1;
  asked.answers.resize(1);
  asked.register_elsewhere = request;
  partitions_.front()->put(std::move(request));
}

// Whether there is something that they are to answer.
bool Router::ask_others(Asked& asked) {
  std::optional<Request> request = std::exchange(asked.register_elsewhere, std::nullopt);
  if (!request) return false;
  const auto& first = std::get<Reply>(asked.answers.front().what);
  if (first.code != Code::ok) return false;
  std::get<RegisterWorkflow>(std::get<Command>(request->what)).id = WorkflowId{first.number};
  asked.outstanding = partitions_.size() - 1;
  asked.answers.resize(partitions_.size());
  for (uint32_t slot = 1; slot < partitions(); ++slot) partitions_[slot]->put(*request);
  return true;
}

void Router::ask_all(const Request& request) {
  if (request.ticket != 0) {
    Asked& asked = asked_[request.ticket];
    asked = {limit_of(request), partitions_.size(), std::vector<Response>(partitions_.size()), {}};
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
    return response;
  }
  asked->second.answers[partition] = std::move(response);
  if (--asked->second.outstanding > 0 || ask_others(asked->second)) return std::nullopt;
  Asked all = std::move(asked->second);
  asked_.erase(asked);
  return merge(std::move(all.answers), all.limit);
}

}  // namespace pawl
