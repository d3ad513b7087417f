// port/replay_note.h in one small file, written through the page cache.
//
//   ReplayNoteFile note(state_directory + "/replay.note");
//
// The file appears with the first write. A CRC tells a whole note from what a power cut left of one.
#pragma once

#include <string>

#include "pawl/port/replay_note.h"

namespace pawl {

class ReplayNoteFile final : public ReplayNote {
 public:
  explicit ReplayNoteFile(std::string path) : path_(std::move(path)) {}
  ~ReplayNoteFile() override;
  ReplayNoteFile(const ReplayNoteFile&) = delete;
  ReplayNoteFile& operator=(const ReplayNoteFile&) = delete;

  Bytes read() override;
  Status write(ByteView bytes) override;

 private:
  std::string path_;
  int file_ = -1;
};

}  // namespace pawl
