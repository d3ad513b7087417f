#include "pawl/adapter/linux_disk/io_thread.h"

namespace pawl {

IoThread::~IoThread() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  arrived_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void IoThread::post(IoJob& job) {
  {
    std::lock_guard lock(mutex_);
    jobs_.push_back(&job);
    if (!thread_.joinable()) thread_ = std::thread([this] { loop(); });
  }
  arrived_.notify_one();
}

bool IoThread::cancel(IoJob& job) {
  std::lock_guard lock(mutex_);
  return std::erase(jobs_, &job) != 0;
}

void IoThread::loop() {
  std::unique_lock lock(mutex_);
  while (true) {
    arrived_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
    if (jobs_.empty()) return;
    IoJob* job = jobs_.front();
    jobs_.pop_front();
    lock.unlock();
    job->run();
    lock.lock();
  }
}

}  // namespace pawl
