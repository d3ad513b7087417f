#include "pawl/isolate/output_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

namespace pawl {

namespace fs = std::filesystem;

namespace {

Error no_output(const std::string& path) {
  return {Code::invalid_argument, "no output of an attempt is called \"" + path + "\""};
}

}  // namespace

Result<std::vector<ExecutionId>> OutputFiles::owners() {
  std::error_code error;
  std::vector<ExecutionId> owners;
  fs::directory_iterator entries(root_, error);
  if (error == std::errc::no_such_file_or_directory) return owners;
  for (; !error && entries != fs::directory_iterator(); entries.increment(error)) {
    ExecutionId owner = execution_from_text(entries->path().filename());
    if (owner) owners.push_back(owner);
  }
  if (error) return Error{Code::unavailable, "cannot list " + root_ + ": " + error.message()};
  std::sort(owners.begin(), owners.end());
  return owners;
}

Status OutputFiles::write(const OutputPart& part) {
  if (LogKey key; !key_from_path(part.path, key)) return no_output(part.path);
  const std::string path = root_ + "/" + part.path;
  std::error_code ignored;
  fs::create_directories(fs::path(path).parent_path(), ignored);
  int file = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
  std::string_view rest = part.bytes;
  uint64_t at = part.offset;
  bool whole = file >= 0;
  while (whole && !rest.empty()) {
    ssize_t n = pwrite(file, rest.data(), rest.size(), static_cast<off_t>(at));
    if (n < 0 && errno == EINTR) continue;
    whole = n > 0;
    if (!whole) break;
    at += static_cast<uint64_t>(n);
    rest.remove_prefix(static_cast<size_t>(n));
  }
  int why = errno;
  if (file >= 0) close(file);
  if (whole) return {};
  return Error{why == ENOSPC ? Code::resource_exhausted : Code::unavailable,
               "cannot write " + path + ": " + std::strerror(why)};
}

Result<Bytes> OutputFiles::read(const std::string& path, uint64_t offset, uint64_t size) {
  if (LogKey key; !key_from_path(path, key)) return no_output(path);
  int file = open((root_ + "/" + path).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (file < 0 && errno == ENOENT) return Error{Code::not_found, "nothing is kept as " + path};
  Bytes bytes(size, '\0');
  size_t got = 0;
  ssize_t n = file < 0 ? -1 : 1;
  while (n > 0 && got < size) {
    n = pread(file, bytes.data() + got, size - got, static_cast<off_t>(offset + got));
    if (n < 0 && errno == EINTR)
      n = 1;
    else if (n > 0)
      got += static_cast<size_t>(n);
  }
  int why = errno;
  if (file >= 0) close(file);
  if (n < 0) return Error{Code::unavailable, "cannot read " + path + ": " + std::strerror(why)};
  bytes.resize(got);
  return bytes;
}

Result<std::vector<KeptLog>> OutputFiles::list(ExecutionId execution, const std::string& node) {
  std::vector<KeptLog> found;
  const std::string below = to_text(execution) + "/" + node;
  if (LogKey key; !key_from_path(below + "/0.1.out", key)) return found;
  std::error_code error;
  fs::directory_iterator entries(root_ + "/" + below, error);
  if (error == std::errc::no_such_file_or_directory) return found;
  for (; !error && entries != fs::directory_iterator(); entries.increment(error)) {
    KeptLog log;
    if (!key_from_path(below + "/" + entries->path().filename().string(), log.key)) continue;
    std::error_code gone;  // forgotten meanwhile
    log.size = entries->file_size(gone);
    if (!gone) found.push_back(std::move(log));
  }
  if (error) return Error{Code::unavailable, "cannot list " + below + ": " + error.message()};
  std::sort(found.begin(), found.end(),
            [](const KeptLog& a, const KeptLog& b) { return a.key < b.key; });
  return found;
}

Status OutputFiles::drop_owner(ExecutionId owner) {
  std::error_code error;
  const std::string path = root_ + "/" + to_text(owner);
  fs::remove_all(path, error);
  if (error) return Error{Code::unavailable, "cannot remove " + path + ": " + error.message()};
  return {};
}

}  // namespace pawl
