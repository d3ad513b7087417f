// What a command's handler works with: it reads the state, emits events (applied at once, by
// evolve) and asks for effects (held back by the shell until the events are durable).
#pragma once

#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "pawl/base/random.h"
#include "pawl/model/effect.h"
#include "pawl/partition/admission.h"
#include "pawl/partition/evolve.h"
#include "pawl/partition/state.h"
#include "pawl/schedule/assign.h"

namespace pawl {

// Tasks whose attempts a report has ended, for figures alone.
struct AttemptTime {
  Instant granted;
  uint64_t items = 0;
  std::optional<AttemptTimes> each{};  // one of them, at its worker
};

struct StepOutput {
  std::vector<Event> events;
  std::vector<Effect> effects;
  std::vector<AttemptTime> reported;
  uint64_t at_favourite = 0;  // tasks with a placement key granted where it likes best
  uint64_t elsewhere = 0;     // ... and to others
  uint64_t fenced = 0;        // reports that were, whole or in part
  std::array<uint64_t, shed_kinds> shed{};  // submissions refused, by Shed
};

class Step {
 public:
  Step(State& state, const Stamp& stamp, StepOutput& out)
      : dice(stamp.dice), state_(state), out_(out) {}

  const State& state() const { return state_; }
  template <class Kind>
  void emit(Kind&& event) {
    evolve(state_, out_.events.emplace_back(std::forward<Kind>(event)));
  }
  template <class Kind>
  void ask(Kind&& effect) {
    out_.effects.emplace_back(std::forward<Kind>(effect));
  }
  void measure(AttemptTime time) { out_.reported.push_back(time); }
  void measure_key(KeyPlace place, uint64_t tasks) {
    if (place == KeyPlace::favourite) out_.at_favourite += tasks;
    if (place == KeyPlace::other) out_.elsewhere += tasks;
  }
  void measure_fenced(uint64_t reports) { out_.fenced += reports; }
  void measure_shed(Shed shed) { ++out_.shed[static_cast<size_t>(shed)]; }

  Random dice;

 private:
  friend void settle(Step& step);
  friend void grant_ready(Step& step);
  friend void renew(Step& step, SessionId session, const WorkerUsage* usage);
  friend void excuse(Step& step, Duration late);
  friend void forget_timer(Step& step, const Timer& timer);
  friend void take_back(Step& step, std::vector<WorkerLoad>& workers);
  friend void answered(Step& step, SessionId session, bool in_vain);
  friend void forget_recall_due(Step& step);
  State& state_;
  StepOutput& out_;
};

// One file per command: on_<command>.cc.
Reply on(Step& step, const RegisterWorkflow& command);
Reply on(Step& step, const SubmitExecution& command);
Reply on(Step& step, const CancelExecution& command);
Reply on(Step& step, const CancelTask& command);
Reply on(Step& step, const RedriveDeadLetters& command);
Reply on(Step& step, const DiscardDeadLetters& command);
Reply on(Step& step, const ForgetExecution& command);
Reply on(Step& step, const OpenSession& command);
Reply on(Step& step, const ResumeSession& command);
Reply on(Step& step, const RenewSession& command);
Reply on(Step& step, const CloseSession& command);
Reply on(Step& step, const ReportAttempts& command);
Reply on(Step& step, const ReturnAttempts& command);
Reply on(Step& step, const ReportEvaluation& command);
Reply on(Step& step, const Tick& command);
Reply on(Step& step, const ConfigureQueue& command);

// Decides what became decidable: activates, skips, evaluates nodes; ends or parks executions.
void settle(Step& step);
// Takes a node with its condition met to its tasks.
void activate(Step& step, const Execution& execution, NodeIndex node);
// Ends the execution, or has its output evaluated first.
void finish_execution(Step& step, const Execution& execution);
// Gives ready tasks to workers with credit.
void grant_ready(Step& step);
// Asks for tasks that wait in one worker while another has a free slot. `workers`: after all grants.
void take_back(Step& step, std::vector<WorkerLoad>& workers);
// The session has said what it gives back.
void answered(Step& step, SessionId session, bool in_vain);
void forget_recall_due(Step& step);  // the look is made with the next schedule()
void renew(Step& step, SessionId session, const WorkerUsage* usage);
// Nobody could be heard for so long.
void excuse(Step& step, Duration late);
void close_sessions(Step& step, const std::vector<SessionId>& sessions, const std::string& reason);
void forget_timer(Step& step, const Timer& timer);  // derived state: it has fired

RunContextRef make_context(const State& state, const Execution& execution, NodeIndex node,
                           const std::vector<NodeIndex>& reads);

inline constexpr const char* attempts_max_reached = " (attempts_max reached)";

inline Reply refuse(Code code, std::string message) {
  return {code, std::move(message), 0};
}
// At most error_bytes_max of it.
std::string cut(const Limits& limits, const std::string& text);
Reply no_execution(const State& state, ExecutionId id);
Reply has_ended(const Execution& execution);

}  // namespace pawl
