// Calls that wait, on a few threads of their own.
//
//   auto background = std::make_unique<LinuxBackground>(4);
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "pawl/base/callback.h"
#include "pawl/port/background.h"

namespace pawl {

class LinuxBackground final : public Background {
 public:
  explicit LinuxBackground(uint32_t threads);
  ~LinuxBackground() override;

  using Background::run;
  void run(Callback<void()> call, Duration after) override;

 private:
  void work();

  std::mutex mutex_;
  std::condition_variable changed_;
  bool closing_ = false;
  std::multimap<int64_t, Callback<void()>> calls_;  // not before, on the steady clock, in ns
  std::vector<std::thread> threads_;
};

}  // namespace pawl
