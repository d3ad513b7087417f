#include "pawl/adapter/jq/jq_evaluator.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <future>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "pawl/adapter/jq/frame.h"
#include "pawl/adapter/jq/helper.h"

namespace pawl {

namespace {

std::string beside_the_program() {
  char path[4096];
  ssize_t size = readlink("/proc/self/exe", path, sizeof path);
  std::string program(path, size > 0 ? static_cast<size_t>(size) : 0);
  return program.substr(0, program.rfind('/') + 1) + "pawl-jq";
}

}  // namespace

class JqEvaluator::Server {
 public:
  Server(JqOptions options, Sink<Evaluation>& answers)
      : options_(std::move(options)),
        answers_(answers),
        helper_(options_.helper.empty() ? beside_the_program() : options_.helper,
                options_.memory_limit_bytes, options_.programs_max) {}

  ~Server() {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      stopping_ = true;
      helper_.kill();
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
  }

  void evaluate(uint64_t ticket, std::string expression, std::shared_ptr<const std::string> context,
                Duration at_most) {
    Request request;
    request.ticket = ticket;
    request.expression = std::move(expression);
    request.context = std::move(context);
    request.at_most = at_most;
    queue(std::move(request));
  }

  Status check(std::string expression) {
    std::promise<Status> promise;
    std::future<Status> answer = promise.get_future();
    Request request;
    request.expression = std::move(expression);
    request.check = std::move(promise);
    queue(std::move(request));
    return answer.get();
  }

  std::atomic<uint64_t> helpers_started{0};

 private:
  struct Request {
    uint64_t ticket = 0;
    std::string expression;
    std::shared_ptr<const std::string> context;
    Duration at_most = Duration::forever();
    std::optional<std::promise<Status>> check;  // someone waits for it: goes first
  };

  void queue(Request request) {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!thread_.joinable()) thread_ = std::thread([this] { serve(); });
    if (request.check)
      waiting_.push_front(std::move(request));
    else
      waiting_.push_back(std::move(request));
    changed_.notify_one();
  }

  void serve() {
    for (;;) {
      Request request;
      {
        std::unique_lock<std::mutex> lock(mutex_);
        changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
        if (stopping_) return drop_all();
        request = std::move(waiting_.front());
        waiting_.pop_front();
      }
      Result<std::string> value = ask(request);
      if (request.check) {
        request.check->set_value(value.ok() ? Status() : Status(std::move(value.error())));
        continue;
      }
      {
        std::lock_guard<std::mutex> lock(mutex_);
        if (stopping_) return drop_all();
      }
      answers_.put(Evaluation{request.ticket, std::move(value)});
    }
  }

  void drop_all() {
    for (Request& request : waiting_)
      if (request.check)
        request.check->set_value(Error{Code::cancelled, "the evaluator is shutting down"});
    waiting_.clear();
  }

  Result<std::string> ask(const Request& request) {
    if (!helper_.running()) {
      last_context_.reset();
      PAWL_TRY(helper_.start());
      helpers_started = helper_.started();
      std::lock_guard<std::mutex> lock(mutex_);  // a helper that the destructor could not see yet
      if (stopping_) return Error{Code::cancelled, "the evaluator is shutting down"};
    }
    ByteWriter out;
    out.u8(
        static_cast<uint8_t>(request.check ? jq::RequestKind::check : jq::RequestKind::evaluate));
    out.text(request.expression);
    if (request.check) {
      out.u8(static_cast<uint8_t>(jq::ContextSource::none));
    } else if (request.context == last_context_) {
      out.u8(static_cast<uint8_t>(jq::ContextSource::same_as_before));
    } else {
      if (request.context->size() + request.expression.size() + 64 > jq::frame_bytes_max)
        return Error{Code::resource_exhausted, "the expression's context is larger than 1 GiB"};
      out.u8(static_cast<uint8_t>(jq::ContextSource::sent));
      out.text(*request.context);
      last_context_ = request.context;
    }
    Duration limit = std::min(options_.time_limit, request.at_most);
    PAWL_ASSIGN(Bytes answer, helper_.ask(out.view(), limit));
    ByteReader in(answer);
    auto outcome = static_cast<jq::Outcome>(in.u8());
    std::string text(in.text());
    if (!in.ok()) return Error{Code::internal, "the jq helper gave a malformed answer"};
    if (outcome == jq::Outcome::value) return text;
    return Error{Code::invalid_argument, std::move(text)};
  }

  JqOptions options_;
  Sink<Evaluation>& answers_;
  jq::Helper helper_;
  std::shared_ptr<const std::string> last_context_;  // parsed in the helper
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Request> waiting_;
  bool stopping_ = false;
  std::thread thread_;
};

JqEvaluator::JqEvaluator(JqOptions options, Sink<Evaluation>& answers)
    : server_(std::make_unique<Server>(std::move(options), answers)) {}

JqEvaluator::~JqEvaluator() = default;

void JqEvaluator::start(uint64_t ticket, const std::string& expression,
                        std::shared_ptr<const std::string> context, Duration at_most) {
  server_->evaluate(ticket, expression, std::move(context), at_most);
}

Status JqEvaluator::check(const std::string& expression) {
  return server_->check(expression);
}

uint64_t JqEvaluator::helpers_started() const {
  return server_->helpers_started;
}

}  // namespace pawl
