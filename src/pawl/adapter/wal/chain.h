// The hash chain over all groups: it proves that a history's prefix never changed. The value
// after a group is
//
//   value(n) = first 128 bits of SHA-256(value(n-1), position, epoch, length, payload)
//
// so it does not depend on where the group lies, and survives a rewrite of the tail. Hashing
// is slower than writing on machines without SHA instructions, so it happens beside the hot
// path: add() only hands the group over, and every later record header carries the newest
// value that is there.
//
// Bounds: at most `backlog_bytes_max` wait; an add() beyond waits for room. With the default of
// 16 MiB the slowest machine is 50 ms behind. Threading: one caller.
#pragma once

#include <memory>

#include "pawl/adapter/wal/wal_format.h"

namespace pawl::wal {

struct ChainLink {
  uint64_t position = 0;
  uint64_t epoch = 0;
  Bytes payload;
};

enum class ChainMode : uint8_t { in_line, own_thread };

ChainPoint next_point(const ChainPoint& previous, uint64_t position, uint64_t epoch,
                      ByteView payload);

class Chain {
 public:
  virtual ~Chain() = default;
  virtual void add(ChainLink link) = 0;
  virtual ChainPoint newest() = 0;  // without waiting
  virtual ChainPoint drain() = 0;   // after everything that was added
  virtual uint64_t backlog_bytes() = 0;
};

std::unique_ptr<Chain> make_chain(ChainMode mode, ChainPoint start, uint64_t backlog_bytes_max);

}  // namespace pawl::wal
