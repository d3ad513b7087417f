// The groups that wait for their place in the hash chain, and the chain's newest value.
//
//   ChainBacklog backlog(start, {.bytes_max = 16 << 20, .lag_max = Duration::milliseconds(500)});
//   backlog.add({position, epoch, payload, now});
//   while (backlog.advance() > 0) {}                 // on a thread beside
//
// That thread may be given too little time, or none: then add() hashes what is beyond the limits.
// Several threads may hash at once: they hash the same group, and the first value counts, so nobody
// waits for another's hash. add() within the limits and glimpse() do not even wait for the lock.
//
// Threading: advance() from any thread, everything else from one.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "pawl/adapter/wal/wal_format.h"
#include "pawl/base/time.h"

namespace pawl::wal {

struct ChainLink {
  uint64_t position = 0;
  uint64_t epoch = 0;
  Bytes payload;
  Instant at;  // when it was added; never runs backwards
};

struct ChainLimits {
  uint64_t bytes_max = 16ULL << 20;
  Duration lag_max = Duration::milliseconds(500);
};

ChainPoint next_point(const ChainPoint& previous, uint64_t position, uint64_t epoch,
                      ByteView payload);

class ChainBacklog final {
 public:
  ChainBacklog(ChainPoint start, ChainLimits limits)
      : limits_(limits), seen_(start), point_(start) {}

  void add(ChainLink link);
  ChainPoint glimpse();  // the newest value, or while others are at work one before it
  ChainPoint newest();
  void hand_over();    // makes everything that was added visible to advance()
  uint64_t advance();  // hashes the oldest group: its bytes, header included; 0: there is none

 private:
  using LinkRef = std::shared_ptr<const ChainLink>;

  bool late();    // beyond a limit, as far as can be seen without waiting
  void unpark();  // with the lock

  const ChainLimits limits_;
  std::vector<LinkRef> parked_;  // the adder's own: added while the lock was taken
  Instant added_;                // of the newest link; the adder's
  ChainPoint seen_;              // the adder's

  std::mutex mutex_;
  std::deque<LinkRef> links_;
  uint64_t bytes_ = 0;
  ChainPoint point_;
};

}  // namespace pawl::wal
