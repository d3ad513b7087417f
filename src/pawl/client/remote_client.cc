#include "pawl/client/remote_client.h"

#include <pthread.h>
#include <signal.h>
#include <sys/random.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <future>
#include <map>
#include <mutex>
#include <thread>

#include "pawl/adapter/linux_loop/linux_clock.h"
#include "pawl/port/mailbox.h"

namespace pawl {
namespace {

constexpr Duration pause_min = Duration::milliseconds(50);
constexpr Duration pause_max = Duration::seconds(2);

std::string fresh_request_id() {
  Hash128 dice;
  PAWL_CHECK(getrandom(&dice, sizeof dice, 0) == sizeof dice, "the system gives no randomness");
  return to_hex(dice);
}

// Before it makes sense to ask again; nothing: this answer it is.
std::optional<Duration> pause_after(const CallResult& result, Duration otherwise) {
  const auto* error = std::get_if<Error>(&result);
  if (error == nullptr) return std::nullopt;
  if (error->retry_after > Duration{}) return error->retry_after;
  bool may_pass = error->code == Code::unavailable || error->code == Code::unknown;
  return may_pass ? std::optional(otherwise) : std::nullopt;
}

template <class T>
Result<T> as(CallResult result) {
  if (T* value = std::get_if<T>(&result)) return std::move(*value);
  if (Error* error = std::get_if<Error>(&result)) return std::move(*error);
  return Error{Code::internal, "the answer is of another kind than the question"};
}

}  // namespace

class RemoteClient::Impl final : public Actor {
 public:
  static Result<std::unique_ptr<Impl>> create(RemoteClientOptions options) {
    auto clock = std::make_unique<LinuxClock>();
    PAWL_ASSIGN(std::unique_ptr<LinuxLoop> loop, LinuxLoop::create(*clock));
    return std::make_unique<Impl>(std::move(options), std::move(clock), std::move(loop));
  }
  Impl(RemoteClientOptions options, std::unique_ptr<LinuxClock> clock,
       std::unique_ptr<LinuxLoop> loop)
      : options_(std::move(options)),
        clock_(std::move(clock)),
        loop_(std::move(loop)),
        orders_(*loop_) {
    loop_->add(*this);
    thread_ = std::thread([this] {
      sigset_t all;
      sigfillset(&all);
      pthread_sigmask(SIG_SETMASK, &all, nullptr);  // they are the program's
      while (!stopping_.load()) {
        loop_->run_once(Duration::forever());
        hand_out();
      }
      client_.reset();
    });
  }
  ~Impl() override {
    stopping_.store(true);
    loop_->wake();
    thread_.join();
    loop_->remove(*this);
  }

  // One try; UNAVAILABLE when there is no connection.
  CallResult ask_once(Call call, Duration at_most) {
    uint64_t number = ++last_number_;
    auto answer = std::make_shared<std::promise<CallResult>>();
    std::future<CallResult> told = answer->get_future();
    orders_.put({number, std::move(call), std::move(answer)});
    if (at_most == Duration::forever()) return told.get();
    auto patience = std::chrono::nanoseconds(at_most.ns);
    if (told.wait_for(patience) == std::future_status::ready) return told.get();
    orders_.put({number, {}, nullptr});
    return Error{Code::deadline_exceeded, "it was not over in time; it goes on"};
  }

  // Asked again while nobody is there, at most for `patience` without an answer.
  CallResult ask(const Call& call, Duration at_most = Duration::forever()) {
    Instant begun = clock_->monotonic();
    Instant until = begun + at_most;
    Instant silent_since = begun;
    for (Duration pause = pause_min;;) {
      uint64_t heard = connections_.load();
      Instant now = clock_->monotonic();
      CallResult result = ask_once(call, until == Instant::never() ? at_most : until - now);
      now = clock_->monotonic();
      if (connections_.load() != heard) {  // there was somebody meanwhile
        silent_since = now;
        pause = pause_min;
      }
      std::optional<Duration> wait = pause_after(result, pause);
      if (!wait || now + *wait >= until || now + *wait - silent_since > options_.patience)
        return result;
      pause_for(*wait);
      pause = std::min(pause + pause, pause_max);
    }
  }
  template <class T>
  Result<T> ask_as(const Call& call) {
    return as<T>(ask(call));
  }

  bool turn() override {
    orders_.take_all(order_batch_);
    for (Order& order : order_batch_) {
      if (order.answer == nullptr)
        forget(order.number);
      else
        carry_out(std::move(order));
    }
    return false;
  }
  Instant deadline() const override { return Instant::never(); }

 private:
  struct Order {
    uint64_t number = 0;
    Call call;
    std::shared_ptr<std::promise<CallResult>> answer;  // null: it is not wanted any more
  };

