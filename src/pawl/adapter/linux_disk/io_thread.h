// One thread that runs short blocking jobs in order. It sleeps on a condition variable, so handing
// over a job costs a mutex and, if the thread sleeps, one futex call.
//
// Contract: post() from any thread, never blocks for long; the job object belongs to the caller and
// must live until run() has returned. The destructor finishes all posted jobs. The thread starts
// with the first post().
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

namespace pawl {

class IoJob {
 public:
  virtual ~IoJob() = default;
  virtual void run() = 0;
};

class IoThread final {
 public:
  IoThread() = default;
  IoThread(const IoThread&) = delete;
  IoThread& operator=(const IoThread&) = delete;
  ~IoThread();

  void post(IoJob& job);
  bool cancel(IoJob& job);  // true: it had not begun, and will not

 private:
  void loop();

  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<IoJob*> jobs_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace pawl
