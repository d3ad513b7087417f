#include "pawl/access/watched_file.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <utility>

namespace pawl {

bool WatchedFile::changed() {
  Instant now = clock_.monotonic();
  if (!first_ && now - looked_ < look_again_) return false;
  looked_ = now;
  bool first = std::exchange(first_, false);
  struct stat seen {};
  if (stat(path_.c_str(), &seen) != 0) {
    problem_ = path_ + " cannot be read: " + std::strerror(errno);
    return first;
  }
  Version version{seen.st_mtim.tv_sec, seen.st_mtim.tv_nsec, seen.st_ino, seen.st_size};
  return (!(version == version_) && read(version)) || first;
}

bool WatchedFile::read(const Version& version) {
  std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path_.c_str(), "re"), std::fclose);
  if (file == nullptr) {
    problem_ = path_ + " cannot be read: " + std::strerror(errno);
    return false;
  }
  std::string content(watched_file_bytes_max + 1, '\0');
  content.resize(std::fread(content.data(), 1, content.size(), file.get()));
  if (content.size() > watched_file_bytes_max) {
    problem_ = path_ + " is larger than watched_file_bytes_max (" +
               std::to_string(watched_file_bytes_max) + " bytes)";
    return false;
  }
  problem_.clear();
  version_ = version;
  content_ = std::move(content);
  return true;
}

}  // namespace pawl
