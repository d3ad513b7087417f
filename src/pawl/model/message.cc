#include "pawl/model/message.h"

#include "pawl/base/bytes.h"

namespace pawl {
namespace {

uint64_t inline_bytes(const Payload& payload) {
  return payload.is_blob() ? 0 : payload.size();
}

}  // namespace

// What mapped nodes keep in the blob store counts as if it did: too much is no harm.
uint64_t carried_bytes(const RunContext& context) {
  uint64_t bytes =
      inline_bytes(context.input) + context.labels.size() + inline_bytes(context.items);
  for (const NodeOutput& output : context.outputs)
    bytes += inline_bytes(output.value) + (output.mapped ? output.mapped->bytes() : 0);
  return bytes;
}

uint64_t carried_bytes(const AttemptReport& report) {
  uint64_t bytes = report.error.size();
  for (const Payload& output : report.outputs) bytes += inline_bytes(output);
  return bytes;
}

std::string idempotency_key(Hash128 cluster, const TaskKey& task) {
  // A seed of its own: never equal to a uuid_of() of the same numbers.
  constexpr uint64_t seed = 0x6b65795f7461736bULL;
  ByteWriter out;
  for (uint64_t word :
       {cluster.low, cluster.high, task.execution.value, uint64_t{task.node}, uint64_t{task.item}})
    out.u64(word);
  return to_hex(hash128(out.view(), seed));
}

}  // namespace pawl
