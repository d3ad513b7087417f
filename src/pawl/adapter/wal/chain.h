// The hash chain over all groups: it proves that a history's prefix never changed. The value
// after a group is
//
//   value(n) = first 128 bits of SHA-256(value(n-1), position, epoch, length, payload)
//
// so it does not depend on where the group lies, and survives a rewrite of the tail. Hashing
// takes about as long as writing, so it happens beside the hot path: add() only hands the group
// over, and every later record header carries the newest value that is there.
//
// The thread that hashes runs when a core has nothing else to do. Where none ever has, add() hashes
// itself what is beyond the limits.
//
//   std::unique_ptr<Chain> chain = make_chain(ChainMode::own_thread, start, {});
//   chain->add({position, epoch, payload, now});
//   chain->newest();                       // some value of the last half second
//
// Threading: one caller.
#pragma once

#include <memory>

#include "pawl/adapter/wal/chain_backlog.h"
#include "pawl/adapter/wal/wal_format.h"

namespace pawl::wal {

enum class ChainMode : uint8_t { in_line, own_thread };

class Chain {
 public:
  virtual ~Chain() = default;
  virtual void add(ChainLink link) = 0;
  virtual ChainPoint newest() = 0;                         // without waiting
  virtual ChainPoint newest_after(uint64_t bytes) = 0;     // hashes this much, if it waits, here
  ChainPoint drain() { return newest_after(UINT64_MAX); }  // after everything that was added
};

std::unique_ptr<Chain> make_chain(ChainMode mode, ChainPoint start, ChainLimits limits);

}  // namespace pawl::wal
