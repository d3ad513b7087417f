#include "pawl/partition/held_bytes.h"

namespace pawl {
namespace {

// Its places in tables and queues: of executions, of request ids, in the ready queue.
constexpr uint64_t places_bytes = 96;
// An entry of a tree, without what is in it.
constexpr uint64_t tree_entry_bytes = 48;

uint64_t inline_bytes(const Payload& payload) {
  return payload.is_blob() || payload.is_absent() ? 0 : payload.size();
}

// One is kept inside.
template <class T>
uint64_t outside_bytes(const SmallVector<T>& values) {
  return values.size() > 1 ? values.size() * sizeof(T) : 0;
}

uint64_t held_bytes(const MappedWork& mapped, uint64_t done) {
  return sizeof(MappedWork) + sizeof(ItemOutputs) + inline_bytes(mapped.items) +
         mapped.outputs->bytes() + done * sizeof(uint32_t);
}

}  // namespace

uint64_t held_bytes(const NodeRun& node) {
  if (!node.work) return sizeof(NodeRun);
  const NodeWork& work = *node.work;
  return sizeof(NodeRun) + sizeof(NodeWork) + outside_bytes(work.open) +
         outside_bytes(work.done.spans()) +
         work.stories.size() * (tree_entry_bytes + sizeof(Stories::Entry)) +
         work.stories.text_bytes() + inline_bytes(work.output) + work.error.size() +
         (work.mapped ? held_bytes(*work.mapped, work.done.count()) : 0);
}

uint64_t held_bytes(const Execution& execution) {
  uint64_t bytes = sizeof(Execution) - sizeof(NodeRun) + places_bytes +
                   inline_bytes(execution.input) + execution.labels.size();
  if (execution.trace) bytes += sizeof(Trace);
  for (const NodeRun& node : execution.nodes) bytes += held_bytes(node);
  return bytes;
}

}  // namespace pawl
