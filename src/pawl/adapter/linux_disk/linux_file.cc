#include "pawl/adapter/linux_disk/linux_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <memory>

#include "pawl/adapter/linux_disk/errno.h"

namespace pawl {

namespace {

constexpr uint64_t direct_alignment = 4096;
constexpr uint64_t zero_chunk_bytes = 1 << 20;
// How far zeros are kept ahead of the writes: one such write every 64 blocks, instead of a metadata
// change with each of them.
constexpr uint64_t zero_ahead_bytes = 256 << 10;
constexpr uint64_t zero_gap_bytes_max = 4 << 20;

struct FreeAligned {
  void operator()(char* memory) const { std::free(memory); }
};
using AlignedMemory = std::unique_ptr<char, FreeAligned>;

AlignedMemory aligned_memory(uint64_t size) {
  return AlignedMemory(static_cast<char*>(std::aligned_alloc(direct_alignment, size)));
}

bool is_aligned(uint64_t offset, ByteView bytes) {
  auto address = reinterpret_cast<uintptr_t>(bytes.data());
  return (offset | bytes.size() | address) % direct_alignment == 0;
}

// Reads until `size` bytes, the end of the file or an error; returns the count or -errno.
ssize_t pread_all(int fd, char* into, uint64_t size, uint64_t offset) {
  uint64_t done = 0;
  while (done < size) {
    ssize_t n = ::pread(fd, into + done, size - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return -errno;
    if (n == 0) break;
    done += static_cast<uint64_t>(n);
    if (done % direct_alignment != 0) break;  // the end of the file: direct reads stop there
  }
  return static_cast<ssize_t>(done);
}

}  // namespace

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

Descriptor::~Descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

LinuxFile::LinuxFile(LinuxFileParts parts, IoThread& writer, Loop* wake)
    : parts_(std::move(parts)), writer_(writer), wake_(wake) {}

LinuxFile::~LinuxFile() {
  {
    std::unique_lock lock(flight_mutex_);
    flight_landed_.wait(lock, [this] { return flight_ != Flight::running; });
  }
  stop_zeroing();  // behind the flight, which stops it too
}

Status LinuxFile::write(uint64_t offset, ByteView bytes) {
  PAWL_CHECK(flight_ == Flight::none, "write() while a started write is in flight");
  return write_all(offset, bytes);
}

void LinuxFile::start_write(uint64_t offset, ByteView bytes) {
  PAWL_CHECK(flight_ == Flight::none, "a second start_write() on one file");
  flight_offset_ = offset;
  flight_bytes_ = bytes;
  flight_.store(Flight::running);
  writer_.post(write_job_);
}

void LinuxFile::WriteJob::run() {
  Loop* wake = file_.wake_;
  file_.flight_status_ = file_.write_all(file_.flight_offset_, file_.flight_bytes_);
  {
    std::lock_guard lock(file_.flight_mutex_);
    file_.flight_.store(Flight::landed);
    file_.flight_landed_.notify_all();
  }
  // From here on the file may be gone: its owner can have polled and closed it.
  if (wake != nullptr) wake->wake();
}

std::optional<Status> LinuxFile::poll_write() {
  if (flight_.load() != Flight::landed) return std::nullopt;
  flight_.store(Flight::none);
  return std::move(flight_status_);
}

Status LinuxFile::write_all(uint64_t offset, ByteView bytes) {
  if (!parts_.writable)
    return Error{Code::permission_denied, "cannot write " + parts_.path + ": opened read-only"};
  if (poisoned_) return Error{Code::failed_precondition, poison_};
  stop_zeroing();
  zero_ahead(offset + bytes.size());
  bool direct = parts_.direct.valid() && is_aligned(offset, bytes);
  Status status = pwrite_all(direct ? parts_.direct.get() : parts_.buffered.get(), offset, bytes);
  if (!status.ok()) {
    poisoned_ = true;
    poison_ = parts_.path + " is poisoned by an earlier error (" + status.error().message +
              "); open it again and recover";
  }
  return status;
}

Status LinuxFile::pwrite_all(int fd, uint64_t offset, ByteView bytes) {
  uint64_t done = 0;
  while (done < bytes.size()) {
    ssize_t n =
        ::pwrite(fd, bytes.data() + done, bytes.size() - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return disk_error(n < 0 ? errno : EIO, DiskOperation::write, "write", parts_.path);
    done += static_cast<uint64_t>(n);
    // A short direct write may end off the alignment; the rest then goes through the buffered
    // descriptor, which is O_DSYNC too.
    if (done % direct_alignment != 0) fd = parts_.buffered.get();
  }
  parts_.size = std::max(parts_.size, offset + bytes.size());
  return {};
}

Result<Bytes> LinuxFile::read(uint64_t offset, uint64_t size) {
  if (offset >= parts_.size) return Bytes();
  size = std::min(size, parts_.size - offset);
  Bytes bytes;
  if (!parts_.direct.valid()) {
    bytes.resize(size);
    ssize_t n = pread_all(parts_.buffered.get(), bytes.data(), size, offset);
    if (n < 0) return disk_error(static_cast<int>(-n), DiskOperation::other, "read", parts_.path);
    bytes.resize(std::min<uint64_t>(static_cast<uint64_t>(n), size));
    return bytes;
  }
  uint64_t begin = offset / direct_alignment * direct_alignment;
  uint64_t end = (offset + size + direct_alignment - 1) / direct_alignment * direct_alignment;
  AlignedMemory memory = aligned_memory(end - begin);
  if (!memory) return disk_error(ENOMEM, DiskOperation::other, "read", parts_.path);
  ssize_t n = pread_all(parts_.direct.get(), memory.get(), end - begin, begin);
  if (n < 0) return disk_error(static_cast<int>(-n), DiskOperation::other, "read", parts_.path);
  uint64_t got = static_cast<uint64_t>(n);
  if (got > offset - begin)
    bytes.assign(memory.get() + (offset - begin), std::min(size, got - (offset - begin)));
  return bytes;
}

void LinuxFile::start_zeroing(IoThread& zeroing) {
  if (!parts_.direct.valid() || parts_.size % direct_alignment != 0) return;
  keeps_ahead_ = true;
  zeroing_ = Zeroing::running;
  zeroer_ = &zeroing;
  zeroing.post(zero_job_);
}

void LinuxFile::ZeroJob::run() {
  AlignedMemory zeros = aligned_memory(zero_chunk_bytes);
  if (zeros) {
    std::fill_n(zeros.get(), zero_chunk_bytes, '\0');
    uint64_t size = file_.parts_.size;
    for (uint64_t at = 0; at < size && !file_.stop_zeroing_.load(); at += zero_chunk_bytes) {
      uint64_t chunk = std::min(zero_chunk_bytes, size - at);
      // An error here costs speed only: nothing has been promised about these blocks' timing, and
      // the first real write meets it again and reports it.
      if (::pwrite(file_.parts_.direct.get(), zeros.get(), chunk, static_cast<off_t>(at)) < 0)
        break;
      file_.zeroed_ = at + chunk;
    }
  }
  std::lock_guard lock(file_.zeroing_mutex_);
  file_.zeroing_ = Zeroing::finished;
  file_.zeroing_ended_.notify_all();
}

// Every write so far ended at or below zeroed_, so nothing but zeros is ever written over.
void LinuxFile::zero_ahead(uint64_t end) {
  if (!keeps_ahead_ || end <= zeroed_) return;
  if (end > zeroed_ + zero_gap_bytes_max) {
    keeps_ahead_ = false;  // not written in order: not worth it
    return;
  }
  uint64_t until = std::max(zeroed_ + zero_ahead_bytes, end + direct_alignment);
  until = std::min(until / direct_alignment * direct_alignment, parts_.size);
  AlignedMemory zeros = aligned_memory(until - zeroed_);
  if (!zeros) return;
  std::fill_n(zeros.get(), until - zeroed_, '\0');
  // As above: an error costs speed only, and the write that follows reports it.
  (void)!::pwrite(parts_.direct.get(), zeros.get(), until - zeroed_, static_cast<off_t>(zeroed_));
  zeroed_ = until;
}

void LinuxFile::stop_zeroing() {
  if (zeroer_ == nullptr) return;
  stop_zeroing_.store(true);
  bool begun = !zeroer_->cancel(zero_job_);
  zeroer_ = nullptr;
  if (!begun) return;
  std::unique_lock lock(zeroing_mutex_);
  zeroing_ended_.wait(lock, [this] { return zeroing_ != Zeroing::running; });
}

}  // namespace pawl
