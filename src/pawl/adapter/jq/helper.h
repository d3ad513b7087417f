// The helper process as its one owner sees it: ask, and get an answer, a death, or silence.
// One thread, apart from kill().
#pragma once

#include <cstdint>
#include <mutex>
#include <string>

#include "pawl/base/bytes.h"
#include "pawl/base/result.h"
#include "pawl/base/time.h"

namespace pawl::jq {

class Helper {
 public:
  Helper(std::string path, uint64_t memory_limit_bytes, uint32_t programs_max);
  ~Helper();
  Helper(const Helper&) = delete;
  Helper& operator=(const Helper&) = delete;

  bool running() const { return socket_ >= 0; }
  uint64_t started() const { return started_; }
  Status start();

  // The answer's frame. Every error means that the helper has been ended; its message says how.
  Result<Bytes> ask(ByteView request, Duration time_limit);

  void kill();  // from any thread: the ask() under way fails

 private:
  bool transfer(bool writing, char* at, size_t size, int64_t deadline_ns, bool& late);
  Error ended(bool late, Duration time_limit);
  void reap(int& status);

  std::string path_;
  uint64_t memory_limit_bytes_;
  uint32_t programs_max_;
  int socket_ = -1;
  std::mutex mutex_;  // of pid_: it must not be reaped while kill() uses it
  int pid_ = 0;
  uint64_t started_ = 0;
};

}  // namespace pawl::jq
