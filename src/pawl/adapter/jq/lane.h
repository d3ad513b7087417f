// Evaluations and checks by one helper, one at a time, with a thread that waits for it.
//
//   Lane lane(helper_options, Duration::seconds(5), begins, done);
//   lane.queue({7, ".input.n + 1", context});     // done({7, ...}, "42", 40 us), on the lane's thread
//   lane.give_up(7);                              // if it is being evaluated: its helper is killed, done is not called
//
// Those of one expression wait for each other, and take turns with those of the others. What `begins`
// refuses when it is its turn is left out. The helper and the thread start with the first request. Destruction
// kills the helper and drops what waits. Threading: any thread; neither `begins` nor `done` is called with a lock held.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "pawl/adapter/jq/helper.h"
#include "pawl/base/callback.h"

namespace pawl::jq {

struct Request {
  uint64_t ticket = 0;
  std::string expression;
  std::shared_ptr<const std::string> context;  // null: it is compiled only
  Duration at_most = Duration::forever();
};

// Requests in the order in which they are asked, but for one of each expression at a time.
class Turns {
 public:
  void push(Request request);
  Request pop();
  bool empty() const { return turns_.empty(); }

 private:
  using Waiting = std::map<std::string, std::deque<Request>>;  // by expression
  Waiting waiting_;
  std::deque<Waiting::iterator> turns_;
};

class Lane {
 public:
  using Begins = Callback<bool(const Request&)>;
  using Done = Callback<void(Request, Result<std::string>, Duration)>;  // how long it took

  Lane(HelperOptions options, Duration limit, Begins begins, Done done);
  ~Lane();
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  void queue(Request request);
  void give_up(uint64_t ticket);
  uint64_t helpers_started() const { return helpers_started_; }

 private:
  void serve();
  bool next(Request& request);
  bool is_over();
  Result<std::string> ask(const Request& request);
  Result<Bytes> frame_of(const Request& request);

  const Duration limit_;
  const Begins begins_;
  const Done done_;
  Helper helper_;
  std::atomic<uint64_t> helpers_started_{0};
  std::shared_ptr<const std::string> last_context_;  // parsed in the helper
  std::mutex mutex_;                                 // of what follows
  std::condition_variable changed_;
  Turns waiting_;
  std::optional<uint64_t> current_;
  bool given_up_ = false;  // the current one
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace pawl::jq
