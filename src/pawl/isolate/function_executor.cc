#include "pawl/isolate/function_executor.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <limits>
#include <mutex>
#include <optional>
#include <thread>

#include "pawl/base/check.h"
#include "pawl/base/json.h"
#include "pawl/isolate/progress_lines.h"
#include "pawl/isolate/report_builder.h"
#include "pawl/worker/failure.h"

namespace pawl {
namespace {

// Longer than a commit: in a chain of steps the next task comes one commit after the last result.
constexpr Duration spin_time = Duration::microseconds(120);
constexpr int spin_credit_max = 16;
constexpr uint32_t spin_retry_sleeps = 64;  // how often a thread that gave spinning up tries again
constexpr Duration progress_pause = Duration::milliseconds(100);
constexpr Duration piece_time = Duration::milliseconds(10);

void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

// Held for moments, and almost never wanted by two: a mutex costs twice as much.
class BriefLock {
 public:
  void lock() {
    while (!try_lock()) std::this_thread::yield();
  }
  bool try_lock() { return !held_.test_and_set(std::memory_order_acquire); }
  void unlock() { held_.clear(std::memory_order_release); }

 private:
  std::atomic_flag held_;
};

// The input of each item of a launch, without a copy where possible.
class Inputs {
 public:
  enum class Kind : uint8_t { rendered, item_number, item_text, execution };

  Inputs() = default;
  Inputs(Kind kind, const RunContext& context) : kind_(kind), context_(&context) {}
  explicit Inputs(FunctionInputs rendered) : rendered_(std::move(rendered)) {}

  // The error of one item's templates is that item's alone.
  const Error* error_at(const TaskRange& range, ItemIndex item) const {
    if (kind_ != Kind::rendered || rendered_[item - range.begin].ok()) return nullptr;
    return &rendered_[item - range.begin].error();
  }
  std::string_view at(const TaskRange& range, ItemIndex item) {
    switch (kind_) {
      case Kind::rendered:
        return *rendered_[item - range.begin];
      case Kind::item_text:
        return items_at(context_->items.text(), item);
      case Kind::execution:
        return context_->input.text();
      case Kind::item_number:
        break;
    }
    number_ = std::to_string(item);
    return number_;
  }

 private:
  Kind kind_ = Kind::rendered;
  const RunContext* context_ = nullptr;
  FunctionInputs rendered_;
  std::string number_;
};

// Nothing where the renderer is needed: a template, or a value in the blob store.
std::optional<Inputs> native_inputs(const RunContext& context) {
  const Node& node = context.definition();
  if (!node.with.empty()) return std::nullopt;
  if (!node.mapped()) {
    if (context.input.is_blob()) return std::nullopt;
    return Inputs(Inputs::Kind::execution, context);
  }
  if (context.items.is_absent()) return Inputs(Inputs::Kind::item_number, context);
  if (context.items.is_blob()) return std::nullopt;
  return Inputs(Inputs::Kind::item_text, context);
}

}  // namespace

struct FunctionExecutor::Job {
  Job(Launch started, PayloadStore& payloads)
      : launch(started.id),
        grant(std::move(started.grant)),
        reports(grant, payloads),
        ended(grant.range.begin) {}

  uint64_t launch;
  Grant grant;
  Function* function = nullptr;
  Inputs inputs;
  bool rendering = false;
  std::atomic<bool> stopped{false};
  std::atomic<bool> finished{false};  // changes under the lock

  bool told = false;  // that it has begun

  BriefLock lock;
  bool begun = false;     // under the lock
  Instant since;          // under the lock: began, or was last reported
  ReportBuilder reports;  // under the lock
  ItemIndex ended;        // the items before it are in `reports`, or have been reported
};

// --- one launch, on a thread of the pool ---

namespace {

class RunningCall final : public FunctionCall {
 public:
  RunningCall(uint64_t launch, const Grant& grant, const std::atomic<bool>& stopped, Clock& clock,
              Sink<ExecutorNews>& news)
      : launch_(launch),
        grant_(grant),
        timeout_(grant.context->definition().timeout),
        stopped_(stopped),
        clock_(clock),
        news_(news) {}

