// The directories of a view: which generations there are, which verify, and how one comes to be.
//
// A generation is complete when it has its final name: before that it is synced, read back,
// verified. It holds the files of one RocksDB checkpoint and a file FORMAT (`pawl-view 1`).
// Tables are immutable and shared between live/ and the generations by hard link, so a seal costs
// what is new, and a table that this process has verified once is not read again. Threading: one
// thread at a time.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "pawl/adapter/rocksdb/store.h"
#include "pawl/base/result.h"

namespace pawl {

class Generations {
 public:
  explicit Generations(std::string directory) : directory_(std::move(directory)) {}

  // Makes the directory if it is missing, and learns what is there. FAILED_PRECONDITION when a
  // newer Pawl wrote it.
  Status open();
  // The same of a directory that may be read-only, or missing: nothing is written.
  Status look();

  // Positions of the generations found by open() or look() and made since, ascending.
  const std::vector<uint64_t>& positions() const { return positions_; }

  // Reads a generation in full. The error names the file.
  Status verify(uint64_t position, ReadFrom from);

  std::string live() const { return directory_ + "/live"; }
  std::string making() const { return directory_ + "/making"; }
  std::string path(uint64_t position) const;

  Status clear_live();
  Status clear_making();
  Status copy_to_live(uint64_t position);  // live/ as it was at `position`
  // Syncs and verifies what RocksDB left in making(), names it, keeps it and `keep`,
  // removes all others.
  Status publish(uint64_t position, const std::vector<uint64_t>& keep);

 private:
  // While nobody can work yet every processor may verify; later the one that seals does.
  Status check_files(const std::string& generation, ReadFrom from, unsigned threads);
  Status check_format(const std::string& generation) const;

  std::string directory_;
  std::vector<uint64_t> positions_;
  // On the medium, in this life: names under live/, whose numbers are not reused in one life.
  std::set<std::string> verified_tables_;
};

}  // namespace pawl
