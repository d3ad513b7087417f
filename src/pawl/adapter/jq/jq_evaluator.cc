#include "pawl/adapter/jq/jq_evaluator.h"

#include <unistd.h>

#include <algorithm>
#include <deque>
#include <future>
#include <map>
#include <mutex>
#include <set>
#include <utility>

#include "pawl/adapter/jq/helper.h"
#include "pawl/adapter/jq/lane.h"
#include "pawl/base/hash.h"

namespace pawl {

namespace {

std::string beside_the_program() {
  char path[4096];
  ssize_t size = readlink("/proc/self/exe", path, sizeof path);
  std::string program(path, size > 0 ? static_cast<size_t>(size) : 0);
  return program.substr(0, program.rfind('/') + 1) + "pawl-jq";
}

jq::HelperOptions helper_of(const JqOptions& options, uint32_t programs_max) {
  return {options.helper.empty() ? beside_the_program() : options.helper,
          options.memory_limit_bytes, programs_max};
}

// Expressions, by their hashes; the oldest are forgotten.
class Remembered {
 public:
  explicit Remembered(size_t most) : most_(most) {}

  bool contains(const std::string& expression) const {
    return known_.contains(hash128(expression));
  }
  void add(const std::string& expression) {
    const Hash128 hash = hash128(expression);
    if (!known_.insert(hash).second) return;
    order_.push_back(hash);
    if (order_.size() <= most_) return;
    known_.erase(order_.front());
    order_.pop_front();
  }
  void remove(const std::string& expression) {
    const Hash128 hash = hash128(expression);
    if (known_.erase(hash) > 0) std::erase(order_, hash);
  }

 private:
  const size_t most_;
  std::set<Hash128> known_;
  std::deque<Hash128> order_;
};

// What costs others their time: it ran for long, or took its helper along.
bool is_costly(const Error& error) {
  return error.code == Code::deadline_exceeded || error.code == Code::resource_exhausted ||
         error.code == Code::internal;
}

}  // namespace

class JqEvaluator::Server {
 public:
  Server(JqOptions options, Sink<Evaluation>& answers)
      : options_(std::move(options)),
        answers_(answers),
        slow_(options_.slow_expressions_max),
        slow_lane_(
            helper_of(options_, options_.programs_max), options_.time_limit,
            [this](const jq::Request& request) { return is_open(request.ticket); },
            [this](jq::Request request, Result<std::string> value, Duration took) {
              slow_done(std::move(request), std::move(value), took);
            }),
        quick_lane_(
            helper_of(options_, options_.programs_max),
            std::min(options_.time_limit, options_.quick_limit),
            [this](const jq::Request& request) { return begins_quick(request); },
            [this](jq::Request request, Result<std::string> value, Duration) {
              quick_done(std::move(request), std::move(value));
            }),
        check_lane_(
            helper_of(options_, 1), options_.time_limit, [](const jq::Request&) { return true; },
            [this](jq::Request request, Result<std::string> value, Duration) {
              check_done(request.ticket, std::move(value));
            }) {}

  ~Server() {
    std::lock_guard<std::mutex> lock(mutex_);
    for (auto& [ticket, promise] : checks_)
      promise.set_value(Error{Code::cancelled, "the evaluator is shutting down"});
    checks_.clear();
  }

  void evaluate(jq::Request request) {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      open_.insert(request.ticket);
    }
    quick_lane_.queue(std::move(request));
  }

  // What the quick lane is at ends soon; to kill it would cost the others the helper.
  void cancel(uint64_t ticket) {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      if (open_.erase(ticket) == 0) return;
    }
    slow_lane_.give_up(ticket);
  }

  Status check(const std::string& expression) {
    std::future<Status> answer;
    uint64_t ticket = 0;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      ticket = ++last_check_;
      answer = checks_[ticket].get_future();
    }
    check_lane_.queue({ticket, expression, nullptr, Duration::forever()});
    return answer.get();
  }

  uint64_t helpers_started() const {
    return quick_lane_.helpers_started() + slow_lane_.helpers_started();
  }

 private:
  bool is_open(uint64_t ticket) {
    std::lock_guard<std::mutex> lock(mutex_);
    return open_.contains(ticket);
  }

  bool begins_quick(const jq::Request& request) {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      if (!open_.contains(request.ticket)) return false;
      if (!slow_.contains(request.expression)) return true;
    }
    slow_lane_.queue(request);
    return false;
  }

  void quick_done(jq::Request request, Result<std::string> value) {
    const bool late = !value.ok() && value.error().code == Code::deadline_exceeded;
    const bool may_go_on = std::min(options_.time_limit, request.at_most) > options_.quick_limit;
    if (!value.ok() && is_costly(value.error())) {
      std::lock_guard<std::mutex> lock(mutex_);
      slow_.add(request.expression);
    }
    if (late && may_go_on) return slow_lane_.queue(std::move(request));
    answer(request.ticket, std::move(value));
  }

  void slow_done(jq::Request request, Result<std::string> value, Duration took) {
    const bool costly = !value.ok() && is_costly(value.error());
    if (!costly && took <= options_.quick_limit) {
      std::lock_guard<std::mutex> lock(mutex_);
      slow_.remove(request.expression);
    }
    answer(request.ticket, std::move(value));
  }

  void check_done(uint64_t ticket, Result<std::string> value) {
    std::lock_guard<std::mutex> lock(mutex_);
    auto asked = checks_.extract(ticket);
    if (asked.empty()) return;
    asked.mapped().set_value(value.ok() ? Status() : Status(std::move(value.error())));
  }

  void answer(uint64_t ticket, Result<std::string> value) {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      if (open_.erase(ticket) == 0) return;
    }
    answers_.put(Evaluation{ticket, std::move(value)});
  }

  const JqOptions options_;
  Sink<Evaluation>& answers_;
  std::mutex mutex_;  // of what follows
  std::set<uint64_t> open_;
  std::map<uint64_t, std::promise<Status>> checks_;
  uint64_t last_check_ = 0;
  Remembered slow_;
  jq::Lane slow_lane_;
  jq::Lane quick_lane_;  // after the slow one, to which it hands over
  jq::Lane check_lane_;
};

JqEvaluator::JqEvaluator(JqOptions options, Sink<Evaluation>& answers)
    : server_(std::make_unique<Server>(std::move(options), answers)) {}

JqEvaluator::~JqEvaluator() = default;

void JqEvaluator::start(uint64_t ticket, const std::string& expression,
                        std::shared_ptr<const std::string> context, Duration at_most) {
  server_->evaluate({ticket, expression, std::move(context), at_most});
}

void JqEvaluator::cancel(uint64_t ticket) {
  server_->cancel(ticket);
}

Status JqEvaluator::check(const std::string& expression) {
  return server_->check(expression);
}

uint64_t JqEvaluator::helpers_started() const {
  return server_->helpers_started();
}

}  // namespace pawl