  void begin(ItemIndex item, std::string_view input) {
    item_ = item;
    input_ = input;
    if (timed()) began_ = heartbeat_ = clock_.monotonic();
  }
  // After the call: why its time was over, or nothing.
  const char* late() {
    if (!timed()) return nullptr;
    Instant now = clock_.monotonic();
    if (timeout_.run.ns > 0 && now - began_ > timeout_.run) return "ran longer than timeout.run";
    if (timeout_.heartbeat.ns > 0 && (silent_ || now - heartbeat_ > timeout_.heartbeat)) {
      return "no progress within timeout.heartbeat";
    }
    return nullptr;
  }

  std::string_view input() const override { return input_; }
  TaskKey task() const override { return grant_.range.at(item_); }
  AttemptNumber attempt() const override { return grant_.attempt; }
  std::string idempotency_key() const override {
    return pawl::idempotency_key(grant_.context->cluster, task());
  }
  bool cancelled() override {
    return stopped_.load(std::memory_order_relaxed) || late() != nullptr;
  }
  void progress(uint32_t permille, std::string_view message) override {
    Instant now = clock_.monotonic();
    silent_ = silent_ || (timeout_.heartbeat.ns > 0 && now - heartbeat_ > timeout_.heartbeat);
    heartbeat_ = now;
    if (now >= pause_end_) {
      say_left_over();
      pause_end_ = now + progress_pause;
      words_left_ = progress_words_max;
    }
    left_over_ = AttemptProgress{task(), grant_.attempt, permille > 1000 ? 1000 : permille,
                                 std::string(message)};
    if (words_left_ == 0) return;
    --words_left_;
    say_left_over();
  }
  // The newest word of those that were too many: it is said when the pause is over, or the item.
  void say_left_over() {
    if (left_over_) news_.put(Progressed{launch_, std::move(*left_over_)});
    left_over_.reset();
  }

 private:
  bool timed() const { return timeout_.run.ns > 0 || timeout_.heartbeat.ns > 0; }

  uint64_t launch_;
  const Grant& grant_;
  const Timeouts& timeout_;
  const std::atomic<bool>& stopped_;
  Clock& clock_;
  Sink<ExecutorNews>& news_;
  ItemIndex item_ = 0;
  std::string_view input_;
  Instant began_;
  Instant heartbeat_;
  bool silent_ = false;
  Instant pause_end_{std::numeric_limits<int64_t>::min()};
  size_t words_left_ = 0;  // until then
  std::optional<AttemptProgress> left_over_;
};

Result<std::string> guarded(Function& function, FunctionCall& call) {
  try {
    return function.call(call);
  } catch (const std::exception& thrown) {
    return Error{Code::unknown, std::string("exception: ") + thrown.what()};
  } catch (...) {
    return Error{Code::unknown, "exception of an unknown type"};
  }
}

}  // namespace

class FunctionExecutor::Pool {
 public:
  Pool(uint32_t threads, Clock& clock, Sink<ExecutorNews>& news) : clock_(clock), news_(news) {
    for (uint32_t i = 0; i < threads; i++) threads_.emplace_back([this] { work(); });
  }
  ~Pool() {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      closing_ = true;
      for (const JobRef& job : waiting_) job->stopped = true;
      waiting_.clear();
    }
    wakeup_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  void push(JobRef job) {
    std::lock_guard<std::mutex> lock(mutex_);
    waiting_.push_back(std::move(job));
    count_.store(waiting_.size(), std::memory_order_release);
  }

  // After a number of push(): whoever is woken for the first of them takes the core that the others are to be
  // pushed on.
  void wake_for_pushed() {
    size_t wanted = 0;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      size_t spinning = static_cast<size_t>(spinning_);
      if (waiting_.size() > spinning)
        wanted = std::min(waiting_.size() - spinning, static_cast<size_t>(sleeping_));
    }
    while (wanted-- > 0) wakeup_.notify_one();
  }

  // False: it is not here, or a thread has taken it.
  bool take_back(const JobRef& job) {
    std::lock_guard<std::mutex> lock(mutex_);
    if (std::erase(waiting_, job) == 0) return false;
    count_.store(waiting_.size(), std::memory_order_release);
    return true;
  }

 private:
  void work() {
    Idle idle;
    while (JobRef job = next(idle)) run(*job);
  }

  struct Idle {
    int credit = spin_credit_max;
    uint32_t sleeps = 0;
  };

