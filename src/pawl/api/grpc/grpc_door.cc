#include "pawl/api/grpc/grpc_door.h"

#include <google/protobuf/message.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>
#include <pthread.h>
#include <signal.h>

#include <functional>
#include <future>
#include <set>
#include <thread>
#include <unordered_map>

#include "pawl/adapter/linux_loop/linux_clock.h"
#include "pawl/adapter/linux_loop/linux_loop.h"
#include "pawl/api/crossing.h"
#include "pawl/api/grpc/conversation.h"
#include "pawl/api/grpc/grpc_metrics.h"
#include "pawl/api/grpc/message_json.h"
#include "pawl/api/json_codec.h"
#include "pawl/api/standing.h"

namespace pawl {
namespace {

const Error not_here{Code::unavailable,
                     "this server is starting or stopping; try again in a moment"};

}  // namespace

class GrpcDoor::Impl final : public Actor, private Desk {
 public:
  static Result<std::unique_ptr<Impl>> create(GrpcDoorOptions options) {
    auto clock = std::make_unique<LinuxClock>();
    PAWL_ASSIGN(std::unique_ptr<LinuxLoop> loop, LinuxLoop::create(*clock));
    return std::make_unique<Impl>(options, std::move(clock), std::move(loop));
  }
  Impl(GrpcDoorOptions options, std::unique_ptr<LinuxClock> clock, std::unique_ptr<LinuxLoop> loop)
      : options_(options),
        clock_(std::move(clock)),
        loop_(std::move(loop)),
        news_(*loop_),
        errands_(*loop_),
        services_(make_services(news_, {options.packed_bytes_min, options.pack_for_near})) {
    loop_->add(*this);
    thread_ = std::thread([this] {
      sigset_t all;
      sigfillset(&all);
      pthread_sigmask(SIG_SETMASK, &all, nullptr);  // they are for the main thread
      loop_->run();
    });
  }
  ~Impl() override {
    loop_->stop();
    thread_.join();
    take_news();  // of calls that ended with their server
    loop_->remove(*this);
  }

  const MetricSource& metrics() const { return figures_; }
  void open(Gateway& gateway, Loop& gateway_loop, const Authenticator& authenticator) {
    crossing_ = std::make_unique<Crossing>(gateway, gateway_loop, *loop_);
    do_there([&] {
      authenticator_ = &authenticator;
      open_here_ = true;
      look_at_ = clock_->monotonic();
    });
  }
  void close() {
    if (!crossing_) return;
    do_there([&] {
      open_here_ = false;
      for (auto& [call, one] : calls_) end(one, not_here);
      asked_.clear();
      refused_.clear();
      readiness_ = 0;
      show_health(false);
    });
    crossing_.reset();
  }
  void retire() {
    do_there([&] {
      retired_ = true;
      show_health(false);
    });
  }

  void join(grpc::ServerBuilder& builder) {
    for (auto& service : services_) builder.RegisterService(service.get());
  }
  void serving(grpc::Server& server) {
    do_there([&] {
      health_ = server.GetHealthCheckService();
      show_health(false);
    });
  }
  void leaving() {
    do_there([&] { health_ = nullptr; });
  }

  bool turn() override {
    errands_.take_all(errand_batch_);
    for (std::function<void()>& errand : errand_batch_) errand();
    take_news();
    if (open_here_) {
      for (CallAnswer& answer : crossing_->take_answers()) take(std::move(answer));
      for (CallAnswer& refusal : std::exchange(refused_, {})) take(std::move(refusal));
      Instant now = clock_->monotonic();
      wake_all(now);
      look(now);
    }
    over_.clear();
    return false;
  }
  Instant deadline() const override {
    if (!open_here_) return Instant::never();
    return alarms_.empty() ? look_at_ : std::min(look_at_, alarms_.begin()->first);
  }

 private:
  struct Open {
    std::unique_ptr<ServedCall> call;
    Caller caller;
    Standing standing;
    std::unique_ptr<Conversation> talk;  // null: there is nothing to say yet, or any more
    bool writing = false;
    bool finished = false;
    std::optional<Status> end;  // once the write is over
    Instant alarm = Instant::never();
  };

  // On the door's thread, before it returns.
  template <class Do>
  void do_there(Do act) {
    auto done = std::make_shared<std::promise<void>>();  // whoever waits may be gone first
    std::future<void> over = done->get_future();
    errands_.put([&act, done] {
      act();
      done->set_value();
    });
    over.wait();
  }

