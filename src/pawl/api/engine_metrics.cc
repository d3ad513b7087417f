#include "pawl/api/engine_metrics.h"

#include <algorithm>

namespace pawl {
namespace {

void write_executions(const Figures& figures, Exposition& page) {
  const Counts& counts = figures.counts;
  page.counted("pawl_executions_submitted_total", "Executions accepted since the log began",
               counts.submitted);
  page.family("pawl_executions_ended_total", Exposition::counter,
              "Executions that have ended since the log began, by how");
  page.sample({{"status", name(ExecutionStatus::succeeded)}}, counts.succeeded);
  page.sample({{"status", name(ExecutionStatus::failed)}}, counts.failed);
  page.sample({{"status", name(ExecutionStatus::cancelled)}}, counts.cancelled);
  page.sample({{"status", name(ExecutionStatus::quarantined)}}, counts.quarantined);
  page.counted("pawl_executions_forgotten_total", "Executions forgotten since the log began",
               counts.forgotten);
  page.measured("pawl_executions_open", "Executions that have not ended", counts.open());
  page.measured("pawl_executions_in_memory", "Executions held in memory, ended or not",
                figures.executions_in_memory);
  page.measured("pawl_open_bytes", "Memory held by executions that have not ended, estimated",
                figures.open_bytes);
  page.measured("pawl_open_bytes_limit", "Of which so much may be held: pawl server --memory",
                figures.open_bytes_max);
  page.family("pawl_submissions_refused_total", Exposition::counter,
              "Submissions refused because something is full, by what");
  for (size_t kind = 0; kind < shed_kinds; ++kind)
    page.sample({{"reason", name(static_cast<Shed>(kind))}}, figures.counted.shed[kind]);
}

void write_tasks(const EngineCounters& counted, Exposition& page) {
  page.family("pawl_tasks_granted_total", Exposition::counter,
              "Attempts given to workers, by why it was that worker");
  for (size_t cause = 0; cause < grant_causes; ++cause)
    page.sample({{"reason", name(static_cast<GrantCause>(cause))}}, counted.granted[cause]);
  page.family(
      "pawl_keyed_tasks_granted_total", Exposition::counter,
      "Attempts of tasks with a placement key, by whether the worker is the one it likes best");
  page.sample({{"worker", "favourite"}}, counted.at_favourite);
  page.sample({{"worker", "other"}}, counted.elsewhere);
  page.counted("pawl_tasks_succeeded_total", "Tasks that succeeded", counted.succeeded);
  page.counted("pawl_tasks_cancelled_total", "Tasks cancelled one by one", counted.cancelled);
  page.family("pawl_task_failures_total", Exposition::counter, "Attempts that failed, by kind");
  for (size_t kind = 0; kind < failure_kinds; ++kind)
    page.sample({{"kind", name(static_cast<FailureKind>(kind))}}, counted.failed[kind]);
  page.counted("pawl_task_retries_total", "Failed attempts after which the task is tried again",
               counted.retried);
  page.counted("pawl_recalled_total",
               "Tasks that a worker gave back unbegun, for another that had a free slot",
               counted.recalled);
  page.counted("pawl_dead_letters_total", "Tasks and nodes that failed for good and were parked",
               counted.dead_lettered);
  page.counted("pawl_reports_fenced_total",
               "Reports of attempts that were not current any more, refused in whole or part",
               counted.fenced);
  page.timed("pawl_task_wait_seconds",
             "First attempts: from ready to run until granted, durably, to a worker", counted.wait);
  page.timed("pawl_task_held_seconds", "Reported attempts: from the grant until the report",
             counted.held);
  page.timed(
      "pawl_task_queued_seconds",
      "Reported attempts: from the grant's arrival at the worker until the start, as it measured",
      counted.queued);
  page.timed("pawl_task_run_seconds",
             "Reported attempts: from the start until the end, as the worker measured",
             counted.ran);
}

template <class Value>
void write_by_queue(const QueueList& list, Exposition& page, Value value) {
  for (const QueueDetail& queue : list.queues)
    page.sample({{"queue", queue.spec.name}}, value(queue));
}

void write_queues(const QueueList& list, Exposition& page) {
  page.family("pawl_queue_depth", Exposition::gauge, "Tasks ready to run, by queue and priority");
  for (const QueueDetail& queue : list.queues) {
    for (size_t priority = 0; priority < queue.ready_at.size(); ++priority) {
      // A queue that is empty says so under the priority that tasks have when nothing is said.
      if (queue.ready_at[priority] == 0 && (queue.ready > 0 || priority != Node{}.priority))
        continue;
      page.sample({{"queue", queue.spec.name}, {"priority", std::to_string(priority)}},
                  queue.ready_at[priority]);
    }
  }
  page.family("pawl_queue_oldest_seconds", Exposition::gauge,
              "For how long the longest waiting task has been ready");
  for (const QueueDetail& queue : list.queues)
    page.seconds({{"queue", queue.spec.name}}, queue.oldest);
  page.family("pawl_queue_granted", Exposition::gauge, "Tasks granted and not reported");
  write_by_queue(list, page, [](const QueueDetail& queue) { return queue.granted; });
  page.family("pawl_queue_backing_off", Exposition::gauge,
              "Failed tasks waiting to be tried again");
  write_by_queue(list, page, [](const QueueDetail& queue) { return queue.backing_off; });
  page.family("pawl_queue_evaluating", Exposition::gauge,
              "Nodes whose condition or list is being evaluated");
  write_by_queue(list, page, [](const QueueDetail& queue) { return queue.evaluating; });
  page.family("pawl_queue_dead_letters", Exposition::gauge,
              "Tasks and nodes parked: to be redriven or discarded");
  write_by_queue(list, page, [](const QueueDetail& queue) { return queue.parked; });
  page.family("pawl_queue_redelivered_total", Exposition::counter,
              "Second and later attempts given to workers");
  write_by_queue(list, page, [](const QueueDetail& queue) { return queue.redelivered; });
  page.family("pawl_queue_workers", Exposition::gauge, "Connected workers that serve the queue");
  write_by_queue(list, page, [](const QueueDetail& queue) { return queue.workers; });
}

void write_workers(const Figures& figures, Exposition& page) {
  uint64_t suspects = 0, slots = 0, busy = 0, credit = 0, outstanding = 0;
  for (const WorkerDetail& one : figures.workers.workers) {
    suspects += one.suspect ? 1 : 0;
    slots += one.worker.slots;
    busy += std::min(one.worker.slots, one.outstanding);
    credit += one.worker.credit;
    outstanding += one.outstanding;
  }
  page.measured("pawl_workers", "Workers with a session", figures.workers.workers.size());
  page.measured("pawl_workers_suspect", "Workers of which a heartbeat is overdue", suspects);
  page.measured("pawl_worker_slots", "Attempts that the workers run at once, together", slots);
  page.measured("pawl_worker_slots_busy", "Slots for which a task is granted", busy);
  page.measured("pawl_worker_running", "Attempts that run, as the workers last said",
                figures.running);
  page.measured("pawl_worker_credit", "Tasks that the workers may hold granted", credit);
  page.measured("pawl_worker_credit_outstanding", "Tasks that they hold granted", outstanding);
  page.counted("pawl_sessions_opened_total", "Sessions of workers begun",
               figures.counted.sessions_opened);
  page.counted("pawl_sessions_closed_total", "Sessions of workers ended",
               figures.counted.sessions_closed);
}

void write_log(const Figures& figures, Exposition& page) {
  const EngineCounters& counted = figures.counted;
  page.counted("pawl_commands_total", "Commands taken, of clients and workers", counted.commands);
  page.counted("pawl_commits_total", "Groups of events handed to the log", counted.commits);
  page.counted("pawl_commit_bytes_total", "Bytes of these groups", counted.commit_bytes);
  page.counted("pawl_events_total", "Events in these groups", counted.events);
  page.timed("pawl_commit_seconds", "From handing a group to the log until it is durable",
             counted.commit);
  page.timed("pawl_answer_seconds",
             "Commands and queries: from the beginning of their group until the answer",
             counted.answer);
  page.timed("pawl_checkpoint_seconds", "From the first slice of a checkpoint until it is taken",
             counted.checkpoint);
  page.measured("pawl_checkpoint_age_seconds",
                "Since the newest checkpoint was taken, or the engine started",
                figures.checkpoint_age);
  page.measured("pawl_log_bytes", "The log on disk", figures.log_bytes);
  page.measured("pawl_log_position", "The newest durable group", figures.durable_position);
  page.measured("pawl_epoch", "How often this log has been taken over", figures.epoch);
  page.measured("pawl_takes_work", "1: new work is taken; 0: the disk is almost full",
                figures.space == DiskSpace::plenty ? 1 : 0);
}

}  // namespace

void write_metrics(const Figures& figures, Exposition& page) {
  write_executions(figures, page);
  write_tasks(figures.counted, page);
  write_queues(figures.queues, page);
  write_workers(figures, page);
  write_log(figures, page);
}

}  // namespace pawl
