#include "pawl/coordinator/route.h"

#include <algorithm>

#include "pawl/base/check.h"

namespace pawl {
namespace {

constexpr Route everywhere{Route::everywhere, 0};
constexpr Route in_turn{Route::in_turn, 0};
constexpr Route first{Route::one, 0};

struct Rule {
  const Request& request;
  uint32_t slots;

  Route at(ExecutionId execution) const { return {Route::one, slot_of(execution, slots)}; }

  Route operator()(const Command& command) const {
    return std::visit([this](const auto& one) { return of(one); }, command);
  }
  Route operator()(const Query& query) const {
    return std::visit([this](const auto& one) { return of(one); }, query);
  }
  Route operator()(const RunExecution& run) const { return of(run.submit); }
  Route operator()(const GetFigures&) const { return everywhere; }
  Route operator()(const StopWaiting&) const { return worker_side(); }
  template <class OfAnExecution>
  Route operator()(const OfAnExecution& one) const {
    return at(one.execution);
  }

 private:
  Route of(const SubmitExecution& submit) const {
    if (submit.request_id.empty()) return {Route::any, 0};
    const std::string& home = request.name_space.empty() ? submit.name_space : request.name_space;
    return {Route::one, request_slot(home, submit.request_id, slots)};
  }
  Route of(const RegisterWorkflow&) const { return in_turn; }
  Route of(const ConfigureQueue&) const { return everywhere; }
  Route of(const GetOverview&) const { return everywhere; }
  Route of(const ListExecutions&) const { return everywhere; }
  Route of(const ListQueues&) const { return everywhere; }
  Route of(const ListWorkers&) const { return everywhere; }
  Route of(const ListDeadLetters& list) const {
    return list.execution ? at(list.execution) : everywhere;
  }
  Route of(const GetWorkflow&) const { return first; }
  Route of(const ListWorkflows&) const { return first; }
  Route of(const CancelTask& cancel) const { return at(cancel.task.execution); }
  Route of(const RedriveDeadLetters& redrive) const { return at(redrive.which.execution); }
  Route of(const DiscardDeadLetters& discard) const { return at(discard.which.execution); }
  Route of(const OpenSession&) const { return worker_side(); }
  Route of(const ResumeSession&) const { return worker_side(); }
  Route of(const RenewSession&) const { return worker_side(); }
  Route of(const CloseSession&) const { return worker_side(); }
  Route of(const ReportAttempts&) const { return worker_side(); }
  Route of(const ReturnAttempts&) const { return worker_side(); }
  Route of(const Tick&) const { return worker_side(); }
  template <class OfAnExecution>
  Route of(const OfAnExecution& one) const {
    return at(one.execution);
  }
  Route worker_side() const {
    PAWL_CHECK(false, "this is for one partition, and whoever has it knows which");
    return first;
  }
};

// What is out of bounds is refused as it came.
uint64_t share(uint64_t whole, uint64_t whole_max, uint32_t slot, uint32_t slots) {
  if (whole == 0 || whole > whole_max) return whole;
  return std::max<uint64_t>(1, whole / slots + (slot < whole % slots ? 1 : 0));
}

}  // namespace

Route route_of(const Request& request, uint32_t slots) {
  return std::visit(Rule{request, slots}, request.what);
}

uint32_t request_slot(const std::string& name_space, const std::string& request_id,
                      uint32_t slots) {
  return static_cast<uint32_t>(hash_in(name_space, request_id).low % slots);
}

SubmitExecution* submission_in(Request& request) {
  if (auto* command = std::get_if<Command>(&request.what))
    return std::get_if<SubmitExecution>(command);
  auto* run = std::get_if<RunExecution>(&request.what);
  return run != nullptr ? &run->submit : nullptr;
}

ConfigureQueue share_of(ConfigureQueue whole, uint32_t slot, uint32_t slots) {
  if (whole.rate_permille)
    whole.rate_permille = share(*whole.rate_permille, queue_rate_permille_max, slot, slots);
  if (whole.burst) whole.burst = share(*whole.burst, queue_burst_max, slot, slots);
  if (whole.waiting_max) whole.waiting_max = share(*whole.waiting_max, UINT64_MAX, slot, slots);
  return whole;
}

}  // namespace pawl
