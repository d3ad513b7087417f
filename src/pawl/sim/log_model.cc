#include "pawl/sim/log_model.h"

#include <algorithm>

#include "pawl/sim/value_model.h"
#include "pawl/wire/event_codec.h"
#include "pawl/wire/workflow_codec.h"

namespace pawl::sim {
namespace {

std::string text(const TaskKey& task) {
  return to_text(task.execution) + "/" + std::to_string(task.node) + "[" +
         std::to_string(task.item) + "]";
}

bool same_value(const Payload& payload, const std::string& text) {
  if (!payload.is_blob()) return payload.text() == text;
  return payload.ref().size == text.size() && payload.ref().hash == hash128(text);
}

// As payload.h lays it out.
Bytes item_list_of(const std::vector<std::string>& items) {
  ByteWriter ends;
  Bytes texts;
  ends.u64(items.size());
  for (const std::string& item : items) {
    texts += item;
    ends.u64(texts.size());
  }
  return ends.take() + texts;
}

bool lists(const Payload& encoded, const std::vector<std::string>& items) {
  if (encoded.is_blob()) return same_value(encoded, item_list_of(items));
  for (size_t i = 0; i < items.size(); ++i) {
    bool same = encoded.is_absent() ? items[i] == std::to_string(i)
                                    : items_at(encoded.text(), i) == items[i];
    if (!same) return false;
  }
  return true;
}

NodeState verdict_of(const NodeModel& node) {
  uint64_t cancelled = 0;
  for (const TaskModel& task : node.tasks) {
    if (task.state == TaskState::failed) return NodeState::failed;
    cancelled += task.state == TaskState::cancelled;
  }
  bool all = cancelled > 0 && cancelled == node.tasks.size();
  return all ? NodeState::cancelled : NodeState::succeeded;
}

}  // namespace

// One visit per event; `broken` keeps the first thing that is wrong.
struct LogModel::Apply {
  LogModel& model;
  const Group& group;
  std::optional<Violation> broken;

  void require(bool holds, const char* invariant, const std::string& what) {
    if (!holds && !broken)
      broken = Violation{invariant, "group " + std::to_string(group.position) + ": " + what};
  }

  ExecutionModel* open(ExecutionId id) {
    auto it = model.executions_.find(id);
    require(it != model.executions_.end(), "I2", to_text(id) + " was never submitted");
    if (broken) return nullptr;
    require(!it->second.ended(), "I3", to_text(id) + " had ended when this event came");
    return &it->second;
  }
  NodeModel* node(ExecutionId id, NodeIndex index) {
    ExecutionModel* execution = open(id);
    if (execution == nullptr) return nullptr;
    require(index < execution->nodes.size(), "I2", to_text(id) + " has no such node");
    return broken ? nullptr : &execution->nodes[index];
  }
  // Calls `change(task, key)` for every task of the range, then ends the node if all have ended.
  template <class Change>
  void each(const TaskRange& range, const Change& change) {
    NodeModel* found = node(range.execution, range.node);
    if (found == nullptr) return;
    require(found->state == NodeState::active, "I3",
            "an event about tasks of " + to_text(range.execution) + "/" +
                std::to_string(range.node) + ", which is not active");
    require(range.begin < range.end && range.end <= found->tasks.size(), "I2",
            "an event about tasks that do not exist");
    for (ItemIndex item = range.begin; item < range.end && !broken; ++item)
      change(found->tasks[item], range.at(item));
    if (broken) return;
    bool all = std::all_of(found->tasks.begin(), found->tasks.end(),
                           [](const TaskModel& task) { return task.ended(); });
    if (all) found->state = verdict_of(*found);
  }
  // Until it is forgotten, this must be in the blob store.
  void refers(ExecutionId id, const Payload& payload) {
    if (broken || !payload.is_blob()) return;
    require(payload.ref().owner == id, "I25", to_text(id) + " refers to a payload of another");
    model.executions_.at(id).payloads.push_back(payload.ref());
  }
  void release(TaskModel& task) {
    auto session = model.sessions_.find(task.session);
    if (session != model.sessions_.end()) --session->second.outstanding;
    model.placement_.released(task.session, *task.node);
    task.session = {};
  }
  void ready(TaskModel& task) {
    task.state = TaskState::ready;
    task.since = group.now;
  }

