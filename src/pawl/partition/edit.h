// The writing vocabulary of evolve(): changes to one node that keep the counters of its execution
// right. Private to evolve*.cc.
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
  void arm_retry(ItemSpan span, Instant at);

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
      change(story, ItemSpan{at, end});
      stories.assign({at, end}, story);
      at = end;
    }
  }

 private:
  bool moves() const;
  State& state_;
  Execution& execution_;
  NodeIndex node_;
  NodeRun& run_;
  bool moved_before_;
  bool terminal_before_;
};

// The only way to an execution that is going to change: the checkpoints learn of it here.
Execution& find_execution(State& state, ExecutionId id);

}  // namespace pawl
