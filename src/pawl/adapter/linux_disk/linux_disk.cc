#include "pawl/adapter/linux_disk/linux_disk.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "pawl/adapter/linux_disk/errno.h"
#include "pawl/adapter/linux_disk/linux_file.h"

namespace pawl {

namespace {

constexpr const char* lock_name = "lock";

std::string parent_of(const std::string& path) {
  size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Status sync_directory(const std::string& directory) {
  Descriptor fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) return disk_error(errno, DiskOperation::other, "open directory", directory);
  if (::fsync(fd.get()) != 0)
    return disk_error(errno, DiskOperation::write, "sync directory", directory);
  return {};
}

constexpr mode_t for_everybody = 0755;  // to look into
constexpr mode_t for_its_owner = 0700;

// Creates `path` and its missing parents; each new entry is made durable in its parent.
Status make_path(const std::string& path, mode_t mode) {
  if (::mkdir(path.c_str(), mode) == 0) return sync_directory(parent_of(path));
  if (errno == ENOENT) {
    PAWL_TRY(make_path(parent_of(path), for_everybody));
    if (::mkdir(path.c_str(), mode) == 0) return sync_directory(parent_of(path));
  }
  int number = errno;
  struct stat info {};
  if (number == EEXIST && ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) return {};
  return disk_error(number, DiskOperation::other, "create directory", path);
}

Result<Descriptor> lock_directory(const std::string& root) {
  std::string path = root + "/" + lock_name;
  Descriptor fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!fd.valid()) return disk_error(errno, DiskOperation::other, "open", path);
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return disk_error(errno, DiskOperation::other, "lock", path);
    char holder[32] = {};
    ssize_t n = ::pread(fd.get(), holder, sizeof holder - 1, 0);
    std::string pid(holder, n > 0 ? static_cast<size_t>(n) : 0);
    return Error{Code::aborted, "state directory " + root + " is in use by " +
                                    (pid.empty() ? "another process" : "process " + pid)};
  }
  // Who holds the lock, for the other's message; losing it in a crash is harmless.
  std::string pid = std::to_string(::getpid());
  if (::ftruncate(fd.get(), 0) != 0 || ::pwrite(fd.get(), pid.data(), pid.size(), 0) < 0) {
    if (errno != ENOSPC) return disk_error(errno, DiskOperation::other, "write", path);
  }
  return fd;
}

class LinuxDisk final : public Disk {
 public:
  LinuxDisk(std::string root, LinuxDiskOptions options, Descriptor lock)
      : root_(std::move(root)), options_(options), lock_(std::move(lock)) {}

  Result<std::unique_ptr<File>> create(const std::string& path, uint64_t size) override;
  Result<std::unique_ptr<File>> open(const std::string& path) override;
  Status publish(const std::string& temporary, const std::string& final_name) override;
  Status remove(const std::string& path) override;
  Status make_directory(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& directory) override;
  Result<uint64_t> free_bytes() override;

 private:
  std::string full(const std::string& path) const {
    PAWL_CHECK(path.find("..") == std::string::npos && !path.starts_with('/'),
               "disk paths are relative and stay inside the root");
    return path.empty() ? root_ : root_ + "/" + path;
  }
  bool writable() const { return options_.access == DiskAccess::read_write; }
  Status check_writable(const std::string& path) const {
    if (writable()) return {};
    return Error{Code::permission_denied,
                 "cannot change " + path + ": the directory was opened read-only"};
  }
  Result<LinuxFileParts> open_parts(const std::string& name, int extra_flags);

  std::string root_;
  LinuxDiskOptions options_;
  Descriptor lock_;
  IoThread writer_;
  IoThread zeroing_;
};

Result<LinuxFileParts> LinuxDisk::open_parts(const std::string& name, int extra_flags) {
  int flags = (writable() ? O_RDWR | O_DSYNC : O_RDONLY) | O_CLOEXEC;
  LinuxFileParts parts;
  parts.path = name;
  parts.writable = writable();
  const char* verb = (extra_flags & O_CREAT) != 0 ? "create" : "open";
  parts.buffered = Descriptor(::open(name.c_str(), flags | extra_flags, 0644));
  if (!parts.buffered.valid()) return disk_error(errno, DiskOperation::other, verb, name);
  parts.direct = Descriptor(::open(name.c_str(), flags | O_DIRECT));
  if (!parts.direct.valid() && errno != EINVAL && errno != EOPNOTSUPP)
    return disk_error(errno, DiskOperation::other, verb, name);
  struct stat info {};
  if (::fstat(parts.buffered.get(), &info) != 0)
    return disk_error(errno, DiskOperation::other, "look at", name);
  parts.size = static_cast<uint64_t>(info.st_size);
  return parts;
}

