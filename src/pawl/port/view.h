// The view: a rebuildable, ordered key-value picture of the partition at one position. Never the
// truth: everything in it can be had again from a checkpoint and the log.
//
// Contract (testing/contract/view_contract.h):
//  * A batch is applied whole or not at all, together with its position; position() is that of the
//    newest applied batch. Positions ascend; only a batch without changes may repeat the position, to
//    seal it.
//  * Within a batch delete_ranges come first, then deletes, then puts.
//  * submit() returns at once; the answer comes through poll(). One batch in flight.
//  * A batch with `seal` makes everything up to its position a checkpoint that survives power loss and
//    has been read back and verified; the two newest are kept. After opening, position() is that of the
//    newest checkpoint that verifies, or 0: batches after it may be gone, and the log has them.
//  * trim_position() is the position of the older kept checkpoint (0 if there are not two yet): the
//    log is needed from there on.
//  * An error answer changes no checkpoint. The batch is applied if position() says so (then only its
//    seal failed); otherwise nothing of it is. The view keeps it, and submit_again() tries what has
//    not been done (a full disk may recover); another submit() drops it.
//  * get() and scan() see applied batches only. A cursor ends with the next submit().
// Threading: the engine's thread only.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pawl/base/bytes.h"
#include "pawl/base/result.h"

namespace pawl {

// Millions of rows come together over many turns: deques grow without moving them.
struct ViewBatch {
  uint64_t position = 0;
  std::deque<std::pair<Bytes, Bytes>> puts;
  std::deque<Bytes> deletes;
  std::vector<std::pair<Bytes, Bytes>> delete_ranges;  // [first, second)
  bool seal = false;                                   // make it a checkpoint

  bool has_changes() const { return !puts.empty() || !deletes.empty() || !delete_ranges.empty(); }
  bool may_follow(uint64_t newest) const {
    return position > newest || (position == newest && !has_changes());
  }
};

class ViewCursor {
 public:
  virtual ~ViewCursor() = default;
  virtual bool valid() const = 0;
  virtual ByteView key() const = 0;
  virtual ByteView value() const = 0;
  virtual void next() = 0;
  virtual Status status() const = 0;  // check once at the end
};

class View {
 public:
  virtual ~View() = default;
  virtual uint64_t position() const = 0;
  virtual uint64_t trim_position() const = 0;
  virtual void submit(ViewBatch batch) = 0;
  virtual void submit_again() = 0;  // the batch whose answer was an error
  virtual std::optional<Status> poll() = 0;
  virtual Result<std::optional<Bytes>> get(ByteView key) = 0;
  virtual std::unique_ptr<ViewCursor> scan(ByteView from, ByteView to) = 0;  // [from, to)
};

}  // namespace pawl
