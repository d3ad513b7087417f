#include "pawl/partition/evolve.h"

#include <algorithm>

#include "pawl/partition/checkpoint.h"
#include "pawl/partition/edit.h"
#include "pawl/partition/held_bytes.h"
#include "pawl/wire/workflow_codec.h"

namespace pawl {
namespace {

// A failure that says nothing about the task itself does not use up its allowance.
bool counts(FailureKind kind) {
  return kind != FailureKind::lost && kind != FailureKind::declined;
}

void store_outputs(NodeWork& work, ItemIndex begin, const std::vector<Payload>& outputs) {
  if (!work.mapped) {
    if (!outputs.empty()) work.output = outputs.front();
    return;
  }
  std::vector<uint32_t>& changed = work.mapped->changed_pages;
  for (size_t i = 0; i < outputs.size(); ++i) {
    ItemIndex item = begin + static_cast<ItemIndex>(i);
    uint32_t page = item / ItemOutputs::page_items;
    work.mapped->outputs->set(item, outputs[i]);
    if (changed.empty() || changed.back() != page) changed.push_back(page);
  }
}

struct Evolve {
  State& state;

  void count(const std::string& name_space, uint64_t Counts::*what) {
    ++(state.counts.*what);
    ++(state.name_space(name_space).counts.*what);
  }

  void operator()(const EpochStarted& event) {
    PAWL_CHECK(event.epoch > state.epoch, "epochs ascend");
    state.epoch = event.epoch;
    state.cluster = event.cluster;
  }

  void operator()(const WorkflowRegistered& event) {
    Result<Workflow> decoded = decode_workflow(event.definition);
    PAWL_CHECK(decoded.ok(), "a registered definition was checked before it became an event");
    Hash128 hash = hash128(event.definition);
    auto workflow = std::make_shared<const Workflow>(std::move(decoded).value());
    bool first = state.workflows
                     .emplace(event.workflow, make_plan(event.workflow, std::move(workflow), hash,
                                                        event.name_space))
                     .second;
    PAWL_CHECK(first, "a workflow id is used once");
    state.workflow_ids[hash_in(event.name_space, event.definition)] = event.workflow;
    state.last_workflow = std::max(state.last_workflow, event.workflow.value);
    state.new_workflows.push_back(event.workflow);
  }

  void operator()(const ExecutionSubmitted& event) {
    auto execution = std::make_unique<Execution>();
    execution->id = event.execution;
    execution->name_space = &state.name_space(event.name_space);
    Plan& plan = *state.workflows.at(event.workflow);
    enter(plan, state.ready, state.queues);
    execution->plan = &plan;
    execution->payload_hash = event.payload_hash;
    execution->input = event.input;
    execution->labels = event.labels;
    if (event.trace) execution->trace = std::make_unique<const Trace>(*event.trace);
    execution->started = state.wall;
    const std::vector<Node>& nodes = execution->plan->workflow->nodes;
    execution->nodes.resize(nodes.size());
    execution->nodes_left = static_cast<uint32_t>(nodes.size());
    for (NodeIndex i = 0; i < nodes.size(); ++i) {
      execution->nodes[i].needs_left = static_cast<uint32_t>(nodes[i].needs.size());
      execution->nodes[i].since = state.now;
      if (nodes[i].needs.empty() && state.live) state.undecided.push_back({event.execution, i});
    }
    if (!event.request_id.empty()) {
      execution->request = hash_in(event.name_space, event.request_id);
      state.requests[execution->request] = {event.execution, event.payload_hash};
    }
    state.last_execution = std::max(state.last_execution, event.execution.value);
    count(execution->name_space->name, &Counts::submitted);
    if (state.live) state.open_bytes += held_bytes(*execution);
    state.executions.insert(std::move(execution));
    find_execution(state, event.execution);
  }

  void operator()(const EvaluationStarted& event) {
    Execution& execution = find_execution(state, event.execution);
    if (event.purpose == EvaluationPurpose::output) {
      execution.evaluating_output = true;
      return;
    }
    NodeEdit edit(state, execution, event.node);
    edit.become(event.purpose == EvaluationPurpose::condition ? NodeStatus::evaluating_condition
                                                              : NodeStatus::evaluating_items);
  }