  void operator()(const EpochStarted& event) {
    require(event.epoch > model.epoch_ && event.epoch == group.epoch, "I6",
            "epoch " + std::to_string(event.epoch) + " after " + std::to_string(model.epoch_));
    model.epoch_ = event.epoch;
  }

  void operator()(const WorkflowRegistered& event) {
    require(model.ledger_.definitions.contains(event.definition), "I2",
            "a workflow that nobody registered");
    require(!model.workflows_.contains(event.workflow), "I7", "a workflow id was given twice");
    for (const auto& [id, known] : model.workflows_)
      require(
          known.first != event.definition || model.workflow_name_spaces_.at(id) != event.name_space,
          "I7", "one definition was registered twice");
    auto decoded = decode_workflow(event.definition);
    require(decoded.ok(), "I18", "a definition that cannot be read");
    if (broken) return;
    model.workflows_[event.workflow] = {
        event.definition, std::make_shared<const Workflow>(std::move(decoded).value())};
    model.workflow_name_spaces_[event.workflow] = event.name_space;
  }

  void operator()(const ExecutionSubmitted& event) {
    const RequestKey key{event.name_space, event.request_id};
    require(model.ledger_.submits.contains({key, event.payload_hash, event.workflow}), "I2",
            to_text(event.execution) + " was submitted by nobody");
    require(model.executions_.empty() || event.execution > model.executions_.rbegin()->first, "I3",
            to_text(event.execution) + " exists already");
    require(event.request_id.empty() || !model.requests_.contains(key), "I7",
            "request \"" + event.request_id + "\" has a second execution");
    require(model.workflows_.contains(event.workflow), "I1", "its workflow is unknown");
    require(broken || model.workflow_name_spaces_.at(event.workflow) == event.name_space, "I23",
            "its workflow is of another namespace");
    std::string input = "null";
    if (event.input.is_blob()) {
      auto large = model.ledger_.large_inputs.find(event.input.ref().hash);
      require(large != model.ledger_.large_inputs.end(), "I2", "an input that nobody gave");
      require(event.input.ref().owner == event.execution, "I1", "an input that is another's");
      if (!broken) input = large->second;
      model.coverage_.reached(Sometimes::input_in_blob_store);
    } else {
      input = event.input.text();
    }
    if (broken) return;
    ExecutionModel& execution = model.executions_[event.execution];
    execution.workflow = event.workflow;
    execution.definition = model.workflows_.at(event.workflow).second;
    execution.jq = model.jq_;
    execution.name_space = event.name_space;
    execution.request_id = event.request_id;
    execution.payload_hash = event.payload_hash;
    execution.input = input;
    execution.trace = event.trace;
    refers(event.execution, event.input);
    execution.nodes.resize(execution.definition->nodes.size());
    if (event.request_id.empty()) return;
    model.requests_[key] = event.execution;
    bool elsewhere =
        std::any_of(model.requests_.begin(), model.requests_.end(), [&](const auto& other) {
          return other.first.request_id == key.request_id && !(other.first == key);
        });
    model.coverage_.reached_if(elsewhere, Sometimes::request_id_in_two_name_spaces);
  }

  // A node may be decided once everything it needs has ended.
  NodeModel* decidable(ExecutionId id, NodeIndex index) {
    NodeModel* found = node(id, index);
    if (found == nullptr) return nullptr;
    require(found->state == NodeState::waiting || found->state == NodeState::evaluating, "I3",
            to_text(id) + "/" + std::to_string(index) + " is decided twice");
    const ExecutionModel& execution = model.executions_.at(id);
    for (NodeIndex need : execution.definition->nodes[index].needs)
      require(execution.nodes[need].ended(), "I2",
              to_text(id) + "/" + std::to_string(index) + " did not wait for node " +
                  std::to_string(need));
    model.coverage_.reached_if(
        found->state == NodeState::evaluating && found->evaluating_since < group.epoch,
        Sometimes::evaluation_answered_after_restart);
    return broken ? nullptr : found;
  }

