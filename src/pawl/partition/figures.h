// What an engine knows about itself, for whoever watches over it.
//
//   engine.put({7, GetFigures{}});   // the answer: Figures
//   figures.counted.failed[size_t(FailureKind::timeout)];   // since the engine started
//   figures.queues.queues[0].ready;                         // as ListQueues answers
//
// Counters are plain integers of the engine's thread: counting takes no lock and no memory. They begin at
// zero with each process; `counts` goes on where the log ends. A group counts when it is handed to
// the log. Threading: plain values.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "pawl/base/histogram.h"
#include "pawl/partition/query.h"
#include "pawl/partition/step.h"
#include "pawl/port/disk.h"

namespace pawl {

constexpr size_t failure_kinds = 10;
constexpr size_t grant_causes = static_cast<size_t>(last_grant_cause) + 1;

struct EngineCounters {
  uint64_t commands = 0;
  uint64_t commits = 0;  // groups
  uint64_t commit_bytes = 0;
  uint64_t events = 0;
  std::array<uint64_t, grant_causes> granted{};  // tasks, as all that follow; by GrantCause
  uint64_t at_favourite = 0;  // of those granted with a placement key: where it likes best
  uint64_t elsewhere = 0;     // ... to another worker
  uint64_t succeeded = 0;
  std::array<uint64_t, failure_kinds> failed{};  // by FailureKind
  uint64_t retried = 0;                          // failed, and tried again by itself
  uint64_t recalled = 0;                    // given back unbegun, for a worker with a free slot
  uint64_t dead_lettered = 0;               // tasks, and nodes that could not be evaluated
  uint64_t cancelled = 0;                   // by themselves, not with their execution
  uint64_t fenced = 0;                      // reports, whole or in part
  std::array<uint64_t, shed_kinds> shed{};  // submissions refused, by Shed
  uint64_t sessions_opened = 0;
  uint64_t sessions_closed = 0;
  Histogram wait;  // of first attempts: from ready until the grant is on its way to a worker
  Histogram held;  // of reported attempts: from the grant until the report
  Histogram
      queued;  // of reported attempts, as workers measure: from the grant's arrival there to the start
  Histogram ran;         // the same: from the start to the end
  Histogram commit;      // from handing a group to the log until it is durable
  Histogram answer;      // of commands and queries: from their group's beginning until the answer
  Histogram checkpoint;  // from its first slice until the view has it

  // A group on its way to the log; `now` on the duration clock.
  void take(const StepOutput& out, Instant now);
};

struct Figures {
  EngineCounters counted;
  Counts counts;  // of executions, since the log began
  uint64_t executions_in_memory = 0;
  uint64_t open_bytes = 0;  // held by those that have not ended
  uint64_t open_bytes_max = 0;
  QueueList queues;
  WorkerList workers;
  uint64_t running = 0;  // attempts, as the workers last said
  uint64_t epoch = 0;
  uint64_t durable_position = 0;
  uint64_t log_bytes = 0;
  DiskSpace space = DiskSpace::plenty;
  Duration checkpoint_age;       // since the newest was taken, or the engine started
  std::optional<Error> refuses;  // new work, and why: it has stopped, or its disk is almost full
};

}  // namespace pawl