  void take_news() {
    news_.take_all(news_batch_);
    for (const CallNews& one : news_batch_) {
      if (one.moment == CallMoment::opened) {
        opened(*one.call);
        continue;
      }
      Open& open = calls_.at(one.call);
      if (one.moment == CallMoment::read)
        heard(open, one.ok);
      else if (one.moment == CallMoment::written)
        written(open, one.ok);
      else if (one.moment == CallMoment::cancelled)
        end(open, Error{Code::cancelled, "the client has given up"});
      else
        close_call(*one.call);
    }
  }

  void close_call(ServedCall& call) {
    calls_.erase(&call);
    figures_.done();
  }

  void opened(ServedCall& call) {
    figures_.opened();
    Open& open = calls_[&call];
    open.call.reset(&call);
    if (!open_here_) return end(open, not_here);
    if (calls_.size() > options_.calls_open_max)
      return end(open,
                 Error{Code::resource_exhausted,
                       "the limit calls_open_max (" + std::to_string(options_.calls_open_max) +
                           " calls of gRPC at once) is reached; try again later"});
    Result<Caller> known = authenticator_->authenticate(call.shown());
    if (!known.ok()) return end(open, known.error());
    open.caller = std::move(*known);
    open.standing = Standing(call.shown(), clock_->monotonic());
    call.read();
  }

  void heard(Open& open, bool ok) {
    if (open.finished) return;
    if (!ok) return end(open, Error{Code::invalid_argument, "the call has no request"});
    std::unique_ptr<google::protobuf::Message> request = open.call->request();
    if (request == nullptr)
      return end(open, Error{Code::invalid_argument,
                             "the request is no " + open.call->method().request->GetTypeName()});
    Result<std::string> members = json_of(*request);
    if (!members.ok()) return end(open, members.error());
    Result<Call> call = call_from_json(open.call->method().call, *members);
    if (!call.ok()) return end(open, call.error());
    open.talk = make_conversation(*this, *open.call);
    open.talk->begin(std::move(*call));
  }

  void written(Open& open, bool ok) {
    open.writing = false;
    if (open.end) return conclude(open);
    if (!ok) return end(open, Error{Code::cancelled, "the client is gone"});
    if (open.talk) open.talk->written();
  }

  void take(CallAnswer answer) {
    auto asked = asked_.extract(answer.ticket);
    if (asked.empty()) return;  // forgotten
    ServedCall* call = asked.mapped();
    if (call == nullptr) return ready(answer.result);
    Open& open = calls_.at(call);
    if (!open.talk) return;
    if (Status still = check_standing(open); !still.ok()) answer.result = still.error();
    open.talk->take(answer.ticket, std::move(answer.result));
  }

  void wake_all(Instant now) {
    while (!alarms_.empty() && alarms_.begin()->first <= now) {
      ServedCall* call = alarms_.extract(alarms_.begin()).value().second;
      Open& open = calls_.at(call);
      open.alarm = Instant::never();
      if (open.talk) open.talk->woken();
    }
  }

  // What the client hears last. A write that is on its way ends first.
  void end(Open& open, Status status) {
    if (open.finished) return;
    hush(open);
    open.finished = true;
    figures_.answered(open.call->method(), status.ok() ? Code::ok : status.error().code);
    open.end = std::move(status);
    if (!open.writing) conclude(open);
  }
  void conclude(Open& open) { open.call->finish(*std::exchange(open.end, std::nullopt)); }
  void hush(Open& open) {
    if (open.alarm != Instant::never()) alarms_.erase({open.alarm, open.call.get()});
    open.alarm = Instant::never();
    if (open.talk) over_.push_back(std::move(open.talk));  // it may be what is running now
  }

  void look(Instant now) {
    if (look_at_ > now || readiness_ != 0) return;
    look_at_ = now + options_.readiness_every;
    readiness_ = ++last_ticket_;
    asked_.emplace(readiness_, nullptr);
    crossing_->order(Crossing::Ask{{readiness_, GetServer{}}, Caller{}});
  }
  void ready(const CallResult& result) {
    readiness_ = 0;
    const auto* server = std::get_if<ServerInfo>(&result);
    show_health(!retired_ && server != nullptr && server->unready.empty());
  }
  void show_health(bool serves) {
    if (health_ == nullptr || (shown_ && *shown_ == serves)) return;
    shown_ = serves;
    health_->SetServingStatus("", serves);
    health_->SetServingStatus("pawl.v1.Workers", serves);
    for (const Method& method : methods()) health_->SetServingStatus(service_name(method), serves);
  }

