// The helper process as its one owner sees it: ask, and get an answer, a death, or silence.
// One thread at a time, apart from kill(). It dies with the thread that started it.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>

#include "pawl/base/bytes.h"
#include "pawl/base/result.h"
#include "pawl/base/time.h"

namespace pawl::jq {

struct HelperOptions {
  std::string path;
  uint64_t memory_limit_bytes = 0;
  uint32_t programs_max = 1;
};

class Helper {
 public:
  explicit Helper(HelperOptions options);
  ~Helper();
  Helper(const Helper&) = delete;
  Helper& operator=(const Helper&) = delete;

  bool running() const { return socket_ >= 0; }
  Status start();
  void end();

  // The answer's frame. Every error means that the helper has been ended; its message says how.
  Result<Bytes> ask(ByteView request, Duration time_limit);
  Duration took() const { return took_; }  // the last ask()

  void kill();  // from any thread: the ask() under way fails

 private:
  bool transfer(bool writing, char* at, size_t size, int64_t deadline_ns, bool& late);
  Error ended(bool late, Duration time_limit);
  void reap(int& status);

  Result<Bytes> answer_to(ByteView request, Duration time_limit, int64_t deadline_ns);

  HelperOptions options_;
  int socket_ = -1;
  std::mutex mutex_;  // of pid_: it must not be reaped while kill() uses it
  int pid_ = 0;
  Duration took_;
};

}  // namespace pawl::jq
