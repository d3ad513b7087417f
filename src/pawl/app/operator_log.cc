#include "pawl/app/operator_log.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

namespace pawl {

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
  if (fd_ < 0 && !path_.empty()) return;
  // One write per line; a line that cannot be written is not worth stopping for.
  (void)!write(path_.empty() ? STDERR_FILENO : fd_, text.data(), text.size());
}

std::map<std::string, int64_t, std::less<>> OperatorLog::values() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return values_;
}

}  // namespace pawl