  // Desk
  Ticket ask(ServedCall& call, Call question) override {
    Ticket ticket = ++last_ticket_;
    asked_.emplace(ticket, &call);
    Open& open = calls_.at(&call);
    if (Status still = check_standing(open); !still.ok()) {
      refused_.push_back({ticket, still.error()});
      loop_->wake();
      return ticket;
    }
    crossing_->order(Crossing::Ask{{ticket, std::move(question)}, open.caller});
    open.caller.counted = true;  // what follows belongs to the same request
    return ticket;
  }
  Status check_standing(Open& open) {
    return open.standing.check(*authenticator_, clock_->monotonic(),
                               options_.authenticate_again_every);
  }
  void forget(Ticket ticket) override {
    if (asked_.erase(ticket) > 0 && open_here_) crossing_->order(Crossing::Forget{ticket});
  }
  void write(ServedCall& call, const google::protobuf::Message& message) override {
    calls_.at(&call).writing = true;
    call.write(message);
  }
  void answer(ServedCall& call, const google::protobuf::Message& message) override {
    Open& open = calls_.at(&call);
    hush(open);
    open.finished = true;
    figures_.answered(call.method(), Code::ok);
    call.answer(message);
  }
  void finish(ServedCall& call, Status status) override {
    end(calls_.at(&call), std::move(status));
  }
  void wake_in(ServedCall& call, Duration time) override {
    Open& open = calls_.at(&call);
    if (open.alarm != Instant::never()) alarms_.erase({open.alarm, &call});
    open.alarm = clock_->monotonic() + time;
    alarms_.emplace(open.alarm, &call);
  }
  Duration progress_every() const override { return options_.progress_every; }

  const GrpcDoorOptions options_;
  GrpcFigures figures_;
  std::unique_ptr<LinuxClock> clock_;
  std::unique_ptr<LinuxLoop> loop_;
  Mailbox<CallNews> news_;
  Mailbox<std::function<void()>> errands_;
  std::vector<CallNews> news_batch_;
  std::vector<std::function<void()>> errand_batch_;
  std::vector<std::shared_ptr<grpc::Service>> services_;
  std::unique_ptr<Crossing> crossing_;
  const Authenticator* authenticator_ = nullptr;
  bool open_here_ = false;  // there is a crossing
  bool retired_ = false;
  std::unordered_map<ServedCall*, Open> calls_;
  std::unordered_map<Ticket, ServedCall*> asked_;  // null: for health
  std::vector<CallAnswer> refused_;                // of whoever is not known any more
  std::set<std::pair<Instant, ServedCall*>> alarms_;
  std::vector<std::unique_ptr<Conversation>> over_;  // destroyed in a turn
  Ticket last_ticket_ = 0;
  Ticket readiness_ = 0;  // the question that is open; 0: none
  Instant look_at_ = Instant::never();
  grpc::HealthCheckServiceInterface* health_ = nullptr;
  std::optional<bool> shown_;
  std::thread thread_;
};

GrpcDoor::GrpcDoor(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
GrpcDoor::~GrpcDoor() = default;

Result<std::unique_ptr<GrpcDoor>> GrpcDoor::create(GrpcDoorOptions options) {
  PAWL_ASSIGN(std::unique_ptr<Impl> impl, Impl::create(options));
  return std::unique_ptr<GrpcDoor>(new GrpcDoor(std::move(impl)));
}

void GrpcDoor::open(Gateway& gateway, Loop& gateway_loop, const Authenticator& authenticator) {
  impl_->open(gateway, gateway_loop, authenticator);
}
const MetricSource& GrpcDoor::metrics() const {
  return impl_->metrics();
}
void GrpcDoor::retire() {
  impl_->retire();
}
void GrpcDoor::close() {
  impl_->close();
}
void GrpcDoor::join(grpc::ServerBuilder& builder) {
  impl_->join(builder);
}
void GrpcDoor::serving(grpc::Server& server) {
  impl_->serving(server);
}
void GrpcDoor::leaving() {
  impl_->leaving();
}

}  // namespace pawl