  void expect(ExecutionId id, NodeIndex index, Decision taken) {
    Decision right = decision(model.executions_.at(id), index, model.limits_);
    require(right == taken, "I2",
            to_text(id) + "/" + std::to_string(index) + ": " + name(taken) +
                ", but what it is decided by says " + name(right));
  }

  void operator()(const EvaluationStarted& event) {
    if (event.purpose == EvaluationPurpose::output) {
      ExecutionModel* execution = open(event.execution);
      if (execution != nullptr) execution->evaluating_output = true;
      return;
    }
    NodeModel* found = decidable(event.execution, event.node);
    if (found == nullptr) return;
    found->state = NodeState::evaluating;
    found->evaluating_since = group.epoch;
  }

  void operator()(const NodeActivated& event) {
    NodeModel* found = decidable(event.execution, event.node);
    if (found == nullptr) return;
    expect(event.execution, event.node, Decision::run);
    if (broken) return;
    const ExecutionModel& execution = model.executions_.at(event.execution);
    std::vector<std::string> items{execution.input};
    bool mapped = execution.definition->nodes[event.node].mapped();
    if (mapped) items = *items_of(execution, event.node);
    require(
        items.size() == event.items_count, "I2",
        "a node with " + std::to_string(event.items_count) + " tasks has another number of them");
    if (!broken && mapped)
      require(lists(event.items, items), "I2", "a node has other items than its list gives");
    if (broken) return;
    model.coverage_.reached_if(event.items.is_blob(), Sometimes::items_in_blob_store);
    found->state = NodeState::active;
    found->activated = true;
    refers(event.execution, event.items);
    found->tasks.assign(event.items_count, TaskModel{});
    for (TaskModel& task : found->tasks) task.since = group.now;
    if (event.items_count > 0) return;
    found->state = NodeState::succeeded;
    model.coverage_.reached(Sometimes::mapped_node_without_items);
  }

  void operator()(const NodeSkipped& event) {
    NodeModel* found = decidable(event.execution, event.node);
    if (found == nullptr) return;
    expect(event.execution, event.node,
           event.reason == SkipReason::needs_failed    ? Decision::needs_failed
           : event.reason == SkipReason::needs_skipped ? Decision::needs_skipped
                                                       : Decision::condition_false);
    found->state = NodeState::skipped;
    found->skip_reason = event.reason;
  }

  void operator()(const NodeParked& event) {
    NodeModel* found = decidable(event.execution, event.node);
    if (found == nullptr) return;
    if (!model.ledger_.blobs_spoiled) expect(event.execution, event.node, Decision::park);
    found->state = NodeState::parked;
    model.coverage_.reached(Sometimes::node_parked);
  }

  void operator()(const SessionOpened& event) {
    require(event.session.value > model.last_session_, "I6", "a session id was given twice");
    model.last_session_ = event.session.value;
    model.sessions_[event.session] = {event.worker, group.now, 0};
    model.placement_.opened(event.session, event.worker);
  }

  void operator()(const SessionClosed& event) {
    auto session = model.sessions_.find(event.session);
    require(session != model.sessions_.end(), "I3", "a session ends that is not open");
    if (broken) return;
    bool by_lease = event.reason.find("lease") != std::string::npos;
    require(!by_lease || group.now - session->second.opened >= session->second.worker.lease, "I12",
            "a lease ran out " +
                std::to_string((group.now - session->second.opened).whole_milliseconds()) +
                " ms after it began, before its time");
    model.sessions_.erase(session);
    for (auto& [id, execution] : model.executions_) {
      if (execution.ended()) continue;
      for (NodeModel& found : execution.nodes)
        for (TaskModel& task : found.tasks) {
          if (task.state != TaskState::granted || task.session != event.session) continue;
          model.placement_.released(event.session, *task.node);
          task.session = {};
          ready(task);
        }
    }
    model.placement_.closed(event.session);
  }

