// What waits for the partition, and who is not let in to wait.

#include "pawl/engine/engine.h"

namespace pawl {
namespace {

const SubmitExecution* submission_in(const Request& request) {
  if (const auto* command = std::get_if<Command>(&request.what))
    return std::get_if<SubmitExecution>(command);
  const auto* run = std::get_if<RunExecution>(&request.what);
  return run != nullptr ? &run->submit : nullptr;
}

// Whoever steers running work gets through: without it nothing would become less. A client has as many of these
// open as of all calls.
bool always_taken(const Request& request) {
  if (std::holds_alternative<StopWaiting>(request.what)) return true;
  const auto* command = std::get_if<Command>(&request.what);
  return command != nullptr && !std::holds_alternative<SubmitExecution>(*command) &&
         !std::holds_alternative<RegisterWorkflow>(*command);
}

}  // namespace

// What is no submission may fill it.
std::optional<Reply> Engine::refuse_at_inbox(const Request& request) {
  if (always_taken(request)) return std::nullopt;
  const SubmitExecution* submit = submission_in(request);
  uint8_t priority = submit != nullptr ? partition_->priority_of(*submit) : priority_max;
  Admission admission(priority, ports_.clock.monotonic());
  admission.consider({Shed::inbox, "inbox_depth_max", "", inbox_.size(),
                      options_.limits.inbox_depth_max, inbox_drain_});
  if (!admission.refused()) return std::nullopt;
  if (submit != nullptr) ++counted_.shed[static_cast<size_t>(Shed::inbox)];
  Random dice(dice_.next());
  return admission.refusal(dice);
}

void Engine::take_requests() {
  requests_.take_all(request_batch_);
  for (Request& request : request_batch_) {
    if (answer_figures(request)) continue;
    if (std::optional<Reply> refusal = refuse_at_inbox(request)) {
      ports_.clients.put({request.ticket, std::move(*refusal)});
      continue;
    }
    inbox_.push_back(std::move(request));
  }
  const size_t waiting = inbox_.size();
  while (!inbox_.empty() && !group_full()) {
    take(inbox_.front());
    inbox_.pop_front();
  }
  inbox_drain_.take(waiting - inbox_.size(), ports_.clock.monotonic());
}

}  // namespace pawl