  // Before it is tried again.
  void pause_for(Duration time) {
    std::unique_lock lock(mutex_);
    pauses_.wait_for(lock, std::chrono::nanoseconds(time.ns), [] { return false; });
  }
  void carry_out(Order order) {
    hand_out();
    if (!client_ || client_->failure()) {
      auto begun = HttpClient::begin(options_.server, *loop_);
      if (!begun.ok()) return order.answer->set_value(begun.error());
      client_ = std::move(*begun);
      counted_ = false;
    }
    Ticket ticket = client_->start(std::move(order.call));
    open_.emplace(ticket, std::move(order));
  }
  void forget(uint64_t number) {
    for (auto it = open_.begin(); it != open_.end(); ++it) {
      if (it->second.number != number) continue;
      client_->forget(it->first);
      open_.erase(it);
      return;
    }
  }
  void hand_out() {
    for (auto it = open_.begin(); it != open_.end();) {
      std::optional<CallResult> result = client_->take(it->first);
      if (!result) {
        ++it;
        continue;
      }
      if (!client_->failure() && !std::exchange(counted_, true)) ++connections_;
      it->second.answer->set_value(std::move(*result));
      it = open_.erase(it);
    }
  }

  const RemoteClientOptions options_;
  std::unique_ptr<LinuxClock> clock_;
  std::unique_ptr<LinuxLoop> loop_;
  Mailbox<Order> orders_;
  std::vector<Order> order_batch_;
  std::unique_ptr<HttpClient> client_;
  std::map<Ticket, Order> open_;
  bool counted_ = false;                  // this connection has answered
  std::atomic<uint64_t> connections_{0};  // that have
  std::atomic<uint64_t> last_number_{0};
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;
  std::condition_variable pauses_;  // nobody is told: time passes
  std::thread thread_;
};

RemoteClient::RemoteClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RemoteClient::~RemoteClient() = default;

Result<std::unique_ptr<RemoteClient>> RemoteClient::connect(RemoteClientOptions options) {
  PAWL_ASSIGN(std::unique_ptr<Impl> impl, Impl::create(std::move(options)));
  std::unique_ptr<RemoteClient> client(new RemoteClient(std::move(impl)));
  PAWL_TRY(client->impl_->ask_as<ServerInfo>(GetServer{}));
  return client;
}

Result<ExecutionId> RemoteClient::submit(SubmitRequest request) {
  if (request.request_id.empty()) request.request_id = fresh_request_id();
  PAWL_ASSIGN(Submitted submitted, impl_->ask_as<Submitted>(std::move(request)));
  return submitted.execution;
}

Result<ExecutionDetail> RemoteClient::submit_and_wait(SubmitRequest request) {
  if (request.request_id.empty()) request.request_id = fresh_request_id();
  return impl_->ask_as<ExecutionDetail>(RunRequest{std::move(request)});
}

Result<Registered> RemoteClient::register_definition(RegisterDefinition definition) {
  return impl_->ask_as<Registered>(std::move(definition));
}

Result<ExecutionDetail> RemoteClient::execution(ExecutionId execution) {
  return impl_->ask_as<ExecutionDetail>(GetExecution{execution});
}

Result<ExecutionList> RemoteClient::executions(ListExecutions query) {
  return impl_->ask_as<ExecutionList>(query);
}

Result<History> RemoteClient::history(ReadHistory query) {
  return impl_->ask_as<History>(query);
}

Result<LogPart> RemoteClient::log(ReadLog query) {
  return impl_->ask_as<LogPart>(std::move(query));
}

Result<uint64_t> RemoteClient::cancel(Selection what, std::string reason) {
  PAWL_ASSIGN(Changed changed, as<Changed>(call(Cancel{std::move(what), std::move(reason)})));
  return changed.count;
}

Result<std::string> RemoteClient::text(const Payload& payload) {
  if (!payload.is_blob()) return payload.text();
  BlobRef ref = payload.ref();
  std::string text;
  while (text.size() < ref.size) {
    PAWL_ASSIGN(PayloadPart part, impl_->ask_as<PayloadPart>(ReadPayload{ref, text.size()}));
    if (part.text.empty()) return Error{Code::internal, "a part of a payload came empty"};
    text += part.text;
  }
  if (hash128(text) != ref.hash)
    return Error{Code::data_loss, "a large payload is not what was stored; run `pawl verify`"};
  return text;
}

Result<Settlement> RemoteClient::wait(ExecutionId execution, Duration at_most) {
  return as<Settlement>(impl_->ask(AwaitExecution{execution}, at_most));
}

CallResult RemoteClient::call(Call call) {
  return impl_->ask_once(std::move(call), Duration::forever());
}

}  // namespace pawl
