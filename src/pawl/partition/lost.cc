#include "pawl/partition/lost.h"

#include "pawl/partition/step.h"

namespace pawl {

AttemptFailed lost_attempt(const NodeKey& key, const OpenRange& open, ItemSpan span,
                           const std::string& reason) {
  bool last = open.attempt >= attempts_max;
  return {{key.execution, key.node, span.begin, span.end},
          open.attempt,
          FailureKind::lost,
          0,
          last ? reason + attempts_max_reached : reason,
          last ? Disposition::park : Disposition::again,
          {}};
}

}  // namespace pawl