  void operator()(const AttemptsGranted& event) {
    auto session = model.sessions_.find(event.session);
    require(session != model.sessions_.end(), "I4", "a grant to a session that is not open");
    require(model.nonces_.insert(event.nonce).second, "I5", "a nonce came twice");
    each(event.range, [&](TaskModel& task, const TaskKey& key) {
      require(task.state == TaskState::ready, "I3", text(key) + " was granted while not ready");
      require(event.attempt == task.attempts + 1, "I5",
              text(key) + ": attempt " + std::to_string(event.attempt) + " after " +
                  std::to_string(task.attempts));
      task.state = TaskState::granted;
      task.attempts = event.attempt;
      task.session = event.session;
      task.nonce = event.nonce;
      if (broken) return;
      task.node = &model.executions_.at(key.execution).definition->nodes[key.node];
      ++session->second.outstanding;
      std::string wrong = model.placement_.granted(event.session, *task.node, group.now);
      require(wrong.empty(), "I16", text(key) + ": " + wrong);
      if (event.attempt > 1) model.coverage_.reached(Sometimes::attempt_retried);
    });
    if (broken) return;
    require(session->second.outstanding <= session->second.worker.credit, "I16",
            "a session holds more than its credit");
    const ExecutionModel& execution = model.executions_.at(event.range.execution);
    check_apart(execution.nodes[event.range.node],
                *execution.nodes[event.range.node].tasks[event.range.begin].node);
    bool part = event.range.size() < execution.nodes[event.range.node].tasks.size();
    model.coverage_.reached_if(part && event.range.size() > 1,
                               Sometimes::mapped_node_over_several_grants);
  }

  // Tasks of a node that wants them apart are not granted together in one place.
  void check_apart(const NodeModel& found, const Node& node) {
    if (node.placement.apart == Apart::no) return;
    std::set<std::string> places;
    for (const TaskModel& task : found.tasks) {
      if (task.state != TaskState::granted) continue;
      const WorkerSpec& worker = model.sessions_.at(task.session).worker;
      bool zones = node.placement.apart == Apart::zone;
      std::string place = zones ? worker.zone : std::to_string(task.session.value);
      require(places.insert(place).second, "I16",
              "two tasks of " + node.id + " run together that are to stay apart");
    }
    model.coverage_.reached_if(places.size() > 1, Sometimes::tasks_kept_apart);
  }

  // The report that must stand behind the end of an attempt.
  const Outcome* outcome(const TaskModel& task, const TaskKey& key, AttemptNumber attempt) {
    require(task.state == TaskState::granted && task.attempts == attempt, "I4",
            text(key) + ": a result of attempt " + std::to_string(attempt) +
                ", which is not the current one");
    auto it = model.ledger_.outcomes.find({key, attempt, task.nonce});
    return it == model.ledger_.outcomes.end() ? nullptr : &it->second;
  }

  void operator()(const AttemptsSucceeded& event) {
    each(event.range, [&](TaskModel& task, const TaskKey& key) {
      const Outcome* told = outcome(task, key, event.attempt);
      require(told != nullptr && told->succeeded, "I4",
              text(key) + ": attempt " + std::to_string(event.attempt) +
                  " is recorded as succeeded, but it did not say so");
      if (broken) return;
      size_t place = key.item - event.range.begin;
      Payload output = event.outputs.empty() ? Payload() : event.outputs[place];
      require(output == told->payload, "I4",
              text(key) + " has another output than its current attempt gave");
      require(!output_too_large(key, *told), "I16", text(key) + " has an output beyond a limit");
      release(task);
      task.state = TaskState::succeeded;
      task.output = told->output;
    });
    for (const Payload& output : event.outputs) refers(event.range.execution, output);
  }

  static uint64_t output_bytes(const NodeModel& node) {
    uint64_t bytes = 0;
    for (const TaskModel& task : node.tasks)
      if (task.output != "null") bytes += task.output.size();
    return bytes;
  }

  // A success whose output is beyond a limit, alone or with what the node has of others.
  bool output_too_large(const TaskKey& key, const Outcome& told) const {
    if (told.payload.is_absent()) return false;
    if (told.output.size() > model.limits_.output_bytes_max) return true;
    const ExecutionModel& execution = model.executions_.at(key.execution);
    bool mapped = execution.definition->nodes[key.node].mapped();
    uint64_t bytes = output_bytes(execution.nodes[key.node]) + told.output.size();
    return mapped && bytes > model.limits_.mapped_output_bytes_max;
  }

