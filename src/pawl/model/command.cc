#include "pawl/model/command.h"

namespace pawl {

const char* name(EvaluationPurpose purpose) {
  switch (purpose) {
    case EvaluationPurpose::condition:
      return "condition";
    case EvaluationPurpose::items:
      return "items";
    case EvaluationPurpose::output:
      return "output";
  }
  return "unknown";
}

// By content: the place where a large input was put differs from one try to the next.
Hash128 submit_hash(const SubmitExecution& submit, const Hash128& definition) {
  const Payload& input = submit.input;
  Hash128 content = input.is_blob() ? input.ref().hash : hash128(input.text());
  ByteWriter out;
  for (uint64_t word : {definition.low, definition.high, input.size(), content.low, content.high})
    out.u64(word);
  out.text(submit.labels);
  return hash128(out.view());
}

}  // namespace pawl
