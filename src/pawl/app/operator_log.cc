#include "pawl/app/operator_log.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>

namespace pawl {
namespace {

// Without waiting, as much of it as there is room for; how much that was. Standard error cannot be made
// non-blocking: others share it.
size_t write_at_once(int fd, std::string_view text) {
  struct stat status {};
  const bool is_file = fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
  const size_t piece = is_file ? text.size() : PIPE_BUF;  // there is room for all of it, or none
  size_t written = 0;
  while (written < text.size()) {
    pollfd room{fd, POLLOUT, 0};
    if (poll(&room, 1, 0) != 1 || (room.revents & POLLOUT) == 0) break;
    const ssize_t n = write(fd, text.data() + written, std::min(piece, text.size() - written));
    if (n <= 0) break;
    written += static_cast<size_t>(n);
  }
  return written;
}

}  // namespace

OperatorLog::~OperatorLog() {
  if (fd_ >= 0) close(fd_);
}

void OperatorLog::count(std::string_view name, uint64_t delta) {
  std::lock_guard<std::mutex> lock(mutex_);
  auto it = values_.find(name);
  if (it == values_.end()) it = values_.emplace(std::string(name), 0).first;
  it->second += static_cast<int64_t>(delta);
}

void OperatorLog::gauge(std::string_view name, int64_t value) {
  std::lock_guard<std::mutex> lock(mutex_);
  values_.insert_or_assign(std::string(name), value);
}

void OperatorLog::log(const LogLine& line) {
  if (!logs(line.level)) return;
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  WallTime time{int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec};
  std::string text = log_text(line, options_.format, time);
  std::lock_guard<std::mutex> lock(mutex_);
  if (fd_ < 0 && !path_.empty())
    fd_ = open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  // A line that cannot be written is not worth stopping for.
  const int fd = path_.empty() ? STDERR_FILENO : fd_;
  if (fd < 0 || !write_line(fd, std::move(text))) ++values_["log_lines_lost"];
}

bool OperatorLog::write_line(int fd, std::string text) {
  if (torn_) text.insert(text.begin(), '\n');
  const size_t written = write_at_once(fd, text);
  if (written > 0) torn_ = written < text.size();
  return written == text.size();
}

std::map<std::string, int64_t, std::less<>> OperatorLog::values() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return values_;
}

}  // namespace pawl
