#include "pawl/adapter/http/http_listener.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <vector>

#include "pawl/adapter/http/http_connection.h"

namespace pawl {
namespace {

constexpr Duration time_check_every = Duration::milliseconds(250);
constexpr Duration accept_pause = Duration::milliseconds(200);  // out of descriptors
constexpr int accepts_per_round = 64;
constexpr Duration tls_look_every = Duration::milliseconds(100);

struct FreeAddresses {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

Result<Addresses> addresses_of(const std::string& listen) {
  size_t colon = listen.rfind(':');
  std::string host = listen.substr(0, colon == std::string::npos ? 0 : colon);
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  if (colon == std::string::npos || host.empty())
    return Error{Code::invalid_argument,
                 "\"" + listen +
                     "\" is no address to listen on; write address:port, as in "
                     "127.0.0.1:8080 or [::]:8080"};
  std::string port = listen.substr(colon + 1);
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  int failed = getaddrinfo(host.c_str(), port.c_str(), &hints, &found);
  if (failed != 0)
    return Error{Code::invalid_argument,
                 "\"" + listen + "\" is no address to listen on: " + gai_strerror(failed)};
  return Addresses(found);
}

Result<int> listen_on(const std::string& listen_at) {
  PAWL_ASSIGN(Addresses addresses, addresses_of(listen_at));
  int fd = socket(addresses->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  int on = 1;
  bool open = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
              bind(fd, addresses->ai_addr, addresses->ai_addrlen) == 0 && listen(fd, 4096) == 0;
  if (open) return fd;
  Error error{Code::unavailable,
              "cannot listen on " + listen_at + ": " + std::string(strerror(errno))};
  if (fd >= 0) close(fd);
  return error;
}

uint16_t port_of(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  if (address.ss_family == AF_INET6)
    return ntohs(reinterpret_cast<const sockaddr_in6*>(&address)->sin6_port);
  return ntohs(reinterpret_cast<const sockaddr_in*>(&address)->sin_port);
}

class Listener final : public HttpListener, public Actor, private FdWatcher {
 public:
  Listener(HttpOptions options, LinuxLoop& loop, Clock& clock, HttpHandler& handler,
           std::shared_ptr<TlsContext> tls, int fd)
      : options_(std::move(options)),
        house_{options_, loop, clock, handler},
        tls_(std::move(tls)),
        tls_state_(tls_ != nullptr ? TlsContext::state_of(options_.tls) : 0),
        fd_(fd),
        port_(port_of(fd)) {
    house_.loop.add(*this);
  }
  ~Listener() override {
    house_.loop.remove(*this);
    stop_accepting();
  }
  Status open() { return house_.loop.watch(fd_, EPOLLIN, *this); }

  uint16_t port() const override { return port_; }
  size_t connections() const override { return open_; }

  void respond(ExchangeId id, HttpResponse response) override {
    if (auto* at = find(id)) at->respond(std::move(response));
  }
  void start_stream(ExchangeId id, HttpResponse head) override {
    if (auto* at = find(id)) at->start_stream(std::move(head));
  }
  void write(ExchangeId id, std::string_view piece) override {
    if (auto* at = find(id)) at->write(piece);
  }
  void end(ExchangeId id) override {
    if (auto* at = find(id)) at->end();
  }
  Status upgrade(ExchangeId id, const HttpRequest& request, std::string_view protocol) override {
    auto* at = find(id);
    return at != nullptr ? at->upgrade(request, protocol) : Status();
  }
  void send(ExchangeId id, std::string_view text) override {
    if (auto* at = find(id)) at->send(text);
  }
  void close(ExchangeId id, uint16_t code, std::string_view reason) override {
    if (auto* at = find(id)) at->close(code, reason);
  }
  uint64_t waiting(ExchangeId id) const override {
    auto* at = find(id);
    return at != nullptr ? at->waiting() : 0;
  }
  void stop_accepting() override {
    if (fd_ < 0) return;
    house_.loop.unwatch(fd_);
    ::close(fd_);
    fd_ = -1;
    for (auto& one : slots_)
      if (one != nullptr) one->close_when_idle();
  }

  bool turn() override {
    Instant now = house_.clock.monotonic();
    if (now >= accept_again_at_ && fd_ >= 0) {
      accept_again_at_ = Instant::never();
      (void)house_.loop.watch(fd_, EPOLLIN, *this);
    }
    if (now >= check_at_) {
      for (size_t i = 0; i < slots_.size(); ++i)
        if (slots_[i] != nullptr) slots_[i]->check_time(now);
      check_at_ = open_ > 0 ? now + time_check_every : Instant::never();
    }
    for (ExchangeId id : std::exchange(house_.drained, {}))
      if (auto* at = find(id); at != nullptr && at->waiting() == 0) house_.handler.drained(id);
    if (std::exchange(house_.any_over, false)) clear_away();
    return false;
  }
  Instant deadline() const override { return std::min(check_at_, accept_again_at_); }

 private:
  static constexpr uint64_t slot_mask = (uint64_t{1} << HttpConnection::slot_bits) - 1;

  void clear_away() {
    for (uint32_t slot = 0; slot < slots_.size(); ++slot) {
      if (slots_[slot] == nullptr || !slots_[slot]->over()) continue;
      slots_[slot].reset();
      free_.push_back(slot);
      --open_;
    }
  }

  HttpConnection* find(ExchangeId id) const {
    uint64_t slot = id & slot_mask;
    if (slot >= slots_.size() || slots_[slot] == nullptr || !slots_[slot]->serves(id))
      return nullptr;
    return slots_[slot].get();
  }

  void ready(uint32_t) override {
    for (int i = 0; i < accepts_per_round; ++i) {
      int client = accept4(fd_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (client < 0) {
        bool none_left = errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS;
        if (none_left) pause_accepting();
        return;
      }
      welcome(client);
    }
  }

  void pause_accepting() {
    house_.loop.unwatch(fd_);
    accept_again_at_ = house_.clock.monotonic() + accept_pause;
  }

  void welcome(int client) {
    int on = 1;
    (void)setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (open_ >= options_.connections_max) return turn_away(client);
    if (tls_ != nullptr) renew_tls();
    auto stream = tls_ != nullptr ? tls_->accept(client) : plain_stream(client);
    if (stream == nullptr) {
      ::close(client);
      return;
    }
    uint32_t slot = static_cast<uint32_t>(slots_.size());
    if (free_.empty()) {
      slots_.emplace_back();
    } else {
      slot = free_.back();
      free_.pop_back();
    }
    slots_[slot] = std::make_unique<HttpConnection>(house_, client, slot, std::move(stream));
    ++open_;
    if (check_at_ == Instant::never()) check_at_ = house_.clock.monotonic() + time_check_every;
    if (!slots_[slot]->open().ok()) {
      slots_[slot].reset();
      free_.push_back(slot);
      --open_;
    }
  }

  // Certificates are renewed by replacing their files: new connections get the new ones, as soon as
  // they can be used together. What cannot is said once for each state of the files.
  void renew_tls() {
    Instant now = house_.clock.monotonic();
    if (now < look_at_tls_at_) return;
    look_at_tls_at_ = now + tls_look_every;
    uint64_t state = TlsContext::state_of(options_.tls);
    if (state == tls_state_) return;
    auto renewed = TlsContext::load(options_.tls);
    if (!renewed.ok()) {
      if (std::exchange(tls_refused_, state) != state && options_.telemetry != nullptr)
        options_.telemetry->warn("certificate_not_renewed",
                                 renewed.error().message + "; the one before stays in use");
      return;
    }
    tls_ = std::move(*renewed);
    tls_state_ = state;
  }

  void turn_away(int client) {
    if (tls_ == nullptr) {
      HttpResponse full =
          problem(503, Code::resource_exhausted,
                  "the limit connections_max (" + std::to_string(options_.connections_max) +
                      ") is reached; try again in a moment");
      full.fields = {{"Retry-After", "1"}};
      std::string bytes = head_of(full, HttpFraming::sized, full.body.size(), false,
                                  http_date(house_.clock.wall())) +
                          full.body;
      (void)!::send(client, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    ::close(client);
  }

  HttpOptions options_;
  HttpConnection::House house_;
  std::shared_ptr<TlsContext> tls_;
  uint64_t tls_state_ = 0;    // of its files, when they were read
  uint64_t tls_refused_ = 0;  // of files that could not be used
  Instant look_at_tls_at_;
  int fd_;
  uint16_t port_;
  std::vector<std::unique_ptr<HttpConnection>> slots_;
  std::vector<uint32_t> free_;
  size_t open_ = 0;
  Instant check_at_ = Instant::never();
  Instant accept_again_at_ = Instant::never();
};

}  // namespace

Result<std::unique_ptr<HttpListener>> HttpListener::open(HttpOptions options, LinuxLoop& loop,
                                                         Clock& clock, HttpHandler& handler) {
  std::shared_ptr<TlsContext> tls;
  if (options.tls_on) {
    PAWL_ASSIGN(tls, TlsContext::load(options.tls));
  }
  PAWL_ASSIGN(int fd, listen_on(options.listen));
  auto listener =
      std::make_unique<Listener>(std::move(options), loop, clock, handler, std::move(tls), fd);
  PAWL_TRY(listener->open());
  return std::unique_ptr<HttpListener>(std::move(listener));
}

}  // namespace pawl
