// Pawl as a library: counts the primes below LIMIT in slices, on all cores, and survives being
// killed at any moment. Run it again with the same arguments and it goes on where it stopped.
//
//   embed_example STATE [LIMIT [CALLS]]
//
// STATE is a directory of the program's own. Every call of a function appends a line to the file
// CALLS, if one is named: it shows that no slice is counted twice once its result is durable.
#include <cinttypes>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <thread>

#include "pawl/app/runtime.h"
#include "pawl/base/json.h"

namespace {

using pawl::ExecutionStatus;
using pawl::FunctionCall;
using pawl::Result;

constexpr uint64_t slices = 64;

// One node per step; `count` runs once per slice, as many at a time as there are cores.
constexpr const char* workflow = R"(
name: primes
input: {slices: null}
nodes:
  count:
    for_each: ${ .input.slices }
    function: count_primes
  total:
    needs: [count]
    function: sum
    with: ${ .nodes.count.output }
output: ${ .nodes.total.output }
)";

std::string slices_below(uint64_t limit) {
  pawl::JsonWriter input;
  input.begin_object().key("slices").begin_array();
  for (uint64_t i = 0; i < slices; ++i) {
    input.begin_object();
    input.key("from").number(limit * i / slices).key("to").number(limit * (i + 1) / slices);
    input.end_object();
  }
  input.end_array().end_object();
  return input.take();
}

uint64_t number_at(std::string_view json, const std::string& key) {
  auto text = pawl::json_find(json, {key});
  return text ? std::strtoull(std::string(*text).c_str(), nullptr, 10) : 0;
}

bool is_prime(uint64_t n) {
  for (uint64_t d = 2; d * d <= n; ++d)
    if (n % d == 0) return false;
  return n >= 2;
}

// Runs on several threads at once. An item that takes long looks at cancelled() now and then.
Result<std::string> count_primes(FunctionCall& call) {
  uint64_t from = number_at(call.input(), "from");
  uint64_t to = number_at(call.input(), "to");
  if (from > to)
    return pawl::Error{pawl::Code::invalid_argument, "a slice that ends before it begins"};
  uint64_t found = 0;
  for (uint64_t n = from; n < to; ++n) {
    if (n % 1024 == 0 && call.cancelled())
      return pawl::Error{pawl::Code::cancelled, "told to stop"};
    if (is_prime(n)) ++found;
  }
  return std::to_string(found);
}

Result<std::string> sum(FunctionCall& call) {
  uint64_t total = 0;
  for (pawl::JsonItems items(call.input()); items.next();)
    total += std::strtoull(std::string(items.value()).c_str(), nullptr, 10);
  return std::to_string(total);
}

// Wakes whoever shows progress: once per call that has returned, and at the end.
class News {
 public:
  void call_returned() {
    tell([this] { ++calls_; });
  }
  void ended() {
    tell([this] { ended_ = true; });
  }
  bool over() {
    std::lock_guard<std::mutex> lock(mutex_);
    return ended_;
  }
  void await() {
    std::unique_lock<std::mutex> lock(mutex_);
    told_.wait(lock, [this] { return calls_ > seen_ || ended_; });
    seen_ = calls_;
  }

 private:
  template <class Change>
  void tell(Change change) {
    std::lock_guard<std::mutex> lock(mutex_);
    change();
    told_.notify_one();
  }

  std::mutex mutex_;
  std::condition_variable told_;
  uint64_t calls_ = 0;
  uint64_t seen_ = 0;
  bool ended_ = false;
};

// What a query shows is durable: a slice that is counted here is never counted again.
pawl::Status show_progress(pawl::Runtime& runtime, pawl::ExecutionId id, News& news) {
  uint64_t shown = 0;
  while (!news.over()) {
    PAWL_ASSIGN(pawl::QueryResult answer, runtime.query(pawl::GetExecution{id}));
    uint64_t done = std::get<pawl::ExecutionDetail>(answer).nodes[0].tasks.succeeded;
    if (done != shown) std::printf("%" PRIu64 " of %" PRIu64 " slices\n", done, slices);
    std::fflush(stdout);
    shown = done;
    news.await();
  }
  return {};
}

void note(const std::string& calls, const FunctionCall& call) {
  if (calls.empty()) return;
  std::FILE* file = std::fopen(calls.c_str(), "a");
  if (file == nullptr) return;
  std::fprintf(file, "%u %s\n", call.task().item, call.idempotency_key().c_str());
  std::fclose(file);
}

pawl::Status run(const std::string& state, uint64_t limit, const std::string& calls) {
  News news;
  pawl::FunctionRegistry functions;
  PAWL_TRY(functions.add("count_primes", [&calls, &news](FunctionCall& call) {
    note(calls, call);
    Result<std::string> found = count_primes(call);
    news.call_returned();
    return found;
  }));
  PAWL_TRY(functions.add("sum", sum));

  PAWL_ASSIGN(auto runtime, pawl::Runtime::open({.directory = state}, functions));
  // The request id makes submitting idempotent: a second run joins the execution of the first.
  std::string request = "primes below " + std::to_string(limit);
  PAWL_ASSIGN(pawl::ExecutionId id, runtime->submit(workflow, slices_below(limit), request));

  Result<pawl::ExecutionResult> waited = pawl::ExecutionResult();
  std::thread waiter([&] {
    waited = runtime->wait(id);
    news.ended();
  });
  pawl::Status shown = show_progress(*runtime, id, news);
  waiter.join();
  PAWL_TRY(shown);
  PAWL_ASSIGN(pawl::ExecutionResult result, std::move(waited));
  if (result.status != ExecutionStatus::succeeded)
    return pawl::Error{pawl::Code::internal,
                       pawl::to_text(id) + " " + pawl::name(result.status) + ": " + result.error};
  std::printf("%s: %s\n", request.c_str(), result.output.c_str());
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s STATE [LIMIT [CALLS]]\n", argv[0]);
    return 2;
  }
  uint64_t limit = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 2'000'000;
  pawl::Status status = run(argv[1], limit, argc > 3 ? argv[3] : "");
  if (status.ok()) return 0;
  std::fprintf(stderr, "embed_example: %s\n", status.error().message.c_str());
  return 1;
}
