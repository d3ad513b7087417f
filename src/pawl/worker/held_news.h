// News of executors whose payloads are on their way to a PayloadDesk's store: held until these have arrived, for a
// report never refers to what is not durable. Everything else passes at once.
//
//   HeldNews held(desk, loop, news);          // in front of the mailbox of the worker
//   ProcessExecutor::create(..., desk, held);
//
// The news of one launch keep their order. Of a report whose payload failed the item fails, or is declined where the
// store could not be reached; the others stand. Threading: put from any thread; it registers itself with the loop.
#pragma once

#include <deque>
#include <map>
#include <mutex>

#include "pawl/port/executor.h"
#include "pawl/worker/payload_desk.h"

namespace pawl {

class HeldNews final : public Sink<ExecutorNews>, public Actor {
 public:
  HeldNews(PayloadDesk& desk, Loop& loop, Sink<ExecutorNews>& news);
  ~HeldNews() override;
  HeldNews(const HeldNews&) = delete;
  HeldNews& operator=(const HeldNews&) = delete;

  void put(ExecutorNews news) override;
  bool turn() override;
  Instant deadline() const override { return Instant::never(); }

 private:
  bool settle(ExecutorNews& news);

  PayloadDesk& desk_;
  Loop& loop_;
  Sink<ExecutorNews>& news_;
  uint64_t seen_ = 0;  // settlements of the desk
  std::mutex mutex_;
  std::map<uint64_t, std::deque<ExecutorNews>> held_;  // by launch
};

}  // namespace pawl
