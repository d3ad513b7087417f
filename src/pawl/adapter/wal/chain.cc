#include "pawl/adapter/wal/chain.h"

#include <openssl/evp.h>
#include <sys/resource.h>
#include <unistd.h>

#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <thread>

namespace pawl::wal {

namespace {

// Waking a sleeping thread costs microseconds, so small groups gather first.
constexpr size_t wake_links = 64;
constexpr uint64_t wake_bytes = 64 * 1024;

struct FreeDigest {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

class InlineChain final : public Chain {
 public:
  explicit InlineChain(ChainPoint start) : point_(start) {}
  void add(ChainLink link) override {
    point_ = next_point(point_, link.position, link.epoch, link.payload);
  }
  ChainPoint newest() override { return point_; }
  ChainPoint drain() override { return point_; }
  uint64_t backlog_bytes() override { return 0; }

 private:
  ChainPoint point_;
};

class ThreadedChain final : public Chain {
 public:
  ThreadedChain(ChainPoint start, uint64_t backlog_bytes_max)
      : point_(start), backlog_bytes_max_(backlog_bytes_max), thread_([this] { run(); }) {}

  ~ThreadedChain() override {
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    arrived_.notify_one();
    thread_.join();
  }

  void add(ChainLink link) override {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [this] { return backlog_bytes_ <= backlog_bytes_max_; });
    backlog_bytes_ += link.payload.size();
    links_.push_back(std::move(link));
    if (links_.size() < wake_links && backlog_bytes_ < wake_bytes) return;
    urged_ = true;
    lock.unlock();
    arrived_.notify_one();
  }

  ChainPoint newest() override {
    std::lock_guard lock(mutex_);
    return point_;
  }

  // Hashes what waits on the caller's thread: on busy cores the background thread might not get its
  // turn for many milliseconds.
  ChainPoint drain() override {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [this] { return !hashing_; });
    while (!links_.empty()) finish_front(after(links_.front()));
    return point_;
  }

  uint64_t backlog_bytes() override {
    std::lock_guard lock(mutex_);
    return backlog_bytes_;
  }

 private:
  void run() {
    // Behind whoever waits for a write: on few cores hashing would otherwise delay its wake-up by a
    // whole time slice. add() waits when the backlog is full, so this thread cannot starve.
    ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), 10);
    std::unique_lock lock(mutex_);
    while (true) {
      arrived_.wait(lock, [this] { return stopping_ || urged_; });
      if (stopping_) return;
      while (!links_.empty() && !stopping_) {
        const ChainLink& front = links_.front();
        hashing_ = true;
        lock.unlock();
        ChainPoint next = after(front);
        lock.lock();
        hashing_ = false;
        finish_front(next);
        room_.notify_all();
      }
      urged_ = false;
    }
  }

  // While hashing_ only the background thread touches the front and the point.
  ChainPoint after(const ChainLink& link) const {
    return next_point(point_, link.position, link.epoch, link.payload);
  }

  void finish_front(const ChainPoint& next) {
    point_ = next;
    backlog_bytes_ -= links_.front().payload.size();
    links_.pop_front();
  }

  std::mutex mutex_;
  std::condition_variable arrived_;
  std::condition_variable room_;
  std::deque<ChainLink> links_;
  uint64_t backlog_bytes_ = 0;
  ChainPoint point_;
  uint64_t backlog_bytes_max_;
  bool urged_ = false;
  bool hashing_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace

ChainPoint next_point(const ChainPoint& previous, uint64_t position, uint64_t epoch,
                      ByteView payload) {
  ByteWriter prefix;
  prefix.u64(previous.value.low);
  prefix.u64(previous.value.high);
  prefix.u64(position);
  prefix.u64(epoch);
  prefix.u64(payload.size());
  unsigned char digest[EVP_MAX_MD_SIZE];
  std::unique_ptr<EVP_MD_CTX, FreeDigest> context(EVP_MD_CTX_new());
  bool done = context && EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) == 1 &&
              EVP_DigestUpdate(context.get(), prefix.view().data(), prefix.size()) == 1 &&
              EVP_DigestUpdate(context.get(), payload.data(), payload.size()) == 1 &&
              EVP_DigestFinal_ex(context.get(), digest, nullptr) == 1;
  PAWL_CHECK(done, "SHA-256 is not to be had from the crypto library");
  ChainPoint point;
  point.position = position;
  std::memcpy(&point.value.low, digest, sizeof point.value.low);
  std::memcpy(&point.value.high, digest + sizeof point.value.low, sizeof point.value.high);
  return point;
}

std::unique_ptr<Chain> make_chain(ChainMode mode, ChainPoint start, uint64_t backlog_bytes_max) {
  if (mode == ChainMode::in_line) return std::make_unique<InlineChain>(start);
  return std::make_unique<ThreadedChain>(start, backlog_bytes_max);
}

}  // namespace pawl::wal
