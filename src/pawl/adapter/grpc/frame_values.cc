#include "pawl/adapter/grpc/frame_values.h"

#include <algorithm>

#include "pawl/v1/workers.pb.h"

namespace pawl {

void to_proto(const Hash128& in, v1::Hash128& out) {
  out.set_low(in.low);
  out.set_high(in.high);
}

Hash128 from_proto(const v1::Hash128& in) {
  return {in.low(), in.high()};
}

void to_proto(const BlobRef& in, v1::BlobRef& out) {
  out.set_owner(in.owner.value);
  out.set_sequence(in.sequence);
  out.set_size(in.size);
  to_proto(in.hash, *out.mutable_hash());
}

BlobRef from_proto(const v1::BlobRef& in) {
  return {ExecutionId{in.owner()}, in.sequence(), in.size(), from_proto(in.hash())};
}

void to_proto(const Payload& in, v1::Payload& out) {
  if (in.is_blob())
    to_proto(in.ref(), *out.mutable_blob());
  else if (!in.is_absent())
    out.set_json(in.text());
}

Payload from_proto(const v1::Payload& in) {
  if (in.has_blob()) return Payload::blob(from_proto(in.blob()));
  return Payload::inline_json(in.json());
}

void to_proto(const TaskRange& in, v1::TaskRange& out) {
  out.set_execution(in.execution.value);
  out.set_node(in.node);
  out.set_begin(in.begin);
  out.set_end(in.end);
}

TaskRange from_proto(const v1::TaskRange& in) {
  return {ExecutionId{in.execution()}, in.node(), in.begin(), in.end()};
}

void to_proto(const NodeOutput& in, v1::NodeOutput& out) {
  out.set_node(in.node);
  to_proto(in.value, *out.mutable_value());
  if (!in.mapped) return;
  out.set_mapped(true);
  out.set_mapped_count(in.mapped->count());
  for (ItemIndex item = 0; item < in.mapped->count(); ++item) {
    Payload value = in.mapped->get(item);
    if (value.is_absent()) continue;
    v1::ItemValue& one = *out.add_items();
    one.set_item(item);
    to_proto(value, *one.mutable_value());
  }
}

Result<NodeOutput> from_proto(const v1::NodeOutput& in) {
  NodeOutput out;
  out.node = in.node();
  out.value = from_proto(in.value());
  if (!in.mapped()) return out;
  if (in.mapped_count() > mapped_items_max)
    return Error{Code::invalid_argument, "frame: more items than mapped_items_max"};
  auto mapped = std::make_shared<ItemOutputs>(in.mapped_count());
  uint32_t next = 0;  // each item once
  for (const v1::ItemValue& one : in.items()) {
    if (one.item() < next || one.item() >= in.mapped_count())
      return Error{Code::invalid_argument, "frame: items of a mapped node out of order"};
    next = one.item() + 1;
    mapped->set(one.item(), from_proto(one.value()));
  }
  out.mapped = std::move(mapped);
  return out;
}

void to_proto(const WorkerSpec& in, v1::Hello& out) {
  out.set_name(in.name);
  out.set_slots(in.slots);
  out.set_credit(in.credit);
  for (NodeType type : {NodeType::process, NodeType::function, NodeType::transform})
    if (in.runs(type)) out.add_node_types(static_cast<v1::NodeType>(static_cast<int>(type) + 1));
  for (const std::string& function : in.functions) out.add_functions(function);
  out.set_lease_ns(in.lease.ns);
  for (const std::string& queue : in.queues) out.add_queues(queue);
  for (const Amount& amount : in.capacity) {
    v1::Amount& one = *out.add_capacity();
    one.set_name(amount.name);
    one.set_amount(amount.amount);
  }
  for (const Label& label : in.labels) {
    v1::Label& one = *out.add_labels();
    one.set_name(label.name);
    one.set_value(label.value);
  }
  out.set_zone(in.zone);
  out.set_weight(in.weight);
  out.set_price(in.price);
}

WorkerSpec from_proto(const v1::Hello& in) {
  WorkerSpec out;
  out.name = in.name();
  out.slots = in.slots();
  out.credit = in.credit();
  out.node_types = 0;
  for (int type : in.node_types())
    if (type > 0 && type <= 32) out.node_types |= 1u << (type - 1);
  out.functions.assign(in.functions().begin(), in.functions().end());
  out.lease = Duration{in.lease_ns()};
  out.queues.assign(in.queues().begin(), in.queues().end());
  for (const v1::Amount& one : in.capacity()) out.capacity.push_back({one.name(), one.amount()});
  for (const v1::Label& one : in.labels()) out.labels.push_back({one.name(), one.value()});
  out.zone = in.zone();
  out.weight = std::max(in.weight(), 1u);
  out.price = in.price();
  return out;
}

void to_proto(const WorkerUsage& in, v1::Heartbeat& out) {
  out.set_running(in.running);
  out.set_cpu_permille(in.cpu_permille);
  out.set_memory_bytes(in.memory_bytes);
  out.set_version(in.version);
  out.set_leaving(in.leaving);
}

WorkerUsage from_proto(const v1::Heartbeat& in) {
  return {in.running(), in.cpu_permille(), in.memory_bytes(), in.version(), in.leaving()};
}

void to_proto(const AttemptReport& in, v1::AttemptReport& out) {
  to_proto(in.range, *out.mutable_range());
  out.set_attempt(in.attempt);
  out.set_nonce(in.nonce);
  out.set_succeeded(in.succeeded);
  for (const Payload& output : in.outputs) to_proto(output, *out.add_outputs());
  if (in.times) {
    out.mutable_times()->set_queued_ns(in.times->queued.ns);
    out.mutable_times()->set_ran_ns(in.times->ran.ns);
  }
  if (in.succeeded) return;
  out.set_kind(static_cast<v1::FailureKind>(static_cast<int>(in.kind) + 1));
  out.set_exit_code(in.exit_code);
  out.set_error(in.error);
}

AttemptReport from_proto(const v1::AttemptReport& in) {
  AttemptReport out;
  out.range = from_proto(in.range());
  out.attempt = in.attempt();
  out.nonce = in.nonce();
  out.succeeded = in.succeeded();
  for (const v1::Payload& output : in.outputs()) out.outputs.push_back(from_proto(output));
  if (in.has_times()) out.times = {{in.times().queued_ns()}, {in.times().ran_ns()}};
  if (in.succeeded()) return out;
  // What a later version calls otherwise is, for us, the program's own failure.
  bool known = in.kind() > v1::FAILURE_KIND_UNSPECIFIED && in.kind() <= v1::FAILURE_KIND_DECLINED;
  out.kind = known ? static_cast<FailureKind>(in.kind() - 1) : FailureKind::exit_code;
  out.exit_code = in.exit_code();
  out.error = in.error();
  return out;
}

void to_proto(const AttemptProgress& in, v1::AttemptProgress& out) {
  out.set_execution(in.task.execution.value);
  out.set_node(in.task.node);
  out.set_item(in.task.item);
  out.set_attempt(in.attempt);
  out.set_permille(in.permille);
  out.set_message(in.message);
  if (in.usage == AttemptUsage{}) return;
  out.mutable_usage()->set_running_ns(in.usage.running.ns);
  out.mutable_usage()->set_cpu_ns(in.usage.cpu.ns);
  out.mutable_usage()->set_memory_bytes(in.usage.memory_bytes);
}

void to_proto(const RunningAttempts& in, v1::RunningAttempts& out) {
  out.set_execution(in.execution.value);
  out.set_node(in.node);
  out.set_count(in.count);
}

RunningAttempts from_proto(const v1::RunningAttempts& in) {
  return {ExecutionId{in.execution()}, in.node(), in.count()};
}

AttemptProgress from_proto(const v1::AttemptProgress& in) {
  AttemptProgress out;
  out.task = {ExecutionId{in.execution()}, in.node(), in.item()};
  out.attempt = in.attempt();
  out.permille = in.permille();
  out.message = in.message();
  const v1::AttemptUsage& usage = in.usage();
  out.usage = {{usage.running_ns()}, {usage.cpu_ns()}, usage.memory_bytes()};
  return out;
}

void to_proto(const Grant& in, v1::Grant& out) {
  out.set_session(in.session.value);
  to_proto(in.range, *out.mutable_range());
  out.set_attempt(in.attempt);
  out.set_nonce(in.nonce);
}

Grant from_proto(const v1::Grant& in) {
  Grant out;
  out.session = SessionId{in.session()};
  out.range = from_proto(in.range());
  out.attempt = in.attempt();
  out.nonce = in.nonce();
  return out;
}

void to_proto(const HeldAttempts& in, v1::HeldAttempts& out) {
  to_proto(in.range, *out.mutable_range());
  out.set_attempt(in.attempt);
  out.set_nonce(in.nonce);
}

HeldAttempts from_proto(const v1::HeldAttempts& in) {
  return {from_proto(in.range()), in.attempt(), in.nonce()};
}

void to_proto(const StopAttempts& in, v1::StopAttempts& out) {
  to_proto(in.range, *out.mutable_range());
  out.set_attempt(in.attempt);
  out.set_nonce(in.nonce);
}

StopAttempts from_proto(const v1::StopAttempts& in) {
  return {from_proto(in.range()), in.attempt(), in.nonce()};
}

}  // namespace pawl
