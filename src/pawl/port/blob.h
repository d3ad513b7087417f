// Payloads too large for an event, each under the execution that owns it.
//
//   PAWL_TRY(blob.put({ExecutionId{}, 4711, bytes.size(), hash128(bytes)}, bytes));   // staged
//   PAWL_TRY(blob.adopt(staged, of_e17));     // e17's now
//   ... the event that refers to it becomes durable ...
//   PAWL_TRY(blob.drop_owner(ExecutionId{17}));                                       // forgotten
//
// Contract (testing/contract/blob_contract.h): that of payload_store.h, and:
//
// adopt() moves a blob to another owner, whole or not at all, also across a power cut; NOT_FOUND if
// it is not there. So a blob that is being adopted by one and dropped by another is either adopted or
// gone, and whoever adopts knows which before it refers to it.
//
// drop() removes one blob, drop_owner() all blobs of an execution; neither minds what is not there. A
// power cut may bring back what was dropped. owners() names whoever has a blob, or had one and left an
// empty place behind, ascending: 8 bytes each, one pass over all of them.
// Any thread.
#pragma once

#include "pawl/base/result.h"
#include "pawl/model/payload.h"
#include "pawl/port/belongings.h"
#include "pawl/port/payload_store.h"

namespace pawl {

class Blob : public PayloadStore, public Belongings {
 public:
  virtual Status adopt(const BlobRef& from, const BlobRef& to) = 0;
  virtual Status drop(const BlobRef& ref) = 0;
};

}  // namespace pawl