  // The same group ends the session: what it held is lost without a word from it.
  bool closes(SessionId session) const {
    return std::any_of(group.events.begin(), group.events.end(), [&](const Event& event) {
      const auto* closed = std::get_if<SessionClosed>(&event);
      return closed != nullptr && closed->session == session;
    });
  }

  // Its worker has come back to the engine and did not name it among what it holds.
  bool resumed_without(const TaskModel& task, const TaskKey& key) const {
    auto resumes = model.ledger_.resumes.find(task.session);
    if (resumes == model.ledger_.resumes.end()) return false;
    auto names_it = [&](const HeldAttempts& held) {
      const TaskRange& range = held.range;
      return range.execution == key.execution && range.node == key.node &&
             range.begin <= key.item && key.item < range.end && held.nonce == task.nonce;
    };
    return std::any_of(resumes->second.begin(), resumes->second.end(), [&](const auto& held) {
      return std::none_of(held.begin(), held.end(), names_it);
    });
  }

  void check_failure(const AttemptFailed& event, TaskModel& task, const TaskKey& key) {
    const Node& definition = model.executions_.at(key.execution).definition->nodes[key.node];
    if (event.attempt == 0) {
      require(task.state == TaskState::ready, "I3", text(key) + " timed out without waiting");
      require(group.now - task.since >= definition.timeout.queue && definition.timeout.queue.ns > 0,
              "I12", text(key) + ": its queue timeout came early");
      model.coverage_.reached(Sometimes::queue_timeout_parked);
      return;
    }
    const Outcome* told = outcome(task, key, event.attempt);
    bool declined = event.kind == FailureKind::declined;
    bool never_arrived = event.kind == FailureKind::lost && resumed_without(task, key);
    model.coverage_.reached_if(never_arrived, Sometimes::grant_never_arrived);
    bool lost = never_arrived || (event.kind == FailureKind::lost && closes(task.session));
    bool said = told != nullptr && !told->succeeded && told->kind == event.kind;
    bool too_large = told != nullptr && told->succeeded && event.kind == FailureKind::output &&
                     output_too_large(key, *told);
    model.coverage_.reached_if(too_large, Sometimes::output_over_limit);
    require(declined || lost || said || too_large, "I4",
            text(key) + ": attempt " + std::to_string(event.attempt) +
                " is recorded as failed, but it did not say so");
    // Or it had begun, and what it needed was out of reach: then its executor said so.
    bool begun = model.ledger_.launched.contains({key, event.attempt, task.nonce});
    require(!declined || said || !begun, "I4",
            text(key) + ": attempt " + std::to_string(event.attempt) +
                " was given back although it had begun");
    model.coverage_.reached_if(declined && !recalled(event), Sometimes::attempt_declined);
    model.coverage_.reached_if(recalled(event), Sometimes::recalled_task);
    bool counts = !declined && event.kind != FailureKind::lost;
    if (counts) {
      ++task.failures;
      task.failed.push_back(event.kind);
    }
    bool used_up =
        task.failures >= definition.retry.max_attempts || !definition.retry.retries(event.kind);
    if (event.disposition == Disposition::park)
      require(counts && used_up, "I3", text(key) + " is parked with tries left");
    else
      require(!counts || !used_up, "I3", text(key) + " is tried more often than allowed");
    release(task);
  }

  // first x factor^(failures - 1), at most backoff_max, and the jitter on both sides.
  void check_backoff(const AttemptFailed& event, const TaskModel& task) {
    const Node& node =
        model.executions_.at(event.range.execution).definition->nodes[event.range.node];
    double delay = static_cast<double>(node.retry.backoff_first.ns);
    for (uint32_t i = 1; i < task.failures; ++i)
      delay = delay * node.retry.backoff_factor_permille / 1000;
    delay = std::min(delay, static_cast<double>(node.retry.backoff_max.ns));
    double swing = delay * node.retry.jitter_permille / 1000 + 1000;
    double wait = static_cast<double>((event.retry_at - group.now).ns);
    require(wait >= delay - swing && wait <= delay + swing, "I12",
            "a failed task waits " + std::to_string(wait / 1e6) + " ms instead of " +
                std::to_string(delay / 1e6) + " before it is tried again");
  }

