#include "pawl/model/message.h"

#include "pawl/base/bytes.h"

namespace pawl {

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