  void operator()(const NodeActivated& event) {
    Execution& execution = find_execution(state, event.execution);
    NodeEdit edit(state, execution, event.node);
    edit.run().items_count = event.items_count;
    if (execution.definition(event.node).mapped()) {
      edit.work().mapped = std::make_unique<MappedWork>(
          event.items, std::make_shared<ItemOutputs>(event.items_count));
    }
    edit.become(NodeStatus::active);
    if (event.items_count > 0) edit.make_ready({0, event.items_count}, 0);
    edit.end_if_complete();
  }

  void operator()(const NodeSkipped& event) {
    NodeEdit edit(state, find_execution(state, event.execution), event.node);
    edit.run().skip_reason = event.reason;
    edit.become(NodeStatus::skipped);
  }

  void operator()(const NodeParked& event) {
    NodeEdit edit(state, find_execution(state, event.execution), event.node);
    edit.work().error = event.error;
    edit.become(NodeStatus::parked);
  }

  void operator()(const SessionOpened& event) {
    state.sessions[event.session] = open_session(event.worker, state.now);
    state.last_session = std::max(state.last_session, event.session.value);
  }

  // What its attempts become has been said before, each by an event; by logs of the first version it was not.
  void operator()(const SessionClosed& event) {
    if (state.sessions.at(event.session).outstanding > 0) take_back_all(event);
    PAWL_CHECK(state.sessions.at(event.session).outstanding == 0,
               "a closed session holds attempts");
    state.sessions.erase(event.session);
  }

  void take_back_all(const SessionClosed& event) {
    for (const NodeKey& key : ascending(state.granted)) {
      Execution& execution = find_execution(state, key.execution);
      NodeEdit edit(state, execution, key.node);
      const SmallVector<OpenRange>& open = edit.work().open;
      std::vector<OpenRange> lost(open.begin(), open.end());
      for (const OpenRange& range : lost) {
        if (range.session != event.session) continue;
        edit.close(range.span);
        edit.rewrite(range.span, [&](Story& story, ItemSpan) {
          story.status = TaskStatus::ready;
          story.attempts = range.attempt;
        });
        edit.make_ready(range.span, range.attempt);
      }
    }
  }

  void operator()(const AttemptsGranted& event) {
    Execution& execution = find_execution(state, event.range.execution);
    NodeEdit edit(state, execution, event.range.node);
    ItemSpan span{event.range.begin, event.range.end};
    NodeWork& work = edit.work();
    if (work.stories.find(span.begin) == nullptr) {
      PAWL_CHECK(event.attempt == 1 && span.begin >= edit.run().next_fresh,
                 "a first attempt of something that was tried before");
      edit.run().next_fresh = span.end;
    } else {
      edit.rewrite(span, [&](Story& story, ItemSpan) {
        story.status = TaskStatus::granted;
        story.attempts = event.attempt;
      });
    }
    edit.run().next_fresh = std::max(edit.run().next_fresh, span.end);
    edit.run().last_attempt = state.wall;
    if (work.open.empty()) enlist(state, {event.range.execution, event.range.node}, work);
    const OpenRange* place =
        std::upper_bound(work.open.begin(), work.open.end(), span.begin,
                         [](ItemIndex item, const OpenRange& o) { return item < o.span.begin; });
    work.open.insert(place,
                     {span, event.attempt, event.session, event.nonce, state.now, event.reason});
    reserve(state, execution, event.range.node, event.session, event.range.size());
  }

  void operator()(const AttemptsSucceeded& event) {
    Execution& execution = find_execution(state, event.range.execution);
    NodeEdit edit(state, execution, event.range.node);
    ItemSpan span{event.range.begin, event.range.end};
    edit.close(span);
    NodeWork& work = edit.work();
    work.done.add(span);
    if (work.stories.next_from(span.begin, span.end) < span.end) {
      edit.rewrite(span, [&](Story& story, ItemSpan) {
        story.status = TaskStatus::succeeded;
        story.attempts = event.attempt;
      });
    }
    store_outputs(work, span.begin, event.outputs);
    edit.end_if_complete();
  }