  void ready_again(const AttemptFailed& event, TaskModel& task, const TaskKey& key) {
    const Instant before = task.since;
    ready(task);
    if (event.ready_since == Instant{}) return;
    require(before <= event.ready_since && event.ready_since <= group.now, "I12",
            text(key) + " comes back to its queue older than it is, or in the future");
    task.since = event.ready_since;
  }

  void operator()(const AttemptFailed& event) {
    each(event.range, [&](TaskModel& task, const TaskKey& key) {
      check_failure(event, task, key);
      if (event.disposition == Disposition::again) return ready_again(event, task, key);
      bool retry = event.disposition == Disposition::retry;
      task.state = retry ? TaskState::backing_off : TaskState::parked;
      task.retry_at = event.retry_at;
      if (retry && event.kind != FailureKind::declined) check_backoff(event, task);
    });
  }

  void operator()(const RetryReleased& event) {
    each(event.range, [&](TaskModel& task, const TaskKey& key) {
      require(task.state == TaskState::backing_off, "I12",
              text(key) + ": a retry timer fired twice, or after its cancellation");
      require(group.now >= task.retry_at, "I12", text(key) + ": a retry timer fired early");
      ready(task);
    });
  }

  void operator()(const DeadLettersRedriven& event) {
    require(model.ledger_.redrives.contains(event.range.execution), "I2", "a redrive unasked for");
    each(event.range, [&](TaskModel& task, const TaskKey& key) {
      require(task.state == TaskState::parked, "I3", text(key) + " was no dead letter");
      task.failures = 0;
      ready(task);
    });
    if (!broken) model.executions_.at(event.range.execution).status = ExecutionStatus::running;
    model.coverage_.reached(Sometimes::dead_letter_redriven);
  }

  void operator()(const DeadLettersDiscarded& event) {
    require(model.ledger_.discards.contains(event.range.execution), "I2", "a discard unasked for");
    each(event.range, [&](TaskModel& task, const TaskKey& key) {
      require(task.state == TaskState::parked, "I3", text(key) + " was no dead letter");
      task.state = TaskState::failed;
    });
    model.coverage_.reached(Sometimes::dead_letter_discarded);
  }

  void decide_parked(ExecutionId id, NodeIndex index, const std::set<ExecutionId>& asked,
                     NodeState next) {
    require(asked.contains(id), "I2", "a parked node moves unasked");
    NodeModel* found = node(id, index);
    if (found == nullptr) return;
    require(found->state == NodeState::parked, "I3", "a node moves that was not parked");
    found->state = next;
    model.executions_.at(id).status = ExecutionStatus::running;
  }
  void operator()(const NodeRedriven& event) {
    decide_parked(event.execution, event.node, model.ledger_.redrives, NodeState::waiting);
  }
  void operator()(const NodeDiscarded& event) {
    decide_parked(event.execution, event.node, model.ledger_.discards, NodeState::failed);
  }

  void operator()(const TaskCancelled& event) {
    require(model.ledger_.task_cancels.contains(event.task), "I2", "a task is cancelled unasked");
    const TaskKey& key = event.task;
    each({key.execution, key.node, key.item, key.item + 1}, [&](TaskModel& task, const TaskKey&) {
      require(!task.ended(), "I3", text(key) + " had ended when it was cancelled");
      if (task.state == TaskState::granted) release(task);
      task.state = TaskState::cancelled;
    });
    model.coverage_.reached(Sometimes::task_cancelled);
  }

  void operator()(const ExecutionCancelled& event) {
    require(model.ledger_.cancels.contains(event.execution), "I2",
            to_text(event.execution) + " is cancelled unasked");
    ExecutionModel* execution = open(event.execution);
    if (execution == nullptr) return;
    for (NodeModel& found : execution->nodes) {
      if (found.ended()) continue;
      for (TaskModel& task : found.tasks) {
        if (task.state == TaskState::granted) release(task);
        if (!task.ended()) task.state = TaskState::cancelled;
      }
      found.state = NodeState::cancelled;
    }
    execution->status = ExecutionStatus::cancelled;
    model.coverage_.reached(Sometimes::execution_cancelled);
  }

