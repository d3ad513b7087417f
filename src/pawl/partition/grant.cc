// Grants: ready tasks to workers with credit, inside the same step as what made them ready.

#include <algorithm>

#include "pawl/partition/readiness.h"
#include "pawl/partition/scene.h"
#include "pawl/partition/step.h"

namespace pawl {
void grant_ready(Step& step) {
  State& state = step.state_;
  std::vector<WorkerLoad> workers = worker_loads(state);
  StateFacts facts(state);
  Scene scene{state.ready, state.queues, workers, facts, state.now};

  while (auto pick = pick_next(scene)) {
    Queue& queue = state.queues.at(pick->queue);
    uint32_t most =
        std::min<uint32_t>(pick->items_max, static_cast<uint32_t>(state.limits.grant_items_max));
    ReadyEntry entry = state.ready.take(pick->lane, pick->priority, most);
    Execution* execution = state.executions.find(entry.range.execution);
    if (execution == nullptr) continue;
    NodeRun& run = execution->nodes[entry.range.node];
    TaskRange rest = entry.range;
    while (run.status == NodeStatus::active && rest.begin < rest.end) {
      ItemSpan span = ready_span(run, rest, entry.attempt);
      if (span.begin >= span.end) break;
      Grant grant{workers[pick->worker].session,
                  {rest.execution, rest.node, span.begin, span.end},
                  entry.attempt,
                  step.dice.next(),
                  nullptr};
      step.emit(
          AttemptsGranted{grant.session, grant.range, grant.attempt, grant.nonce, pick->reason});
      step.measure_key(pick->key_place, grant.range.size());
      queue.rate.take(grant.range.size(), state.now);
      if (grant.attempt > 1) queue.redelivered += grant.range.size();
      if (!run.work->context)
        run.work->context =
            make_context(state, *execution, rest.node, reads_of(*execution->plan, rest.node));
      grant.context = run.work->context;
      workers[pick->worker].outstanding += grant.range.size();
      step.ask(Dispatch{std::move(grant)});
      rest.begin = span.end;
    }
  }
  take_back(step, workers);
}

}  // namespace pawl
