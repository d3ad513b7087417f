// Deciding: which nodes may run now, which are skipped, which executions have come to their end.

#include "pawl/base/json.h"
#include "pawl/model/item_list.h"
#include "pawl/partition/native.h"
#include "pawl/partition/query.h"
#include "pawl/partition/step.h"

namespace pawl {
namespace {

// A node runs when its needs have ended, none of them badly, and at least one was not skipped: a
// branch not taken is passed over, and a join runs if any branch was taken.
std::optional<SkipReason> reason_to_skip(const Execution& execution, const Node& node) {
  bool any_succeeded = node.needs.empty();
  for (NodeIndex need : node.needs) {
    switch (execution.nodes[need].status) {
      case NodeStatus::succeeded:
        any_succeeded = true;
        break;
      case NodeStatus::skipped:
        if (execution.nodes[need].skip_reason == SkipReason::needs_failed)
          return SkipReason::needs_failed;
        break;
      default:
        return SkipReason::needs_failed;
    }
  }
  if (!any_succeeded) return SkipReason::needs_skipped;
  return std::nullopt;
}

void start_evaluation(Step& step, const Execution& execution, NodeIndex node,
                      EvaluationPurpose purpose, const Expression& expression) {
  const std::vector<NodeIndex> reads = purpose == EvaluationPurpose::output
                                           ? execution.plan->output_reads
                                           : reads_of(*execution.plan, node);
  step.ask(Evaluate{purpose, expression, make_context(step.state(), execution, node, reads)});
  step.emit(EvaluationStarted{execution.id, node, purpose});
}

void decide(Step& step, const NodeKey& key) {
  const Execution* execution = step.state().executions.find(key.execution);
  if (execution == nullptr || execution->nodes[key.node].status != NodeStatus::waiting) return;
  const Node& node = execution->definition(key.node);
  if (auto reason = reason_to_skip(*execution, node)) {
    step.emit(NodeSkipped{key.execution, key.node, *reason});
    return;
  }
  if (!node.when) return activate(step, *execution, key.node);
  if (auto value = native_value(*execution, node.when)) {
    if (json_true(*value)) return activate(step, *execution, key.node);
    step.emit(NodeSkipped{key.execution, key.node, SkipReason::condition_false});
    return;
  }
  start_evaluation(step, *execution, key.node, EvaluationPurpose::condition, node.when);
}

// The execution's own verdict once every node has ended.
ExecutionEnded verdict(const Execution& execution) {
  ExecutionEnded end{execution.id, ExecutionStatus::succeeded, {}, {}};
  for (NodeIndex i = 0; i < execution.nodes.size(); ++i) {
    if (execution.nodes[i].status == NodeStatus::failed) {
      end.status = ExecutionStatus::failed;
      end.error = "node " + execution.definition(i).id + " failed";
      return end;
    }
    if (execution.nodes[i].status == NodeStatus::cancelled) {
      end.status = ExecutionStatus::cancelled;
      end.error = "node " + execution.definition(i).id + " was cancelled";
    }
  }
  return end;
}

// Without an `output:` the result is the output of the last nodes, by id. Built here while it is
// small; otherwise the shell builds it.
std::optional<std::string> default_output(const Execution& execution) {
  JsonWriter out;
  out.begin_object();
  for (NodeIndex i : execution.plan->output_reads) {
    const NodeWork* work = execution.nodes[i].work.get();
    out.key(execution.definition(i).id);
    if (work == nullptr) {
      out.null();
    } else if (work->mapped) {
      const ItemOutputs& outputs = *work->mapped->outputs;
      if (outputs.count() > 1000) return std::nullopt;
      out.begin_array();
      for (uint32_t item = 0; item < outputs.count(); ++item) {
        Payload value = outputs.get(item);
        if (value.is_blob()) return std::nullopt;
        out.raw(value.text());
      }
      out.end_array();
    } else {
      if (work->output.is_blob()) return std::nullopt;
      out.raw(work->output.text());
    }
    if (out.text().size() > payload_inline_max) return std::nullopt;
  }
  return out.end_object().take();
}

// Around the value of an item, where it travels.
constexpr uint64_t item_frame_bytes = 16;

uint64_t inline_bytes(const Payload& payload) {
  return payload.is_blob() ? item_frame_bytes : payload.size();
}

uint64_t inline_bytes(const ItemOutputs& outputs) {
  uint64_t bytes = 0;
  for (ItemIndex item = 0; item < outputs.count(); ++item) {
    Payload value = outputs.get(item);
    if (!value.is_absent()) bytes += item_frame_bytes + inline_bytes(value);
  }
  return bytes;
}

// What travels with each grant of the node; at least, or at most if it is no more than `enough`: items are walked
// over only when they may be too much.
uint64_t read_bytes(const Execution& execution, NodeIndex node, uint64_t enough) {
  uint64_t bytes = inline_bytes(execution.input) + execution.labels.size(), at_most = bytes;
  const std::vector<NodeIndex> reads = reads_of(*execution.plan, node);
  for (NodeIndex read : reads) {
    const NodeWork* work = execution.nodes[read].work.get();
    if (work == nullptr) continue;
    const ItemOutputs* mapped = work->mapped ? work->mapped->outputs.get() : nullptr;
    at_most += inline_bytes(work->output);
    if (mapped) at_most += mapped->bytes() + mapped->count() * item_frame_bytes;
  }
  if (at_most <= enough) return at_most;
  for (NodeIndex read : reads) {
    const NodeWork* work = execution.nodes[read].work.get();
    if (work == nullptr) continue;
    bytes += inline_bytes(work->output);
    if (work->mapped) bytes += inline_bytes(*work->mapped->outputs);
  }
  return bytes;
}

void settle_execution(Step& step, ExecutionId id) {
  const Execution* execution = step.state().executions.find(id);
  if (execution == nullptr || execution->ended_already() || execution->moving > 0 ||
      execution->evaluating_output)
    return;
  if (execution->nodes_left == 0) return finish_execution(step, *execution);
  if (execution->status == ExecutionStatus::running) {
    step.emit(ExecutionParked{id});
    step.ask(Settled{id, ExecutionStatus::parked});
  }
}

}  // namespace

RunContextRef make_context(const State& state, const Execution& execution, NodeIndex node,
                           const std::vector<NodeIndex>& reads) {
  auto context = std::make_shared<RunContext>();
  context->execution = execution.id;
  context->workflow = execution.plan->workflow;
  context->node = node;
  context->input = execution.input;
  context->labels = execution.labels;
  context->cluster = state.cluster;
  context->trace = trace_of(state, execution);
  const NodeRun& run = execution.nodes[node];
  context->items_count = run.items_count;
  if (run.work && run.work->mapped) context->items = run.work->mapped->items;
  for (NodeIndex read : reads) {
    const NodeWork* work = execution.nodes[read].work.get();
    if (work == nullptr) continue;
    context->outputs.push_back(
        {read, work->output, work->mapped ? work->mapped->outputs : nullptr});
  }
  return context;
}

void activate(Step& step, const Execution& execution, NodeIndex index) {
  const Node& node = execution.definition(index);
  const uint64_t most = step.state().limits.node_reads_bytes_max;
  if (uint64_t reads = read_bytes(execution, index, most); reads > most) {
    step.emit(NodeParked{execution.id, index,
                         "what it reads of the input and of other nodes has " +
                             std::to_string(reads) + " bytes; the limit node_reads_bytes_max is " +
                             std::to_string(most) +
                             ": let it read less, or a node before it gather"});
    return;
  }
  if (!node.mapped()) {
    step.emit(NodeActivated{execution.id, index, 1, {}});
    return;
  }
  if (auto value = native_value(execution, node.for_each)) {
    Result<ItemList> items = item_list(*value, step.state().limits.mapped_items_max);
    if (!items.ok()) {
      step.emit(NodeParked{execution.id, index, items.error().message});
      return;
    }
    // A longer list belongs into the blob store, which is the shell's.
    if (items->encoded.size() <= payload_inline_max) {
      Payload list;
      if (!items->encoded.empty()) list = Payload::inline_json(std::move(items->encoded));
      step.emit(NodeActivated{execution.id, index, items->count, std::move(list)});
      return;
    }
  }
  start_evaluation(step, execution, index, EvaluationPurpose::items, node.for_each);
}

void finish_execution(Step& step, const Execution& execution) {
  ExecutionEnded end = verdict(execution);
  if (end.status == ExecutionStatus::succeeded) {
    const Expression& output = execution.plan->workflow->output;
    std::optional<std::string> value =
        output ? native_value(execution, output) : default_output(execution);
    if (!value || value->size() > payload_inline_max)
      return start_evaluation(step, execution, 0, EvaluationPurpose::output, output);
    end.output = Payload::inline_json(std::move(*value));
  }
  step.ask(Settled{end.execution, end.status});
  step.emit(std::move(end));
}

void settle(Step& step) {
  State& state = step.state_;
  while (!state.undecided.empty() || !state.unsettled.empty()) {
    // In order of arrival: what became ready first runs first. Deciding appends.
    for (size_t i = 0; i < state.undecided.size(); ++i) {
      NodeKey key = state.undecided[i];
      decide(step, key);
    }
    state.undecided.clear();
    for (size_t i = 0; i < state.unsettled.size(); ++i) {
      ExecutionId id = state.unsettled[i];
      settle_execution(step, id);
    }
    state.unsettled.clear();
  }
}

}  // namespace pawl