  void operator()(const AttemptFailed& event) {
    NodeEdit edit(state, find_execution(state, event.range.execution), event.range.node);
    ItemSpan span{event.range.begin, event.range.end};
    SessionId meant_for;
    if (event.attempt > 0) meant_for = state.sessions.at(edit.close(span).session).asked.meant_for;
    Instant since = event.ready_since != Instant{} ? event.ready_since : state.now;
    auto cause = std::make_shared<const Cause>(Cause{event.kind, event.exit_code, event.error});
    edit.rewrite(span, [&](Story& story, ItemSpan part) {
      if (event.attempt > 0) story.attempts = event.attempt;
      if (counts(event.kind)) ++story.failures;
      story.cause = cause;
      story.since = since;
      story.retry_at = event.retry_at;
      story.status = event.disposition == Disposition::retry   ? TaskStatus::backing_off
                     : event.disposition == Disposition::again ? TaskStatus::ready
                                                               : TaskStatus::parked;
      if (event.disposition == Disposition::retry) edit.arm_retry(part, event.retry_at);
    });
    edit.run().next_fresh = std::max(edit.run().next_fresh, span.end);
    if (event.disposition == Disposition::park) edit.run().parked += event.range.size();
    if (recalled(event))
      edit.put_back(span, event.attempt, since, meant_for);
    else if (event.disposition == Disposition::again)
      edit.make_ready(span, event.attempt);
  }

  void operator()(const RetryReleased& event) {
    NodeEdit edit(state, find_execution(state, event.range.execution), event.range.node);
    edit.rewrite({event.range.begin, event.range.end}, [&](Story& story, ItemSpan part) {
      story.status = TaskStatus::ready;
      edit.make_ready(part, story.attempts);
    });
  }

  void operator()(const DeadLettersRedriven& event) {
    NodeEdit edit(state, find_execution(state, event.range.execution), event.range.node);
    edit.rewrite({event.range.begin, event.range.end}, [&](Story& story, ItemSpan part) {
      PAWL_CHECK(story.status == TaskStatus::parked, "only a dead letter is redriven");
      story.status = TaskStatus::ready;
      story.failures = 0;
      edit.make_ready(part, story.attempts);
    });
    edit.run().parked -= event.range.size();
  }

  void operator()(const DeadLettersDiscarded& event) {
    NodeEdit edit(state, find_execution(state, event.range.execution), event.range.node);
    edit.rewrite({event.range.begin, event.range.end}, [&](Story& story, ItemSpan) {
      PAWL_CHECK(story.status == TaskStatus::parked, "only a dead letter is discarded");
      story.status = TaskStatus::failed;
    });
    edit.run().parked -= event.range.size();
    edit.run().failed += event.range.size();
    edit.end_if_complete();
  }

  void operator()(const NodeRedriven& event) {
    NodeEdit edit(state, find_execution(state, event.execution), event.node);
    edit.become(NodeStatus::waiting);
    if (state.live) state.undecided.push_back({event.execution, event.node});
  }

  void operator()(const NodeDiscarded& event) {
    NodeEdit edit(state, find_execution(state, event.execution), event.node);
    edit.become(NodeStatus::failed);
  }

  void operator()(const TaskCancelled& event) {
    NodeEdit edit(state, find_execution(state, event.task.execution), event.task.node);
    ItemSpan span{event.task.item, event.task.item + 1};
    AttemptNumber attempts = attempts_of(edit.run(), event.task.item);
    TaskStatus before = task_status(edit.run(), event.task.item);
    PAWL_CHECK(!is_terminal(before), "a task that has ended cannot be cancelled");
    if (before == TaskStatus::granted) edit.close(span);
    if (before == TaskStatus::parked) --edit.run().parked;
    edit.rewrite(span, [&](Story& story, ItemSpan) {
      story.status = TaskStatus::cancelled;
      story.attempts = attempts;
    });
    ++edit.run().cancelled;
    edit.end_if_complete();
  }

