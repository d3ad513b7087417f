// The large input of a submission on its way to the engine: in the blob store without an owner. The
// engine adopts it together with the submission; in any other case it goes with this object, which
// lives until the engine has answered.
//
//   PAWL_ASSIGN(StagedInputRef input, StagedInput::put(blob, ++last_, json));
//   submit.input = input->payload();
//
// Threading: that of the blob store.
#pragma once

#include <memory>

#include "pawl/port/blob.h"

namespace pawl {

class StagedInput {
 public:
  // `sequence`: of no other input staged since the engine recovered.
  static Result<std::unique_ptr<StagedInput>> put(Blob& blob, uint64_t sequence, ByteView json) {
    BlobRef ref{ExecutionId{}, sequence, json.size(), hash128(json)};
    PAWL_TRY(blob.put(ref, json));
    return std::unique_ptr<StagedInput>(new StagedInput(blob, ref));
  }
  ~StagedInput() { (void)blob_.drop(ref_); }  // what cannot be dropped goes at the next start
  StagedInput(const StagedInput&) = delete;
  StagedInput& operator=(const StagedInput&) = delete;

  Payload payload() const { return Payload::blob(ref_); }

 private:
  StagedInput(Blob& blob, const BlobRef& ref) : blob_(blob), ref_(ref) {}
  Blob& blob_;
  BlobRef ref_;
};
using StagedInputRef = std::unique_ptr<StagedInput>;  // null: the input is inline

}  // namespace pawl
