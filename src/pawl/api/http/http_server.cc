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
class HttpServer::Impl final : public Actor, private HttpHandler, private Desk {
 public:
  Impl(HttpServerOptions options, const Authenticator& authenticator)
      : options_(std::move(options)), authenticator_(authenticator) {}

  ~Impl() override {
    if (thread_.joinable()) {
      loop_->stop();
      thread_.join();
    }
    exchanges_.clear();
    if (loop_ != nullptr) loop_->remove(*this);
  }

  Status start(Gateway& gateway, Loop& gateway_loop) {
    PAWL_ASSIGN(loop_, LinuxLoop::create(clock_));
    loop_->add(*this);
    PAWL_ASSIGN(listener_, HttpListener::open(options_.http, *loop_, clock_, *this));
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
    return false;
  }
  Instant deadline() const override {
    return alarms_.empty() ? Instant::never() : alarms_.begin()->first;
  }

 private:
  void take(CallAnswer answer) {
    auto asked = asked_.extract(answer.ticket);
    if (asked.empty()) return;  // forgotten
    with(asked.mapped(),
         [&](Exchange& one) { return one.take(answer.ticket, std::move(answer.result)); });
  }
  template <class Do>
  void with(ExchangeId id, Do act) {
    auto found = exchanges_.find(id);
    if (found == exchanges_.end()) return;
    bool over = act(*found->second.exchange);
    if (over) end(id);  // it may have gone meanwhile
  }
  void end(ExchangeId id) {
    auto ended = exchanges_.extract(id);
    if (ended.empty()) return;
    const Open& open = ended.mapped();
    figures_.answered(open.route, open.status, clock_.monotonic() - open.since);
  }
  void refuse(ExchangeId id, HttpResponse response, Instant since) {
    figures_.answered(nullptr, response.status, clock_.monotonic() - since);
    listener_->respond(id, std::move(response));
  }

  // HttpHandler
  void heard(ExchangeId id, HttpRequest request) override {
    Instant since = clock_.monotonic();
    Translation translation = translate(request, options_.wait_max);
    const Route* route = translation.route;
    if (route == nullptr) return refuse(id, std::move(translation.refusal), since);
    Caller caller;
    Credentials shown = shown_by(request);
    if (!route->open) {
      Status here = check_origin(request, options_.local_names_only);
      if (!here.ok()) return refuse(id, to_response(here.error()), since);
      Result<Caller> known = authenticator_.authenticate(shown);
      if (!known.ok()) return refuse(id, to_response(known.error()), since);
      caller = std::move(*known);
    }
    auto exchange =
        make_exchange({*this, id, std::move(caller)}, std::move(translation), std::move(request));
    Exchange& begun = *exchange;
    exchanges_.emplace(id,
                       Open{std::move(exchange), route, since, Standing(std::move(shown), since)});
    if (begun.begin()) end(id);
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

  struct Open {
    std::unique_ptr<Exchange> exchange;
    const Route* route = nullptr;
    Instant since;
    Standing standing;
    int status = client_left;  // until it answers
  };

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
  bool stopped_ = false;
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
