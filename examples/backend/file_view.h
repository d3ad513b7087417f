// A Pawl view in plain files, as an example of a back end written outside Pawl's tree.
//
//   <directory>/image-<position>    the whole view at one position: entries, then a CRC32C
//
// Entries live in a std::map; a seal writes them all to a new file, syncs it, reads it back, and
// keeps the two newest. Right for thousands of entries; RocksDB is right for more. submit() does
// the work itself, so that poll() always has the answer at once.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "pawl/port/view.h"

namespace backend_example {

class FileView final : public pawl::View {
 public:
  static pawl::Result<std::unique_ptr<FileView>> open(const std::string& directory);

  uint64_t position() const override { return position_; }
  uint64_t trim_position() const override { return images_.size() == 2 ? images_.front() : 0; }
  void submit(pawl::ViewBatch batch) override;
  void submit_again() override;
  std::optional<pawl::Status> poll() override;
  pawl::Result<std::optional<pawl::Bytes>> get(pawl::ByteView key) override;
  std::unique_ptr<pawl::ViewCursor> scan(pawl::ByteView from, pawl::ByteView to) override;

 private:
  using Entries = std::map<pawl::Bytes, pawl::Bytes, std::less<>>;
  explicit FileView(std::string directory) : directory_(std::move(directory)) {}
  std::string path(uint64_t position) const;
  pawl::Status load(uint64_t position, Entries& entries) const;
  pawl::Status seal();

  std::string directory_;
  Entries entries_;
  uint64_t position_ = 0;
  std::vector<uint64_t> images_;  // positions of the images that count, ascending, at most two
  std::optional<pawl::Status> answer_;
};

}  // namespace backend_example
