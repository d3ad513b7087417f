// The rare states that a set of seeds must have been in, each at least once; else the seeds prove
// less than they seem to.
//
//   coverage.reached(Sometimes::torn_tail_rewritten);
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace pawl::sim {

enum class Sometimes : uint8_t {
  late_result_fenced,
  repeated_result_fenced,
  lease_expired_while_worker_alive,
  worker_stopped_itself,
  worker_crashed_after_effect,
  worker_drained,
  worker_restarted_at_same_address,
  worker_unreachable,
  session_resumed,
  grant_never_arrived,
  crash_between_turns,
  crash_inside_disk_call,
  crash_during_recovery,
  write_error_stopped_engine,
  short_write_stopped_engine,
  read_error_during_recovery,
  torn_tail_rewritten,
  unacknowledged_group_survived,
  checkpoint_sealed,
  checkpoint_during_load,
  checkpoint_sealed_then_crash,
  checkpoint_refused,
  older_checkpoint_used,
  recovered_without_checkpoint,
  log_trimmed,
  damage_detected,
  damage_without_effect,
  lost_write_detected,
  lost_write_without_effect,
  group_full,
  inbox_refused,
  executions_refused,
  disk_soft_refusal,
  append_waited_for_space,
  duplicate_submit_answered,
  duplicate_submit_answered_after_restart,
  other_payload_refused,
  unknown_answered,
  answer_lost,
  message_lost,
  network_slow,
  message_duplicated,
  message_overtaken,
  retransmission_used,
  evaluation_delayed,
  evaluation_answered_after_restart,
  engine_paused_beyond_lease,
  worker_paused_beyond_lease,
  wall_clock_jumped,
  attempt_retried,
  queue_timeout_parked,
  run_timeout,
  reported_ahead,
  payload_waited_for,
  report_held,
  launched_ahead,
  launch_withdrawn,
  attempt_hung,
  attempt_declined,
  recalled_task,
  recall_crossed_start,
  execution_parked,
  dead_letter_redriven,
  dead_letter_discarded,
  node_parked,
  task_cancelled,
  execution_cancelled,
  execution_quarantined,
  killed_while_replaying,
  running_told,
  trace_given,
  cancel_after_end_refused,
  mapped_node_without_items,
  mapped_node_over_several_grants,
  group_beyond_a_segment,
  result_in_blob_store,
  input_in_blob_store,
  items_in_blob_store,
  removed_output_came_back,
  output_over_limit,
  input_unreadable,
  blob_fault_failed_execution,
  blob_damage_detected,
  blob_write_failed,
  blob_read,
  execution_forgotten,
  forgotten_under_a_crash,
  forgotten_payloads_dropped_after_restart,
  forget_refused,
  forget_repeated,
  duplicate_submit_after_forget,
  other_payload_refused_after_forget,
  history_continued,
  history_waited_for,
  history_without_end,
  run_stopped_waiting,
  foreign_execution_not_found,
  request_id_in_two_name_spaces,
  name_space_executions_refused,
  embedded_worker,
  several_partitions,
  queue_configured,
  queue_full,
  queue_rate_kept,
  resource_used_up,
  tasks_kept_apart,
  shed_low_priority,
  admitted_high_while_low_refused,
  queue_without_room,
  memory_used_up,
  no_faults,
  count_,
};
constexpr size_t sometimes_count = static_cast<size_t>(Sometimes::count_);
const char* name(Sometimes state);  // "late_result_fenced"

class Coverage {
 public:
  void reached(Sometimes state) { ++counts_[static_cast<size_t>(state)]; }
  void reached_if(bool condition, Sometimes state) {
    if (condition) reached(state);
  }
  uint64_t count(Sometimes state) const { return counts_[static_cast<size_t>(state)]; }
  void add(const Coverage& other);
  std::string missing() const;  // names of what was never reached; empty when all is well

  std::array<uint64_t, sometimes_count>& counts() { return counts_; }

 private:
  std::array<uint64_t, sometimes_count> counts_{};
};

}  // namespace pawl::sim
