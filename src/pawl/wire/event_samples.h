// One event of every kind with every field set, and random ones: for the tests and fuzz corpora of
// this folder, and for the golden files. The samples are written in tests/golden: never change one.
#pragma once

#include <string>
#include <vector>

#include "pawl/base/random.h"
#include "pawl/model/event.h"

namespace pawl {

inline WorkerSpec sample_worker() {
  WorkerSpec worker;
  worker.name = "worker-1";
  worker.slots = 8;
  worker.credit = 24;
  worker.node_types = 5;
  worker.functions = {"alpha", "beta"};
  worker.lease = Duration::seconds(7);
  return worker;
}

// With what was appended after its release.
inline WorkerSpec grown_worker() {
  WorkerSpec worker = sample_worker();
  worker.queues = {"bulk", "default"};
  worker.capacity = {{"cpu", 3500}, {"gpu", 1}, {"memory", 8'589'934'592}};
  worker.labels = {{"disk", "ssd"}, {"rack", "b7"}};
  worker.zone = "eu-1";
  worker.weight = 5;
  worker.price = 120;
  return worker;
}

inline std::vector<Event> grown_events() {
  return {SessionOpened{{11}, grown_worker()},
          AttemptsGranted{
              {11}, {{300}, 3, 1000, 2024}, 2, 0xdeadbeefcafef00dULL, {GrantCause::weight, 5}},
          WorkflowRegistered{{4}, "definition bytes", "team-a"},
          ExecutionSubmitted{{300}, {4}, "r", {7, 8}, Payload::inline_json("{}"), "", "team-a"},
          ExecutionForgotten{{300}, {0x31, 0x32}, {7, 8}, "team-a"},
          QueueConfigured{{"bulk", Strategy::pack, false, 40, 0, 1, Duration::seconds(90), 5000}},
          AttemptFailed{{{300}, 3, 9, 12},
                        2,
                        FailureKind::declined,
                        0,
                        "recalled from worker w1, which had not begun it",
                        Disposition::again,
                        {},
                        {1'234'567'890'123}}};
}

// With what was appended after that.
inline Event certified_session() {
  WorkerSpec worker = sample_worker();
  worker.certificate = "pawl:worker/default/w1";
  return SessionOpened{{11}, worker};
}

inline Event traced_submission() {
  const Trace trace{{0x99, 0x77}, 0x55, 1};
  return ExecutionSubmitted{{300}, {4},       "r",  {7, 8}, Payload::inline_json("{}"),
                            "",    "default", trace};
}

inline std::vector<Event> sample_events() {
  const ExecutionId execution{300};
  const TaskRange range{execution, 3, 1000, 2024};
  const Payload blob = Payload::blob({execution, 9, 70'000, {0x1111, 0x2222}});
  const Payload text = Payload::inline_json(R"({"n":[1,2,"\u00e9"]})");
  return {
      EpochStarted{5, {0x0123456789abcdefULL, 0xfedcba9876543210ULL}},
      WorkflowRegistered{{4}, "definition bytes"},
      ExecutionSubmitted{execution, {4}, "request-7", {7, 8}, text, R"({"tenant_id":"t"})"},
      EvaluationStarted{execution, 2, EvaluationPurpose::items},
      NodeActivated{execution, 2, 1'000'000, blob},
      NodeSkipped{execution, 6, SkipReason::needs_failed},
      NodeParked{execution, 7, "for_each gave a string"},
      SessionOpened{{11}, sample_worker()},
      SessionClosed{{11}, "lease ran out"},
      AttemptsGranted{{11}, range, 2, 0xdeadbeefcafef00dULL},
      AttemptsSucceeded{{execution, 3, 5, 8}, 2, {text, Payload(), blob}},
      AttemptFailed{{execution, 3, 9, 10},
                    3,
                    FailureKind::signal,
                    -11,
                    "killed by signal 11",
                    Disposition::again,
                    {1'234'567'890'123}},
      RetryReleased{{execution, 3, 9, 12}},
      DeadLettersRedriven{range},
      DeadLettersDiscarded{range},
      NodeRedriven{execution, 7},
      NodeDiscarded{execution, 7},
      TaskCancelled{{execution, 3, 777'777}, "not needed"},
      ExecutionCancelled{execution, "by its owner"},
      ExecutionParked{execution},
      ExecutionEnded{execution, ExecutionStatus::failed, text, "node 'x' was discarded"},
      OutboxEnqueued{21, 22, "outbox content"},
      InboxAccepted{23, 24, "inbox content"},
      ExecutionForgotten{execution, {0x31, 0x32}, {7, 8}},
      ExecutionQuarantined{execution, 90'000, 17, "its event ended two processes"},
      QueueConfigured{
          {"bulk", Strategy::weighted_round_robin, true, 40, 2'500, 16, Duration::seconds(90)}},
  };
}

// A sample with its size and place changed: the kinds that fill a log.
inline Event random_event(Random& dice) {
  auto number = [&] { return static_cast<uint32_t>(dice.next() >> dice.between(32, 63)); };
  TaskRange range{{dice.next() >> dice.below(64)}, number(), number() / 2, 0};
  range.end = range.begin + number() / 2;
  std::vector<Event> samples = sample_events();
  for (Event& event : grown_events()) samples.push_back(std::move(event));
  samples.push_back(certified_session());
  switch (dice.below(4)) {
    case 0:
      return AttemptsGranted{{dice.next() >> dice.below(64)}, range, number(), dice.next()};
    case 1:
      return AttemptsSucceeded{range, number(), {}};
    case 2: {
      AttemptsSucceeded some{range, number(), {}};
      for (uint64_t n = dice.below(5); n > 0; --n)
        some.outputs.push_back(Payload::inline_json(std::string(dice.below(40'000), '1')));
      return some;
    }
    default:
      return samples[dice.below(samples.size())];
  }
}

}  // namespace pawl