  JobRef next(Idle& idle) {
    std::unique_lock<std::mutex> lock(mutex_);
    while (waiting_.empty() && !closing_) {
      bool may_spin = spinning_ == 0 && (idle.credit > 0 || ++idle.sleeps % spin_retry_sleeps == 0);
      if (!may_spin || !spin(lock, idle)) {
        if (!waiting_.empty() || closing_) break;
        sleeping_++;
        wakeup_.wait(lock);
        sleeping_--;
      }
    }
    if (closing_) return nullptr;
    JobRef job = std::move(waiting_.front());
    waiting_.pop_front();
    count_.store(waiting_.size(), std::memory_order_release);
    return job;
  }

  // Looks for work without the lock. Called and left with it.
  bool spin(std::unique_lock<std::mutex>& lock, Idle& idle) {
    spinning_++;
    lock.unlock();
    Instant end = clock_.monotonic() + spin_time;
    bool found = false;
    do {
      for (int i = 0; i < 32 && !found; i++) {
        found = count_.load(std::memory_order_acquire) > 0;
        relax();
      }
      if (!found) std::this_thread::yield();  // whoever brings the next job may need this core
    } while (!found && clock_.monotonic() < end);
    lock.lock();
    spinning_--;
    if (found)
      idle.credit = std::min(idle.credit + 1, spin_credit_max);
    else if (idle.credit > 0)
      idle.credit--;
    return found;
  }

  void run(Job& job) {
    const TaskRange& range = job.grant.range;
    {
      std::lock_guard<BriefLock> lock(job.lock);
      job.since = clock_.monotonic();
      job.begun = true;
    }
    RunningCall call(job.launch, job.grant, job.stopped, clock_, news_);
    for (ItemIndex item = range.begin; item < range.end; item++) {
      if (job.stopped.load(std::memory_order_relaxed)) {
        std::lock_guard<BriefLock> lock(job.lock);
        job.reports.fail(item, range.end, FailureKind::declined, "stopped");
        break;
      }
      if (const Error* error = job.inputs.error_at(range, item)) {
        std::lock_guard<BriefLock> lock(job.lock);
        job.reports.fail(item, item + 1, failure_of(*error, FailureKind::expression),
                         error->message);
        job.ended = item + 1;
        continue;
      }
      call.begin(item, job.inputs.at(range, item));
      Result<std::string> result = guarded(*job.function, call);
      call.say_left_over();
      end(job, item, call.late(), std::move(result));
    }
    std::unique_lock<BriefLock> lock(job.lock);
    job.finished.store(true, std::memory_order_release);
    Finished finished{job.launch, job.reports.take(), Worked{job.since, clock_.monotonic()}};
    lock.unlock();
    news_.put(std::move(finished));
  }

  void end(Job& job, ItemIndex item, const char* late, Result<std::string> result) {
    std::lock_guard<BriefLock> lock(job.lock);
    if (late != nullptr) {
      job.reports.fail(item, item + 1, FailureKind::timeout, late);
    } else if (!result.ok()) {
      job.reports.fail(item, item + 1, FailureKind::function, result.error().message);
    } else {
      job.reports.succeed(item, std::move(*result));
    }
    job.ended = item + 1;
  }

  Clock& clock_;
  Sink<ExecutorNews>& news_;
  std::mutex mutex_;
  std::condition_variable wakeup_;
  std::deque<JobRef> waiting_;
  std::atomic<size_t> count_{0};
  int sleeping_ = 0;
  int spinning_ = 0;
  bool closing_ = false;
  std::vector<std::thread> threads_;
};

// --- on the loop's thread ---

FunctionExecutor::FunctionExecutor(const FunctionRegistry& functions, uint32_t threads, Loop& loop,
                                   Clock& clock, Renderer& renderer, PayloadStore& payloads,
                                   Sink<ExecutorNews>& news)
    : functions_(functions),
      loop_(loop),
      clock_(clock),
      renderer_(renderer),
      payloads_(payloads),
      news_(news),
      rendered_(loop),
      pool_(std::make_unique<Pool>(threads, clock, news)) {
  loop_.add(*this);
}

FunctionExecutor::~FunctionExecutor() {
  for (auto& [id, job] : jobs_) job->stopped = true;
  loop_.remove(*this);
}

