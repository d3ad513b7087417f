// Files, with durability built in so that it cannot be forgotten.
//
// Contract (the suite is testing/contract/disk_contract.h):
//  * Paths are relative to the disk's root directory, use '/', and never contain "..".
//  * File::write() returns ok only when the bytes are on stable storage. After any error on a file its
//    content past the last acknowledged write is undefined, the file is poisoned (every later write
//    fails), and nothing may be concluded by trying again: fsync failures are never retried.
//  * File::read() returns what the storage holds (never stale cached pages after a write error).
//    Short only at the end of the file.
//  * create(), publish(), remove(), make_directory() are durable when they return: the directory
//    has been synced.
//  * RESOURCE_EXHAUSTED means the disk is full; it poisons nothing that was preallocated.
//  * After a power cut: acknowledged writes are there; an unacknowledged write may be there in whole,
//    in part (torn at 512 bytes, in any order) or not at all; neighbouring bytes are untouched.
// Threading: one thread per file at a time; start_write() overlaps with other calls on other files.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pawl/base/bytes.h"
#include "pawl/base/result.h"

namespace pawl {

class File {
 public:
  virtual ~File() = default;
  // Blocks until durable.
  virtual Status write(uint64_t offset, ByteView bytes) = 0;
  // Returns at once; `bytes` must stay alive and unchanged until poll_write() answers. One at a time.
  virtual void start_write(uint64_t offset, ByteView bytes) = 0;
  // The answer to start_write(), once; nothing while it is in flight. The loop is woken
  // when it is there.
  virtual std::optional<Status> poll_write() = 0;
  virtual Result<Bytes> read(uint64_t offset, uint64_t size) = 0;
  virtual uint64_t size() const = 0;  // bytes, including preallocated ones (which read as zeros)
};

enum class DiskSpace : uint8_t { plenty, soft, hard };  // soft: refuse new work; hard: results only

class Disk {
 public:
  virtual ~Disk() = default;
  // A new file of `size` preallocated zero bytes (0: grows with its writes).
  virtual Result<std::unique_ptr<File>> create(const std::string& path, uint64_t size) = 0;
  virtual Result<std::unique_ptr<File>> open(const std::string& path) = 0;
  // Renames a finished temporary file into place: the only way to replace a file.
  virtual Status publish(const std::string& temporary, const std::string& final_name) = 0;
  virtual Status remove(const std::string& path) = 0;  // a file or empty directory; ok if absent
  virtual Status make_directory(const std::string& path) = 0;  // with parents; ok if it exists
  virtual Result<std::vector<std::string>> list(
      const std::string& directory) = 0;  // names, ascending
  virtual Result<uint64_t> free_bytes() = 0;
};

}  // namespace pawl
