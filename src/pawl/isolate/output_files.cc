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

bool is_number(std::string_view text) {
  return !text.empty() && text.size() <= 10 &&
         text.find_first_not_of("0123456789") == std::string_view::npos;
}

// <execution>/<node>/<item>.<attempt>.out or .err: nothing that leads elsewhere.
bool is_output_path(std::string_view path) {
  size_t first = path.find('/');
  size_t last = path.rfind('/');
  if (first == std::string_view::npos || first == last) return false;
  std::string_view node = path.substr(first + 1, last - first - 1);
  std::string_view name = path.substr(last + 1);
  if (!execution_from_text(std::string(path.substr(0, first)))) return false;
  if (node.empty() || node.size() > 255 || node.find('/') != std::string_view::npos ||
      node.find('\0') != std::string_view::npos || node.starts_with('.'))
    return false;
  if (!name.ends_with(".out") && !name.ends_with(".err")) return false;
  name.remove_suffix(4);
  size_t dot = name.find('.');
  return dot != std::string_view::npos && is_number(name.substr(0, dot)) &&
         is_number(name.substr(dot + 1));
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
  if (!is_output_path(part.path))
    return Error{Code::invalid_argument, "no output of an attempt is called \"" + part.path + "\""};
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

Status OutputFiles::drop_owner(ExecutionId owner) {
  std::error_code error;
  const std::string path = root_ + "/" + to_text(owner);
  fs::remove_all(path, error);
  if (error) return Error{Code::unavailable, "cannot remove " + path + ": " + error.message()};
  return {};
}

}  // namespace pawl
