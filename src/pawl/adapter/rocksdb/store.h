// One RocksDB directory, as far as a view needs it: batches in, points and ranges out, a checkpoint
// of itself into another directory. Data keys carry the prefix 'd'; the position is under a key of
// its own. Threading: apply() and checkpoint() on one thread; get() and scan() on any, at any time.
#pragma once

#include <memory>
#include <string>

#include "pawl/adapter/rocksdb/rocksdb_view.h"

namespace pawl {

class RocksdbStore {
 public:
  // Opens for writing; an absent directory becomes an empty store at position 0.
  static Result<std::unique_ptr<RocksdbStore>> open(const std::string& directory,
                                                    const RocksdbViewOptions& options);
  ~RocksdbStore();

  uint64_t position() const { return position_; }   // on the thread of apply()
  Status apply(const ViewBatch& batch);             // whole or not at all
  Status checkpoint(const std::string& directory);  // must not exist; files are hard links
  Result<std::optional<Bytes>> get(ByteView key) const;
  std::unique_ptr<ViewCursor> scan(ByteView from, ByteView to) const;

 private:
  struct Impl;
  explicit RocksdbStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
  uint64_t position_ = 0;
};

// What a file's bytes are taken from: the page cache, as every later read takes them, or the medium where the
// file system allows it (tmpfs does not).
enum class ReadFrom : uint8_t { cache, medium };

// Reads every block of one table file against its checksum.
Status verify_table(const std::string& path, ReadFrom from);

// Opens the store in `directory` without changing it and gives its position.
Result<uint64_t> verify_store(const std::string& directory);

}  // namespace pawl
