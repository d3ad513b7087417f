// Calls that wait, on a few threads of their own.
//
//   auto background = std::make_unique<LinuxBackground>(4);
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
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

  void run(Callback<void()> call) override;

 private:
  void work();

  std::mutex mutex_;
  std::condition_variable changed_;
  bool closing_ = false;
  std::deque<Callback<void()>> calls_;
  std::vector<std::thread> threads_;
};

}  // namespace pawl