void FunctionExecutor::start(Launch launch) {
  PAWL_CHECK(launch.grant.range.size() <= max_range(), "a launch above max_range()");
  forget_finished();
  if (pieces_at_ == Instant::never()) pieces_at_ = clock_.monotonic() + piece_time;
  auto job = std::make_shared<Job>(std::move(launch), payloads_);
  const RunContext& context = *job->grant.context;
  const Node& node = context.definition();
  jobs_[job->launch] = job;
  job->function = functions_.find(node.function);
  if (job->function == nullptr) {
    return submit(job,
                  Error{Code::not_found, "no function \"" + node.function + "\" in this worker"});
  }
  if (std::optional<Inputs> native = native_inputs(context)) {
    job->inputs = std::move(*native);
    return push(job);
  }
  job->rendering = true;
  auto inputs = renderer_.inputs(job->launch, job->grant, rendered_);
  if (inputs.has_value()) submit(job, std::move(*inputs));
}

void FunctionExecutor::push(const JobRef& job) {
  pushed_ = true;
  pool_->push(job);
}

Instant FunctionExecutor::deadline() const {
  return pushed_ ? Instant{} : pieces_at_;
}

bool FunctionExecutor::turn() {
  rendered_.take_all(batch_);
  for (RenderedInputs& rendered : batch_) {
    auto found = jobs_.find(rendered.launch);
    if (found != jobs_.end()) submit(found->second, std::move(rendered.inputs));
  }
  if (std::exchange(pushed_, false)) pool_->wake_for_pushed();
  if (pieces_at_ != Instant::never() && pieces_at_ <= clock_.monotonic()) report_pieces();
  return false;
}

// The call that runs may take long, so that it has begun, and what ended before it, is told from here. The lock is kept
// until the news are put, so that the end comes behind them; a job that has it just now is asked again
// the next time.
void FunctionExecutor::report_pieces() {
  pieces_at_ = Instant::never();
  for (auto& [id, job] : jobs_) {
    if (job->finished) continue;
    pieces_at_ = clock_.monotonic() + piece_time;
    std::unique_lock<BriefLock> lock(job->lock, std::try_to_lock);
    if (!lock || job->finished) continue;
    std::vector<AttemptReport> ended = job->reports.take_until(job->ended);
    if (ended.empty() && (job->told || !job->begun)) continue;
    Worked worked{job->since, clock_.monotonic()};
    if (!ended.empty()) job->since = worked.end;
    job->told = true;
    news_.put(Reported{id, std::move(ended), worked});
  }
}

void FunctionExecutor::submit(const JobRef& job, Result<FunctionInputs> inputs) {
  if (job->finished) return;
  job->rendering = false;
  if (inputs.ok()) {
    PAWL_CHECK(inputs->size() == job->grant.range.size(), "one input per item");
    job->inputs = Inputs(std::move(*inputs));
    return push(job);
  }
  bool missing = job->function == nullptr;
  ReportBuilder reports(job->grant, payloads_);
  reports.fail(job->grant.range.begin, job->grant.range.end,
               missing ? FailureKind::spawn : failure_of(inputs.error(), FailureKind::expression),
               inputs.error().message);
  job->finished = true;
  news_.put(Finished{job->launch, reports.take()});
}

// From whoever would have begun it: the renderer, or a thread.
bool FunctionExecutor::take_back(const JobRef& job) {
  if (job->finished || (!job->rendering && !pool_->take_back(job))) return false;
  job->finished = true;
  return true;
}

bool FunctionExecutor::withdraw(uint64_t launch) {
  auto found = jobs_.find(launch);
  return found != jobs_.end() && take_back(found->second);
}

void FunctionExecutor::stop(uint64_t launch, StopMode) {
  auto found = jobs_.find(launch);
  if (found == jobs_.end()) return;
  Job& job = *found->second;
  job.stopped.store(true, std::memory_order_relaxed);
  if (!take_back(found->second)) return;
  ReportBuilder reports(job.grant, payloads_);
  reports.fail(job.grant.range.begin, job.grant.range.end, FailureKind::declined, "stopped");
  news_.put(Finished{launch, reports.take()});
}

// Amortised: the table is looked through when it has doubled since the last time.
void FunctionExecutor::forget_finished() {
  if (jobs_.size() < jobs_sweep_at_) return;
  std::erase_if(jobs_, [](const auto& entry) { return entry.second->finished.load(); });
  jobs_sweep_at_ = 64 + 2 * jobs_.size();
}

}  // namespace pawl