Result<std::unique_ptr<File>> LinuxDisk::create(const std::string& path, uint64_t size) {
  std::string name = full(path);
  PAWL_TRY(check_writable(name));
  PAWL_ASSIGN(LinuxFileParts parts, open_parts(name, O_CREAT | O_EXCL));
  if (size > 0) {
    int number = 0;
    do {
      number = ::posix_fallocate(parts.buffered.get(), 0, static_cast<off_t>(size));
    } while (number == EINTR);
    if (number == 0 && ::fsync(parts.buffered.get()) != 0) number = errno;
    if (number != 0) {
      ::remove(name.c_str());
      return disk_error(number, DiskOperation::other,
                        "allocate " + std::to_string(size) + " bytes for", name);
    }
    parts.size = size;
  }
  PAWL_TRY(sync_directory(parent_of(name)));
  auto file = std::make_unique<LinuxFile>(std::move(parts), writer_, options_.wake);
  if (size > 0) file->start_zeroing(zeroing_);
  return std::unique_ptr<File>(std::move(file));
}

Result<std::unique_ptr<File>> LinuxDisk::open(const std::string& path) {
  PAWL_ASSIGN(LinuxFileParts parts, open_parts(full(path), 0));
  return std::unique_ptr<File>(
      std::make_unique<LinuxFile>(std::move(parts), writer_, options_.wake));
}

Status LinuxDisk::publish(const std::string& temporary, const std::string& final_name) {
  std::string from = full(temporary);
  std::string to = full(final_name);
  PAWL_TRY(check_writable(to));
  if (::rename(from.c_str(), to.c_str()) != 0)
    return disk_error(errno, DiskOperation::other, "rename to " + to + " the file", from);
  PAWL_TRY(sync_directory(parent_of(to)));
  if (parent_of(from) != parent_of(to)) PAWL_TRY(sync_directory(parent_of(from)));
  return {};
}

Status LinuxDisk::remove(const std::string& path) {
  std::string name = full(path);
  PAWL_TRY(check_writable(name));
  if (::remove(name.c_str()) != 0) {
    if (errno == ENOENT) return {};
    return disk_error(errno, DiskOperation::other, "remove", name);
  }
  return sync_directory(parent_of(name));
}

Status LinuxDisk::make_directory(const std::string& path) {
  std::string name = full(path);
  PAWL_TRY(check_writable(name));
  return make_path(name, for_everybody);  // of those who may enter the root
}

Result<std::vector<std::string>> LinuxDisk::list(const std::string& directory) {
  std::string name = full(directory);
  DIR* stream = ::opendir(name.c_str());
  if (stream == nullptr) return disk_error(errno, DiskOperation::other, "list directory", name);
  std::vector<std::string> names;
  errno = 0;
  while (dirent* entry = ::readdir(stream)) {
    std::string_view found = entry->d_name;
    if (found == "." || found == ".." || (directory.empty() && found == lock_name)) continue;
    names.emplace_back(found);
  }
  int number = errno;
  ::closedir(stream);
  if (number != 0) return disk_error(number, DiskOperation::other, "list directory", name);
  std::sort(names.begin(), names.end());
  return names;
}

Result<uint64_t> LinuxDisk::free_bytes() {
  struct statvfs info {};
  if (::statvfs(root_.c_str(), &info) != 0)
    return disk_error(errno, DiskOperation::other, "look at", root_);
  return static_cast<uint64_t>(info.f_bavail) * info.f_frsize;
}

}  // namespace

Result<std::unique_ptr<Disk>> open_linux_disk(const std::string& root, LinuxDiskOptions options) {
  Descriptor lock;
  if (options.access == DiskAccess::read_write) {
    PAWL_TRY(make_path(root, for_its_owner));
    PAWL_ASSIGN(lock, lock_directory(root));
  }
  return std::unique_ptr<Disk>(std::make_unique<LinuxDisk>(root, options, std::move(lock)));
}

bool is_memory_file_system(const std::string& root) {
  struct statfs info {};
  if (::statfs(root.c_str(), &info) != 0) return false;
  return info.f_type == TMPFS_MAGIC || info.f_type == RAMFS_MAGIC;
}

}  // namespace pawl
