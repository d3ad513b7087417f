#include "pawl/partition/step.h"

namespace pawl {

Reply on(Step& step, const ConfigureQueue& command) {
  const State& state = step.state();
  const Queue* known = state.queues.find(command.name);
  if (known == nullptr && state.queues.by_name().size() >= state.limits.queues_max)
    return refuse(Code::resource_exhausted,
                  "the limit queues_max (" + std::to_string(state.limits.queues_max) +
                      " queues) is reached; queues that nobody has configured go when the "
                      "executions that need them have ended");
  QueueSpec spec = known == nullptr ? QueueSpec{} : known->spec;
  spec.name = command.name;
  spec.strategy = command.strategy.value_or(spec.strategy);
  spec.paused = command.paused.value_or(spec.paused);
  spec.concurrency_max = command.concurrency_max.value_or(spec.concurrency_max);
  spec.rate_permille = command.rate_permille.value_or(spec.rate_permille);
  spec.burst = command.burst.value_or(spec.burst);
  spec.aging = command.aging.value_or(spec.aging);
  spec.waiting_max = command.waiting_max.value_or(spec.waiting_max);
  if (Status good = check_queue(spec); !good.ok())
    return refuse(good.error().code, good.error().message);
  if (known == nullptr || !known->configured || !(known->spec == spec))
    step.emit(QueueConfigured{std::move(spec)});
  return {Code::ok, "", 1};
}

}  // namespace pawl
