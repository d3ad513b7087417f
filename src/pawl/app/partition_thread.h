// A partition on a thread of its own, with its own disk and loop.
//
//   PAWL_ASSIGN(auto partition, PartitionThread::start(options, surroundings, answers));
//   partition->engine().put({1, ...});           // nothing else of it from outside
//   PAWL_TRY(partition->close());
//
// start() returns once it has recovered, or why it could not. Threading: any, one at a time.
#pragma once

#include <atomic>
#include <future>
#include <memory>
#include <optional>
#include <thread>

#include "pawl/app/partition_home.h"

namespace pawl {

class PartitionThread {
 public:
  static Result<std::unique_ptr<PartitionThread>> start(const PartitionOptions& options,
                                                        const PartitionSurroundings& around,
                                                        Sink<Response>& answers);
  ~PartitionThread();  // as close(), but leaves no mark of a clean end
  PartitionThread(const PartitionThread&) = delete;
  PartitionThread& operator=(const PartitionThread&) = delete;

  Engine& engine() { return *engine_; }
  bool failed() const { return failed_; }
  // Comes to rest, marks the log's clean end, and ends the thread. Call it once.
  Status close();

 private:
  PartitionThread() = default;
  Status run(const PartitionOptions& options, const PartitionSurroundings& around,
             Sink<Response>& answers, std::promise<void>& opened);
  void end();

  std::thread thread_;
  Engine* engine_ = nullptr;
  LinuxLoop* loop_ = nullptr;
  std::atomic<bool> failed_ = false;
  std::atomic<bool> ending_ = false;
  std::atomic<bool> clean_ = false;
  Status result_;  // of the thread, once it has ended
};

}  // namespace pawl