  static uint64_t Counts::*count_of(ExecutionStatus status) {
    switch (status) {
      case ExecutionStatus::succeeded:
        return &Counts::succeeded;
      case ExecutionStatus::failed:
        return &Counts::failed;
      case ExecutionStatus::cancelled:
        return &Counts::cancelled;
      case ExecutionStatus::quarantined:
        return &Counts::quarantined;
      default:
        PAWL_CHECK(false, "an execution ends succeeded, failed, cancelled or quarantined");
        return nullptr;
    }
  }

  // All of its nodes have.
  void end(Execution& execution, ExecutionStatus status, const std::string& error) {
    if (state.live) make_room(execution);
    execution.evaluating_output = false;
    execution.status = status;
    execution.error = error;
    execution.ended = state.wall;
    state.ended_digest = state.ended_digest + digest(execution);
    count(execution.name_space->name, count_of(status));
    leave(*state.workflows.at(execution.plan->id), state.ready, state.queues);
  }

  void make_room(const Execution& ended) {
    uint64_t held = held_bytes(ended);
    state.open_bytes -= held;
    state.bytes_drain.take(held, state.now);
    state.open_drain.take(1, state.now);
    state.name_space(ended.name_space->name).drain.take(1, state.now);
  }

  // Ends the execution with everything of it that is still open.
  void stop(Execution& execution, ExecutionStatus status, const std::string& error) {
    for (NodeIndex node = 0; node < execution.nodes.size(); ++node) {
      if (is_terminal(execution.nodes[node].status)) continue;
      NodeEdit edit(state, execution, node);
      NodeRun& run = edit.run();
      if (run.work) {
        std::vector<OpenRange> open(run.work->open.begin(), run.work->open.end());
        for (const OpenRange& range : open) edit.close(range.span);
        edit.drop_back_offs();
        run.work->context.reset();
      }
      run.parked = 0;
      run.cancelled = run.items_count - run.succeeded() - run.failed;
      edit.become(NodeStatus::cancelled);
    }
    end(execution, status, error);
  }

  void operator()(const ExecutionCancelled& event) {
    stop(find_execution(state, event.execution), ExecutionStatus::cancelled, event.reason);
  }

  // Replay applies it in place of the event that it names; here it comes once more, when recorded.
  void operator()(const ExecutionQuarantined& event) {
    const Execution* known = std::as_const(state.executions).find(event.execution);
    if (known == nullptr || known->ended_already()) return;
    stop(find_execution(state, event.execution), ExecutionStatus::quarantined, event.error);
  }

  void operator()(const ExecutionParked& event) {
    find_execution(state, event.execution).status = ExecutionStatus::parked;
  }

  void operator()(const ExecutionEnded& event) {
    Execution& execution = find_execution(state, event.execution);
    execution.output = event.output;
    end(execution, event.status, event.error);
  }

  // It may have left memory before.
  void operator()(const ExecutionForgotten& event) {
    state.forgotten[event.execution] = {event.request, event.payload_hash, state.now};
    state.new_forgotten.push_back(event.execution);
    if (event.request != Hash128{})
      state.requests[event.request] = {event.execution, event.payload_hash};
    if (Execution* execution = state.executions.find(event.execution)) {
      if (state.checkpoint != nullptr) state.checkpoint->before_erase(*execution);
      state.executions.erase(event.execution);
    }
    count(event.name_space, &Counts::forgotten);
    state.ended_digest = state.ended_digest + digest(event);
  }

  void operator()(const QueueConfigured& event) { state.queues.configure(event.queue, state.now); }

  // Reserved: nothing crosses partitions yet, and nothing emits these.
  void operator()(const OutboxEnqueued&) {}
  void operator()(const InboxAccepted&) {}
};

}  // namespace

void begin_group(State& state, Instant now, WallTime wall) {
  PAWL_CHECK(now >= state.now, "the duration clock never runs backwards");
  state.now = now;
  state.wall = wall;
}

void evolve(State& state, const Event& event) {
  std::visit(Evolve{state}, event);
}

}  // namespace pawl
