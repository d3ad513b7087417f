#include "pawl/adapter/linux_disk/replay_note_file.h"

#include <fcntl.h>
#include <unistd.h>

#include "pawl/base/check.h"
#include "pawl/base/hash.h"

namespace pawl {
namespace {

constexpr size_t head_bytes = 9;  // the mark of a death, length and CRC32C of what follows

}  // namespace

ReplayNoteFile::~ReplayNoteFile() {
  mark_.reset();
  if (file_ >= 0) ::close(file_);
}

ReplayRemains ReplayNoteFile::read() {
  int file = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return {};
  Bytes stored(head_bytes + replay_note_bytes_max, '\0');
  ssize_t got = ::pread(file, stored.data(), stored.size(), 0);
  ::close(file);
  ByteReader in(ByteView(stored).substr(0, got < 0 ? 0 : static_cast<size_t>(got)));
  bool died = in.u8() != 0;
  uint32_t length = in.u32();
  uint32_t crc = in.u32();
  ByteView bytes = in.view(length);
  if (!in.ok() || crc32c(bytes) != crc) return {};
  return {Bytes(bytes), died};
}

Status ReplayNoteFile::write(ByteView bytes) {
  PAWL_CHECK(bytes.size() <= replay_note_bytes_max, "a note is short");
  if (file_ < 0) file_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  if (file_ < 0) return {};
  ByteWriter out;
  out.u8(0);
  out.u32(static_cast<uint32_t>(bytes.size()));
  out.u32(crc32c(bytes));
  out.raw(bytes.data(), bytes.size());
  // One call: the kernel finishes it whatever becomes of the process.
  if (::pwrite(file_, out.view().data(), out.size(), 0) < 0) {
    mark_.reset();  // of something older, it would be read as that one's
    return {};
  }
  if (!mark_) mark_.emplace(file_, 0);
  mark_->arm();
  return {};
}

}  // namespace pawl
