#include "pawl/api/http/http_server.h"

#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <set>
#include <thread>
#include <unordered_map>

#include "pawl/adapter/linux_loop/linux_clock.h"
#include "pawl/api/crossing.h"
#include "pawl/api/http/exchange.h"
#include "pawl/api/http/http_metrics.h"
#include "pawl/api/http/origin.h"
#include "pawl/api/standing.h"

namespace pawl {
namespace {

constexpr Duration farewell_max = Duration::seconds(1);  // for clients to take it
constexpr uint16_t going_away = 1001;                    // to a WebSocket (RFC 6455, 7.4.1)

}  // namespace

class HttpServer::Impl final : public Actor, private HttpHandler, private Desk {
 public:
  Impl(HttpServerOptions options, const Authenticator& authenticator)
      : options_(std::move(options)), authenticator_(authenticator) {}

  ~Impl() override {
    if (thread_.joinable()) {
      leaving_.store(true);
      loop_->wake();
      thread_.join();
    }
    exchanges_.clear();
    if (loop_ != nullptr) loop_->remove(*this);
  }

  Status start(Gateway& gateway, Loop& gateway_loop) {
    PAWL_ASSIGN(loop_, LinuxLoop::create(clock_));
    PAWL_ASSIGN(listener_, HttpListener::open(options_.http, *loop_, clock_, *this));
    loop_->add(*this);  // behind the listener: its turns see who has left
    crossing_ = std::make_unique<Crossing>(gateway, gateway_loop, *loop_);
    thread_ = std::thread([this] {
      sigset_t all;
      sigfillset(&all);
      pthread_sigmask(SIG_SETMASK, &all, nullptr);  // they are for the main thread
      loop_->run();
    });
    return {};
  }

  uint16_t port() const { return listener_->port(); }
  void retire() { retired_.store(true); }
  void stop_accepting() {
    stopping_.store(true);
    loop_->wake();
  }

  bool turn() override {
    if (stopping_.load() && !std::exchange(stopped_, true)) listener_->stop_accepting();
    for (CallAnswer& answer : crossing_->take_answers()) take(std::move(answer));
    for (CallAnswer& refusal : std::exchange(refused_, {})) take(std::move(refusal));
    for (ExchangeId id : std::exchange(gone_, {})) end(id);
    Instant time = clock_.monotonic();
    while (!alarms_.empty() && alarms_.begin()->first <= time) {
      ExchangeId id = alarms_.extract(alarms_.begin()).value().second;
      with(id, [](Exchange& one) { return one.wake(); });
    }
    if (leaving_.load()) leave(time);
    return false;
  }
  Instant deadline() const override {
    return alarms_.empty() ? leave_by_ : std::min(leave_by_, alarms_.begin()->first);
  }

 private:
  struct Open {
    std::unique_ptr<Exchange> exchange{};  // null: its body has not come
    const Route* route = nullptr;
    Caller caller{};
    Instant since{};  // its head came
    Standing standing{};
    int status = client_left;  // until it answers
  };

  void take(CallAnswer answer) {
    auto asked = asked_.extract(answer.ticket);
    if (asked.empty()) return;  // forgotten
    ExchangeId id = asked.mapped();
    if (Status still = check_standing(id); !still.ok()) answer.result = still.error();
    with(id, [&](Exchange& one) { return one.take(answer.ticket, std::move(answer.result)); });
  }
  template <class Do>
  void with(ExchangeId id, Do act) {
    auto found = exchanges_.find(id);
    if (found == exchanges_.end() || found->second.exchange == nullptr) return;
    bool over = act(*found->second.exchange);
    if (over) end(id);  // it may have gone meanwhile
  }
  void end(ExchangeId id) {
    auto ended = exchanges_.extract(id);
    if (ended.empty()) return;
    const Open& open = ended.mapped();
    figures_.answered(open.route, open.status, clock_.monotonic() - open.since);
  }
  void leave(Instant now) {
    if (leave_by_ == Instant::never()) {
      leave_by_ = now + farewell_max;
      listener_->stop_accepting();
      std::vector<ExchangeId> open;
      for (const auto& [id, one] : exchanges_) open.push_back(id);
      for (ExchangeId id : open) say_goodbye(id);
    }
    if (listener_->connections() == 0 || now >= leave_by_) loop_->stop();
  }
  void say_goodbye(ExchangeId id) {
    Error why{Code::unavailable, "this server is stopping"};
    with(id, [&](Exchange& one) { return one.stop(why); });
    listener_->close(id, going_away, why.message);
  }