  // It may come after the end that the execution once had: the poisoned event was applied then.
  void operator()(const ExecutionQuarantined& event) {
    auto found = model.executions_.find(event.execution);
    require(found != model.executions_.end(), "I2", "a quarantine of nothing");
    require(event.position < group.position, "I2", "a quarantine for what is still to come");
    require(model.ledger_.poisoned.contains({event.position, event.index + 1}), "I2",
            to_text(event.execution) + " is quarantined, but no process died of its event");
    if (broken) return;
    ExecutionModel& execution = found->second;
    for (NodeModel& node : execution.nodes) {
      for (TaskModel& task : node.tasks) {
        if (task.state == TaskState::granted) release(task);
        if (!task.ended()) task.state = TaskState::cancelled;
      }
      if (!node.ended()) node.state = NodeState::cancelled;
    }
    execution.status = ExecutionStatus::quarantined;
    model.coverage_.reached(Sometimes::execution_quarantined);
  }

  void operator()(const ExecutionParked& event) {
    ExecutionModel* execution = open(event.execution);
    if (execution == nullptr) return;
    bool why = false;
    for (const NodeModel& found : execution->nodes) {
      why |= found.state == NodeState::parked;
      for (const TaskModel& task : found.tasks) {
        why |= task.state == TaskState::parked;
        require(task.ended() || task.state == TaskState::parked, "I13",
                to_text(event.execution) + " is parked while a task of it can move");
      }
    }
    require(why, "I13", to_text(event.execution) + " is parked without a dead letter");
    execution->status = ExecutionStatus::parked;
    model.coverage_.reached(Sometimes::execution_parked);
  }

  void operator()(const ExecutionEnded& event) {
    ExecutionModel* execution = open(event.execution);
    if (execution == nullptr) return;
    ExecutionStatus expected = ExecutionStatus::succeeded;
    for (const NodeModel& found : execution->nodes) {
      require(found.ended(), "I3", to_text(event.execution) + " ends before its nodes");
      if (found.state == NodeState::failed) expected = ExecutionStatus::failed;
      if (found.state == NodeState::cancelled && expected == ExecutionStatus::succeeded)
        expected = ExecutionStatus::cancelled;
    }
    bool output_failed = execution->evaluating_output && model.ledger_.blobs_spoiled &&
                         event.status == ExecutionStatus::failed;
    model.coverage_.reached_if(output_failed && expected == ExecutionStatus::succeeded,
                               Sometimes::blob_fault_failed_execution);
    require(event.status == expected || output_failed, "I3",
            to_text(event.execution) + " ends as " + name(event.status) + " instead of " +
                name(expected));
    if (!broken && event.status == ExecutionStatus::succeeded) {
      auto result = result_of(*execution);
      require(result && same_value(event.output, *result), "I2",
              to_text(event.execution) + " ends with another output than its nodes give");
    }
    execution->status = event.status;
    execution->output = event.output;
    refers(event.execution, event.output);
    model.coverage_.reached_if(event.output.is_blob(), Sometimes::result_in_blob_store);
  }

