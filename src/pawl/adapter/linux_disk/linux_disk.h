// port/disk.h on a directory of a Linux file system.
//
//   PAWL_ASSIGN(std::unique_ptr<Disk> disk, open_linux_disk("/var/lib/pawl", {.wake = &loop}));
//   PAWL_ASSIGN(std::unique_ptr<File> file, disk->create("log/spare", 64 << 20));
//   file->start_write(0, block);     // the disk's one I/O thread writes; loop.wake() when done
//
// How durability is had: O_DSYNC on every write; O_DIRECT as well when memory, offset and size
// are multiples of 4 KiB (so that neither write nor read goes through cached pages); fsync of
// the directory inside create, publish, remove and make_directory. A file with a failed write
// is poisoned for the life of its handle. Where the file system has no O_DIRECT (tmpfs),
// buffered I/O is used.
//
// A file created with a size is allocated at once (so a full disk says so in create()), and filled
// with zeros by a background thread until its first write or its end, and 256 KiB at a time ahead of
// its writes from then on: writing into blocks that have been written before costs half of writing
// into merely allocated ones, as no metadata changes.
//
// A directory that is missing is made for its owner alone; one that is there keeps its mode, and what is made
// below may be read by whoever may enter it.
//
// The directory is locked (flock on `lock`) while a writable disk is open; a second opener gets
// ABORTED `state directory X is in use by process 1234`.
//
// Threads: as the port says; one I/O thread and one zeroing thread per disk, started when needed.
// Errors: RESOURCE_EXHAUSTED (no space, quota, descriptors, memory), PERMISSION_DENIED (also a
// read-only file system), NOT_FOUND, ALREADY_EXISTS, UNKNOWN for a failed write, DATA_LOSS for a
// failed read; each message names the path and what to do where that is known.
#pragma once

#include <memory>
#include <string>

#include "pawl/port/disk.h"
#include "pawl/port/loop.h"

namespace pawl {

enum class DiskAccess : uint8_t {
  read_write,  // takes the lock; creates the directory if it is missing
  read_only,   // takes no lock; everything that would change a file is refused
};

struct LinuxDiskOptions {
  DiskAccess access = DiskAccess::read_write;
  Loop* wake = nullptr;  // woken after each completed start_write(); must outlive the disk
};

Result<std::unique_ptr<Disk>> open_linux_disk(const std::string& root,
                                              LinuxDiskOptions options = {});

// Whether `root` lies on a file system that does not survive a power cut (tmpfs).
bool is_memory_file_system(const std::string& root);

}  // namespace pawl