  // HttpHandler
  // Who asks for what stands in the head: nothing of a body is read, unpacked or parsed for nobody.
  std::optional<HttpResponse> admit(ExchangeId id, const HttpRequest& head,
                                    bool body_follows) override {
    Open open{.since = clock_.monotonic()};
    std::optional<HttpResponse> refusal = admit(open, head, body_follows);
    if (refusal)
      figures_.answered(nullptr, refusal->status, clock_.monotonic() - open.since);
    else
      exchanges_.emplace(id, std::move(open));
    return refusal;
  }
  std::optional<HttpResponse> admit(Open& open, const HttpRequest& head, bool body_follows) {
    open.route = match(head.method, head.path()).route;
    if (open.route == nullptr) return translate(head, options_.wait_max).refusal;
    if (open.route->open) {
      if (!body_follows) return {};
      return to_response(Error{Code::invalid_argument, std::string(open.route->method) + " " +
                                                           open.route->path + " takes no body"});
    }
    Status here = check_origin(head, options_.local_names_only);
    if (!here.ok()) return to_response(here.error());
    Credentials shown = shown_by(head);
    Result<Caller> known = authenticator_.authenticate(shown);
    if (!known.ok()) return to_response(known.error());
    open.caller = std::move(*known);
    open.standing = Standing(std::move(shown), open.since);
    return {};
  }
  void heard(ExchangeId id, HttpRequest request) override {
    Open& open = exchanges_.at(id);
    Translation translation = translate(request, options_.wait_max);
    if (translation.route == nullptr) {
      open.status = translation.refusal.status;
      listener_->respond(id, std::move(translation.refusal));
      return end(id);
    }
    open.exchange = make_exchange({*this, id, std::move(open.caller)}, std::move(translation),
                                  std::move(request));
    if (open.exchange->begin()) end(id);
  }
  void message(ExchangeId id, std::string_view text) override {
    with(id, [&](Exchange& one) { return one.message(text); });
  }
  void drained(ExchangeId id) override {
    with(id, [](Exchange& one) { return one.drained(); });
  }
  void gone(ExchangeId id) override {
    gone_.push_back(id);
    loop_->wake();
  }

  // Desk
  HttpListener& listener() override { return *listener_; }
  const HttpServerOptions& options() const override { return options_; }
  Instant now() override { return clock_.monotonic(); }
  bool stopping() const override { return retired_.load() || stopping_.load(); }
  Ticket ask(ExchangeId id, Call call, const Caller& caller) override {
    Ticket ticket = ++last_ticket_;
    asked_.emplace(ticket, id);
    if (Status still = check_standing(id); !still.ok()) {
      refused_.push_back({ticket, still.error()});
      loop_->wake();
      return ticket;
    }
    crossing_->order(Crossing::Ask{{ticket, std::move(call)}, caller});
    return ticket;
  }
  Status check_standing(ExchangeId id) {
    auto found = exchanges_.find(id);
    if (found == exchanges_.end() || found->second.route->open) return {};
    return found->second.standing.check(authenticator_, clock_.monotonic(),
                                        options_.authenticate_again_every);
  }
  void stop_waiting(Ticket ticket) override { crossing_->order(Crossing::StopWaiting{ticket}); }
  void forget(Ticket ticket) override {
    if (asked_.erase(ticket) > 0) crossing_->order(Crossing::Forget{ticket});
  }
  void set_alarm(ExchangeId id, Instant before, Instant at) override {
    if (before != Instant::never()) alarms_.erase({before, id});
    if (at != Instant::never()) alarms_.insert({at, id});
  }

  void answering(ExchangeId id, int status) override {
    if (auto found = exchanges_.find(id); found != exchanges_.end()) found->second.status = status;
  }
  void write_metrics(Exposition& page) const override {
    uint64_t streams = 0;
    for (const auto& [id, open] : exchanges_) streams += is_stream(*open.route) ? 1 : 0;
    page.measured("pawl_http_connections", "Clients connected over HTTP", listener_->connections());
    page.measured("pawl_http_streams", "Event streams and WebSockets open", streams);
    figures_.write(page);
  }

  HttpServerOptions options_;
  const Authenticator& authenticator_;
  LinuxClock clock_;
  std::unique_ptr<LinuxLoop> loop_;
  std::unique_ptr<Crossing> crossing_;
  std::unique_ptr<HttpListener> listener_;
  std::unordered_map<ExchangeId, Open> exchanges_;
  HttpFigures figures_;
  std::unordered_map<Ticket, ExchangeId> asked_;
  std::set<std::pair<Instant, ExchangeId>> alarms_;
  std::vector<CallAnswer> refused_;  // of whoever is not known any more
  std::vector<ExchangeId> gone_;     // destroyed in a turn: they may be what is running now
  Ticket last_ticket_ = 0;
  std::atomic<bool> retired_{false};
  std::atomic<bool> stopping_{false};
  std::atomic<bool> leaving_{false};
  bool stopped_ = false;
  Instant leave_by_ = Instant::never();
  std::thread thread_;
};

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpServer::~HttpServer() = default;

Result<std::unique_ptr<HttpServer>> HttpServer::start(HttpServerOptions options, Gateway& gateway,
                                                      Loop& loop,
                                                      const Authenticator& authenticator) {
  auto impl = std::make_unique<Impl>(std::move(options), authenticator);
  PAWL_TRY(impl->start(gateway, loop));
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

uint16_t HttpServer::port() const {
  return impl_->port();
}

void HttpServer::retire() {
  impl_->retire();
}

void HttpServer::stop_accepting() {
  impl_->stop_accepting();
}

}  // namespace pawl
