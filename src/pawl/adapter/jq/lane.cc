#include "pawl/adapter/jq/lane.h"

#include <algorithm>
#include <utility>

#include "pawl/adapter/jq/frame.h"

namespace pawl::jq {

void Turns::push(Request request) {
  auto [line, first] = waiting_.try_emplace(request.expression);
  line->second.push_back(std::move(request));
  if (first) turns_.push_back(line);
}

Request Turns::pop() {
  Waiting::iterator line = turns_.front();
  turns_.pop_front();
  Request request = std::move(line->second.front());
  line->second.pop_front();
  if (line->second.empty())
    waiting_.erase(line);
  else
    turns_.push_back(line);
  return request;
}

Lane::Lane(HelperOptions options, Duration limit, Begins begins, Done done)
    : limit_(limit),
      begins_(std::move(begins)),
      done_(std::move(done)),
      helper_(std::move(options)) {}

Lane::~Lane() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
    helper_.kill();
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Lane::queue(Request request) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (!thread_.joinable()) thread_ = std::thread([this] { serve(); });
  waiting_.push(std::move(request));
  changed_.notify_one();
}

void Lane::give_up(uint64_t ticket) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (current_ != ticket) return;
  given_up_ = true;
  helper_.kill();
}

bool Lane::next(Request& request) {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
  if (stopping_) return false;
  request = waiting_.pop();
  current_ = request.ticket;
  return true;
}

// Whether nobody waits for the current one; then a kill may have met a helper that had answered already.
bool Lane::is_over() {
  std::lock_guard<std::mutex> lock(mutex_);
  current_.reset();
  bool over = std::exchange(given_up_, false) || stopping_;
  if (over) helper_.end();
  return over;
}

void Lane::serve() {
  for (Request request; next(request);) {
    const bool begins = begins_(request);
    Result<std::string> value = begins ? ask(request) : Error{Code::cancelled, "it is left out"};
    if (is_over() || !begins) continue;
    done_(std::move(request), std::move(value), helper_.took());
  }
}

Result<std::string> Lane::ask(const Request& request) {
  if (!helper_.running()) {
    last_context_.reset();
    PAWL_TRY(helper_.start());
    ++helpers_started_;
    std::lock_guard<std::mutex> lock(mutex_);  // a helper that give_up() could not see yet
    if (stopping_ || given_up_) return Error{Code::cancelled, "nobody waits for it"};
  }
  PAWL_ASSIGN(Bytes frame, frame_of(request));
  PAWL_ASSIGN(Bytes answer, helper_.ask(frame, std::min(limit_, request.at_most)));
  return value_in(answer);
}

Result<Bytes> Lane::frame_of(const Request& request) {
  if (!request.context) return check_request(request.expression);
  bool known = request.context == last_context_;
  PAWL_ASSIGN(Bytes frame,
              evaluate_request(request.expression, known ? nullptr : request.context.get()));
  last_context_ = request.context;
  return frame;
}

}  // namespace pawl::jq
