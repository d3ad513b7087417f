#include "pawl/wire/workflow_codec.h"

#include <algorithm>

#include "pawl/wire/values.h"

namespace pawl {
namespace {

template <class Io>
void fields(Io& io, typename Io::template Ref<ProcessSpec> process, uint8_t format) {
  auto named = [&](auto& entry) {
    io.text(entry.first);
    pawl::fields(io, entry.second);
  };
  io.flag(process.shell);
  io.list(process.argv, [&](auto& argument) { pawl::fields(io, argument); });
  io.list(process.environment, named);
  pawl::fields(io, process.directory);
  io.choice(process.output, OutputMode::lossy);
  io.list(process.output_files, named);
  io.number(process.limits.memory_bytes);
  io.number(process.limits.cpu_seconds);
  io.number(process.limits.open_files);
  io.number(process.limits.file_bytes);
  if (format >= 3) io.text(process.base);
}

template <class Io>
void fields(Io& io, typename Io::template Ref<Node> node, uint8_t format) {
  io.text(node.id);
  io.choice(node.type, NodeType::transform);
  io.list(node.needs, [&](auto& need) { io.number(need); });
  pawl::fields(io, node.when);
  pawl::fields(io, node.for_each);
  pawl::fields(io, node.retry);
  pawl::fields(io, node.timeout);
  io.number(node.priority);
  io.text(node.queue);
  fields(io, node.process, format);
  io.text(node.function);
  pawl::fields(io, node.with);
  pawl::fields(io, node.transform);
  if (format >= 2) pawl::fields(io, node.placement);
}

template <class Io>
void fields(Io& io, typename Io::template Ref<Workflow> workflow, uint8_t format) {
  io.text(workflow.name);
  io.text(workflow.version);
  io.text(workflow.input_defaults);
  io.list(workflow.nodes, [&](auto& node) { fields(io, node, format); });
  pawl::fields(io, workflow.output);
}

// The oldest that can say it: equal workflows keep equal bytes over all releases, and with them their ids.
uint8_t format_of(const Workflow& workflow) {
  uint8_t format = 1;
  for (const Node& node : workflow.nodes) {
    if (node.placement.any()) format = std::max<uint8_t>(format, 2);
    if (!node.process.base.empty()) format = 3;
  }
  return format;
}

}  // namespace

Bytes encode(const Workflow& workflow) {
  ByteWriter out;
  Encoder io(out);
  uint8_t format = format_of(workflow);
  out.u8(format);
  fields(io, workflow, format);
  return out.take();
}

Result<Workflow> decode_workflow(ByteView bytes) {
  ByteReader in(bytes);
  uint8_t format = in.u8();
  if (format > workflow_format)
    return Error{Code::failed_precondition,
                 "workflow of format " + std::to_string(format) +
                     " was written by a newer Pawl; this one reads up to format " +
                     std::to_string(workflow_format)};
  Workflow workflow;
  Decoder io(in);
  fields(io, workflow, format);
  if (!in.ok() || !in.at_end() || format == 0)
    return Error{Code::data_loss, "the bytes of a workflow are damaged; register it again"};
  PAWL_TRY(finish(workflow));
  return workflow;
}

}  // namespace pawl
