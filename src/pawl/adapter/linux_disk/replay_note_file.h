// port/replay_note.h in one small file, written through the page cache.
//
//   ReplayNoteFile note(state_directory + "/replay.note");
//
// The file appears with the first write. A CRC tells a whole note from what a power cut left of one;
// a byte before it is for the death of the process.
#pragma once

#include <optional>
#include <string>

#include "pawl/adapter/linux_disk/death_mark.h"
#include "pawl/port/replay_note.h"

namespace pawl {

class ReplayNoteFile final : public ReplayNote {
 public:
  explicit ReplayNoteFile(std::string path) : path_(std::move(path)) {}
  ~ReplayNoteFile() override;
  ReplayNoteFile(const ReplayNoteFile&) = delete;
  ReplayNoteFile& operator=(const ReplayNoteFile&) = delete;

  ReplayRemains read() override;
  Status write(ByteView bytes) override;
  void done() override { mark_.reset(); }

 private:
  std::string path_;
  int file_ = -1;
  std::optional<DeathMark> mark_;  // while a replay is under way
};

}  // namespace pawl
