// A small file that is read again when it has changed: lists and keys that people edit while Pawl runs.
//
//   WatchedFile revoked(directory + "/revoked", clock);
//   if (revoked.changed()) read(revoked.content());     // looks at the disk once per look_again at most
//
// A file that cannot be read keeps the content it had; the first time, it is empty.
// Limits: watched_file_bytes_max; what is beyond is not read, and problem() says so. Threading: one caller.
#pragma once

#include <string>

#include "pawl/port/clock.h"

namespace pawl {

constexpr size_t watched_file_bytes_max = 4 << 20;

class WatchedFile {
 public:
  WatchedFile(std::string path, Clock& clock, Duration look_again = Duration::seconds(1))
      : path_(std::move(path)), clock_(clock), look_again_(look_again) {}

  bool changed();  // since it was last asked; true the first time
  const std::string& content() const { return content_; }
  const std::string& problem() const { return problem_; }  // empty: none
  const std::string& path() const { return path_; }

 private:
  struct Version {
    int64_t written_s = 0;
    int64_t written_ns = 0;
    uint64_t inode = 0;
    int64_t size = -1;
    friend bool operator==(const Version&, const Version&) = default;
  };
  bool read(const Version& version);

  const std::string path_;
  Clock& clock_;
  const Duration look_again_;
  Instant looked_;
  bool first_ = true;
  Version version_;
  std::string content_;
  std::string problem_;
};

}  // namespace pawl
