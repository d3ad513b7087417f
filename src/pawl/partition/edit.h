// The writing vocabulary of evolve(): changes to one node that keep the counters of its execution and
// of its queue right. Private to evolve*.cc.
#pragma once

#include "pawl/base/check.h"
#include "pawl/partition/state.h"

namespace pawl {

// Open while one node is being changed. When it closes, the execution's counters, its dependents
// and the lists of what must be decided next follow from the difference.
class NodeEdit {
 public:
  NodeEdit(State& state, Execution& execution, NodeIndex node);
  ~NodeEdit();
  NodeEdit(const NodeEdit&) = delete;
  NodeEdit& operator=(const NodeEdit&) = delete;

  NodeRun& run() { return run_; }
  NodeWork& work();  // made if there is none yet
  void become(NodeStatus status);
  // The node's end, if all its tasks have ended.
  void end_if_complete();
  // Takes [span] out of the open ranges, and off its worker's account.
  OpenRange close(ItemSpan span);
  // The tasks may be granted (again): attempt `attempts` + 1 is next.
  void make_ready(ItemSpan span, AttemptNumber attempts);
  // The same, for tasks that a worker gave back for another: as old as they were.
  void put_back(ItemSpan span, AttemptNumber attempts, Instant since, SessionId meant_for);
  void arm_retry(ItemSpan span, Instant at);
  // What backs off of a node that is being stopped.
  void drop_back_offs();

  // Calls change(Story&) for every run of equal stories in `span`; tasks without one get a new one.
  template <class Change>
  void rewrite(ItemSpan span, Change change) {
    Stories& stories = work().stories;
    ItemIndex at = span.begin;
    while (at < span.end) {
      const Story* known = stories.find(at);
      ItemIndex end = known ? stories.run_end(at, span.end) : stories.next_from(at, span.end);
      Story story = known ? *known : Story{};
      story.since = state_.now;
      bool backed_off = story.status == TaskStatus::backing_off;
      change(story, ItemSpan{at, end});
      bool backs_off = story.status == TaskStatus::backing_off;
      if (backed_off != backs_off) count_back_off(end - at, backs_off);
      stories.assign({at, end}, story);
      at = end;
    }
  }

 private:
  bool moves() const;
  uint64_t waiting() const;
  uint64_t parked() const;
  void arm_queue_timeout(Instant since);
  void count_back_off(uint64_t tasks, bool begins);
  State& state_;
  Execution& execution_;
  NodeIndex node_;
  NodeRun& run_;
  bool moved_before_;
  bool terminal_before_;
  bool evaluating_before_;
  uint64_t waiting_before_;
  uint64_t parked_before_;
  uint64_t held_before_;
};

// The only way to an execution that is going to change: the checkpoints learn of it here.
Execution& find_execution(State& state, ExecutionId id);

}  // namespace pawl
