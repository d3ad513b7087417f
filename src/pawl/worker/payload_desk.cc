#include "pawl/worker/payload_desk.h"

#include <algorithm>
#include <atomic>
#include <list>
#include <map>
#include <mutex>
#include <set>
#include <tuple>
#include <utility>

namespace pawl {
namespace {

// A payload, or a block of one.
struct Piece {
  BlobRef ref;
  uint64_t offset = 0;
  uint64_t size = 0;

  bool whole() const { return size == ref.size; }
  friend bool operator<(const Piece& a, const Piece& b) {
    return std::tie(a.ref, a.offset, a.size) < std::tie(b.ref, b.offset, b.size);
  }
};

// What was read last. What nobody has found yet is not dropped.
class Recent {
 public:
  explicit Recent(uint64_t bytes_max) : bytes_max_(bytes_max) {}

  struct One {
    Piece piece;
    Bytes bytes;
    bool found = false;  // before
  };

  bool holds(const Piece& piece) const { return known_.contains(piece); }

  One* find(const Piece& piece) {
    auto known = known_.find(piece);
    if (known == known_.end()) return nullptr;
    order_.splice(order_.begin(), order_, known->second);
    return &*known->second;
  }

  void keep(const Piece& piece, Bytes bytes) {
    if (known_.contains(piece)) return;
    bytes_ += bytes.size();
    order_.push_front({piece, std::move(bytes), false});
    known_[piece] = order_.begin();
    for (auto it = std::prev(order_.end()); bytes_ > bytes_max_ && it != order_.begin();) {
      auto one = it--;
      if (!one->found) continue;
      bytes_ -= one->bytes.size();
      known_.erase(one->piece);
      order_.erase(one);
    }
  }

 private:
  const uint64_t bytes_max_;
  uint64_t bytes_ = 0;
  std::list<One> order_;
  std::map<Piece, std::list<One>::iterator> known_;
};

}  // namespace

struct PayloadDesk::Impl {
  Impl(PayloadStore& behind, Loop& whose, PayloadDeskOptions given)
      : store(behind), loop(whose), options(given), recent(given.kept_bytes_max) {}

  // Under the lock, as what follows.
  const Bytes* at_hand(const Piece& piece) {
    Recent::One* known = recent.find(piece);
    if (known == nullptr) return nullptr;
    if (std::exchange(known->found, true)) ++from_memory;  // else it has just come
    return &known->bytes;
  }

  Result<Bytes> read(const Piece& piece) {
    if (const Bytes* known = at_hand(piece)) return *known;
    auto failed = failures.find(piece);
    if (failed != failures.end()) {
      Error error = std::move(failed->second);
      failures.erase(failed);
      return error;
    }
    if (asked.insert(piece).second) background->run([this, piece] { fetch(piece); });
    return on_its_way(piece.ref);
  }

  void fetch(const Piece& piece) {
    Result<Bytes> bytes =
        piece.whole() ? store.get(piece.ref) : store.part(piece.ref, piece.offset, piece.size);
    {
      std::lock_guard lock(mutex);
      asked.erase(piece);
      if (bytes.ok())
        recent.keep(piece, std::move(*bytes));
      else
        failures.insert_or_assign(piece, std::move(bytes.error()));
    }
    ++from_store;
    ++arrivals;
    loop.wake();
  }

  // Where there is no room, until there is.
  void write(const BlobRef& ref, std::shared_ptr<const Bytes> bytes) {
    Status done = store.put(ref, *bytes);
    if (!done.ok() && done.error().code == Code::resource_exhausted)
      return background->run([this, ref, bytes] { write(ref, bytes); }, options.room_pause);
    {
      std::lock_guard lock(mutex);
      if (done.ok())
        putting.erase(ref);
      else
        putting[ref] = std::move(done);
      unsettled = putting.size();
    }
    ++settlements;
    loop.wake();
  }

  PayloadStore& store;
  Loop& loop;
  const PayloadDeskOptions options;
  std::mutex mutex;
  std::set<Piece> asked;
  Recent recent;
  std::map<Piece, Error> failures;                   // until they are asked for again
  std::map<BlobRef, std::optional<Status>> putting;  // with how it failed, until that is told
  std::atomic<uint64_t> unsettled{0};
  std::atomic<uint64_t> arrivals{0}, settlements{0}, from_memory{0}, from_store{0};
  std::unique_ptr<Background> background;  // last: its calls use all of the above
};

PayloadDesk::PayloadDesk(PayloadStore& store, Loop& loop, std::unique_ptr<Background> background,
                         PayloadDeskOptions options)
    : impl_(std::make_unique<Impl>(store, loop, options)) {
  impl_->background = std::move(background);
}
PayloadDesk::~PayloadDesk() = default;

Status PayloadDesk::put(const BlobRef& ref, ByteView bytes) {
  Impl& desk = *impl_;
  std::lock_guard lock(desk.mutex);
  desk.putting[ref] = std::nullopt;
  desk.unsettled = desk.putting.size();
  desk.background->run(
      [&desk, ref, kept = std::make_shared<const Bytes>(bytes)] { desk.write(ref, kept); });
  return {};
}

Result<Bytes> PayloadDesk::get(const BlobRef& ref) {
  std::lock_guard lock(impl_->mutex);
  return impl_->read({ref, 0, ref.size});
}

Result<Bytes> PayloadDesk::part(const BlobRef& ref, uint64_t offset, uint64_t size) {
  std::lock_guard lock(impl_->mutex);
  if (const Bytes* whole = impl_->at_hand({ref, 0, ref.size}))
    return offset < whole->size() ? whole->substr(offset, size) : Bytes();
  const uint64_t block = impl_->options.block_bytes;
  const uint64_t end = std::min(ref.size, offset + size);
  const uint64_t first = offset / block * block;
  auto block_at = [&](uint64_t at) { return Piece{ref, at, std::min(block, ref.size - at)}; };
  // All that is missing is sent for, and nothing counts as found before all is there: it could go again.
  std::optional<Error> missing;
  for (uint64_t at = first; at < end; at += block)
    if (!impl_->recent.holds(block_at(at))) missing = impl_->read(block_at(at)).error();
  if (missing) return std::move(*missing);
  Bytes bytes;
  for (uint64_t at = first; at < end; at += block) bytes += *impl_->at_hand(block_at(at));
  return offset < end ? bytes.substr(offset - first, end - offset) : Bytes();
}

std::optional<uint64_t> PayloadDesk::arrivals() const {
  return impl_->arrivals;
}

bool PayloadDesk::all_settled() const {
  return impl_->unsettled == 0;
}

std::optional<Status> PayloadDesk::outcome(const BlobRef& ref) {
  std::lock_guard lock(impl_->mutex);
  auto known = impl_->putting.find(ref);
  if (known == impl_->putting.end()) return Status();
  if (!known->second) return std::nullopt;
  Status failed = std::move(*known->second);
  impl_->putting.erase(known);
  impl_->unsettled = impl_->putting.size();
  return failed;
}

uint64_t PayloadDesk::settlements() const {
  return impl_->settlements;
}

PayloadReads PayloadDesk::reads() const {
  return {impl_->from_memory, impl_->from_store};
}

}  // namespace pawl