  void operator()(const ExecutionForgotten& event) {
    std::string id = to_text(event.execution);
    require(model.ledger_.forgets.contains(event.execution), "I2", id + " is forgotten unasked");
    auto known = model.executions_.find(event.execution);
    require(known != model.executions_.end(), "I2", id + " is forgotten and never was");
    if (broken) return;
    ExecutionModel& execution = known->second;
    require(execution.ended(), "I3", id + " is forgotten before it has ended");
    require(!execution.forgotten(), "I3", id + " is forgotten twice");
    const std::string& request = execution.request_id;
    require(event.name_space == execution.name_space, "I23", id + " is forgotten by another");
    Hash128 hash = request.empty() ? Hash128{} : hash_in(execution.name_space, request);
    require(event.request == hash && event.payload_hash == execution.payload_hash, "I7",
            id + " is forgotten with another request");
    execution.forgotten_at = group.position;
    execution.payloads.clear();
    ++model.forgotten_;
    model.coverage_.reached(Sometimes::execution_forgotten);
  }
  void operator()(const QueueConfigured& event) {
    require(model.ledger_.queues.contains(event.queue.name), "I2", "a queue is configured unasked");
    model.placement_.configured(event.queue, group.now);
    model.coverage_.reached(Sometimes::queue_configured);
  }
  void operator()(const OutboxEnqueued&) { require(false, "I2", "a message nobody sent"); }
  void operator()(const InboxAccepted&) { require(false, "I2", "a message nobody sent"); }
};

Hash128 digest_of(const Event& event, Instant now, WallTime wall) {
  Group alone;
  alone.now = now;
  alone.wall = wall;
  alone.events.push_back(event);
  return hash128(encode(alone));
}

std::optional<Violation> LogModel::apply(const Group& group) {
  Apply apply{*this, group, std::nullopt};
  apply.require(group.epoch >= epoch_, "I6", "an epoch that is over");
  apply.require(group.now >= now_, "I12", "the duration clock runs backwards");
  now_ = group.now;
  for (uint32_t index = 0; index < group.events.size(); ++index) {
    const Event& event = group.events[index];
    std::visit(apply, event);
    if (apply.broken) {
      apply.broken->what += std::string(" (") + kind_name(event) + ")";
      return apply.broken;
    }
    auto execution = executions_.find(execution_of(event));
    if (execution != executions_.end())
      execution->second.events.push_back(
          {{group.position, index}, digest_of(event, group.now, group.wall)});
  }
  apply.require(group.epoch == epoch_, "I6", "a group of an epoch that was never started");
  return apply.broken;
}

const ExecutionModel* LogModel::find(ExecutionId id) const {
  auto it = executions_.find(id);
  return it == executions_.end() ? nullptr : &it->second;
}

const ExecutionModel* LogModel::find_request(const RequestKey& key) const {
  auto it = requests_.find(key);
  return it == requests_.end() ? nullptr : find(it->second);
}

const Bytes* LogModel::definition(WorkflowId id) const {
  auto it = workflows_.find(id);
  return it == workflows_.end() ? nullptr : &it->second.first;
}

const TaskModel* LogModel::task(const TaskKey& key) const {
  const ExecutionModel* execution = find(key.execution);
  if (execution == nullptr || key.node >= execution->nodes.size()) return nullptr;
  const NodeModel& node = execution->nodes[key.node];
  return key.item < node.tasks.size() ? &node.tasks[key.item] : nullptr;
}

bool LogModel::current(const AttemptReport& report) const {
  const TaskModel* found = task(report.range.at(report.range.begin));
  return found != nullptr && found->state == TaskState::granted &&
         found->attempts == report.attempt && found->nonce == report.nonce;
}

uint64_t LogModel::count_of(const std::string& name_space) const {
  uint64_t count = 0;
  for (const auto& [id, execution] : executions_) count += execution.name_space == name_space;
  return count;
}

uint64_t LogModel::ended() const {
  uint64_t count = 0;
  for (const auto& [id, execution] : executions_) count += execution.ended();
  return count;
}

std::optional<uint8_t> LogModel::priority_of(WorkflowId id) const {
  auto it = workflows_.find(id);
  if (it == workflows_.end()) return std::nullopt;
  uint8_t highest = 0;
  for (const Node& node : it->second.second->nodes) highest = std::max(highest, node.priority);
  return highest;
}

const SessionModel* LogModel::session(SessionId id) const {
  auto it = sessions_.find(id);
  return it == sessions_.end() ? nullptr : &it->second;
}

uint64_t LogModel::count(ExecutionStatus status) const {
  uint64_t count = 0;
  for (const auto& [id, execution] : executions_) count += execution.status == status;
  return count;
}

std::string LogModel::stuck() const {
  for (const auto& [id, execution] : executions_) {
    if (execution.ended()) continue;
    std::string where = to_text(id) + " is " + name(execution.status);
    for (NodeIndex i = 0; i < execution.nodes.size(); ++i) {
      const NodeModel& node = execution.nodes[i];
      if (node.ended()) continue;
      where += "; node " + std::to_string(i) + " in state " +
               std::to_string(static_cast<int>(node.state));
      for (const TaskModel& task : node.tasks)
        if (!task.ended()) where += " " + std::to_string(static_cast<int>(task.state));
    }
    return where;
  }
  return {};
}

}  // namespace pawl::sim
