#include "pawl/adapter/http/web_socket_client.h"

#include <netdb.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "pawl/adapter/http/response_reader.h"
#include "pawl/adapter/http/web_socket.h"
#include "pawl/adapter/linux_loop/linux_clock.h"
#include "pawl/base/json.h"

namespace pawl {
namespace {

constexpr size_t read_bytes = 64 << 10;

struct FreeAddresses {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

Result<Addresses> addresses_of(const HttpUrl& url) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  int failed = getaddrinfo(url.host.c_str(), std::to_string(url.port).c_str(), &hints, &found);
  if (failed == 0) return Addresses(found);
  return Error{Code::unavailable,
               "the address of " + url.host + " is not known: " + gai_strerror(failed)};
}

Code code_of(int status) {
  if (status == 401) return Code::unauthenticated;
  if (status == 403) return Code::permission_denied;
  if (status == 429) return Code::resource_exhausted;
  if (status >= 500) return Code::unavailable;
  return Code::unimplemented;
}

// What a server says that does not agree to a WebSocket.
Error refusal(const HttpResponse& response) {
  Code code = code_of(response.status);
  if (json_validate(response.body).ok()) {
    auto message = json_find(response.body, {"error", "message"});
    if (message && json_kind(*message) == JsonKind::string) return {code, json_unquote(*message)};
  }
  return {code, "it answers " + std::to_string(response.status) + " " +
                    std::string(reason_phrase(response.status)) + " instead of a WebSocket"};
}

class Dialled final : public WebSocketClient,
                      private FdWatcher,
                      private Actor,
                      private Sink<std::string_view> {
 public:
  Dialled(WebSocketDial options, LinuxLoop& loop, WebSocketClientHandler& handler,
          Addresses addresses)
      : options_(std::move(options)),
        loop_(loop),
        handler_(handler),
        addresses_(std::move(addresses)),
        next_(addresses_.get()),
        reader_({}),
        socket_(WebSocketSide::client, options_.message_bytes_max, messages()) {
    deadline_ = clock_.monotonic() + options_.connect_patience;
    loop_.add(static_cast<Actor&>(*this));
  }
  ~Dialled() override {
    loop_.remove(static_cast<Actor&>(*this));
    if (phase_ == Phase::open) {
      socket_.close(1000, "");
      out_ += socket_.take();
      flush();
      if (stream_ != nullptr) stream_->finish();
    }
    hang_up();
  }

  bool open() const override { return phase_ == Phase::open; }

  Status send(std::string_view text) override {
    if (lost_) return *lost_;
    if (text.size() > options_.message_bytes_max)
      return too_much("a message of " + std::to_string(text.size()) + " bytes", "message_bytes_max",
                      options_.message_bytes_max);
    if (waiting() + text.size() > options_.output_bytes_max)
      return too_much("the server does not read: more", "output_bytes_max",
                      options_.output_bytes_max);
    socket_.send(text);
    if (phase_ != Phase::open) {
      queued_ += text.size();
      return {};
    }
    out_ += socket_.take();
    flush();
    watch();
    return {};
  }

  // An address may be refused at once, a file be unusable.
  Status connect_next() {
    int why = 0;
    for (; next_ != nullptr; why = errno) {
      hang_up();
      const addrinfo& address = *std::exchange(next_, next_->ai_next);
      fd_ = socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
      if (fd_ < 0) continue;
      int on = 1;
      (void)setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      if (connect(fd_, address.ai_addr, address.ai_addrlen) != 0 && errno != EINPROGRESS) continue;
      return watch_for(EPOLLOUT);
    }
    lose({Code::unavailable, std::string("nobody is there: ") + strerror(why)});
    return {};
  }

 private:
  enum class Phase : uint8_t { connecting, agreeing, open, over };

  static Error too_much(const std::string& what, const char* limit, uint64_t most) {
    return {Code::resource_exhausted,
            what + " is beyond the limit " + limit + " (" + std::to_string(most) + ")"};
  }
  Sink<std::string_view>& messages() { return *this; }
  size_t waiting() const { return queued_ + out_.size() - written_; }

  bool turn() override {
    if (lost_ && !std::exchange(told_, true)) {
      handler_.lost(*lost_);
      return false;
    }
    if (phase_ == Phase::over || clock_.monotonic() < deadline_) return false;
    if (phase_ != Phase::open) {
      lose({Code::unavailable, "no answer within " + seconds(options_.connect_patience)});
    } else if (std::exchange(pinged_, true)) {
      lose({Code::unavailable, "nothing came for " + seconds(options_.silence_patience)});
    } else {
      deadline_ = clock_.monotonic() + Duration{options_.silence_patience.ns / 2};
      socket_.ping();
      out_ += socket_.take();
      flush();
      watch();
    }
    return lost_ && !told_;
  }
  Instant deadline() const override { return phase_ == Phase::over ? Instant::never() : deadline_; }
  static std::string seconds(Duration time) {
    return std::to_string(time.ns / 1'000'000'000) + " seconds";
  }

  void ready(uint32_t) override {
    if (phase_ == Phase::connecting && !connected()) return;
    read();
    flush();
    watch();
  }

  bool connected() {
    int why = 0;
    socklen_t size = sizeof why;
    getsockopt(fd_, SOL_SOCKET, SO_ERROR, &why, &size);
    if (why != 0 && next_ == nullptr) {
      lose({Code::unavailable, std::string("nobody is there: ") + strerror(why)});
    } else if (why != 0) {
      if (Status next = connect_next(); !next.ok()) lose(next.error());
    } else {
      agree();
    }
    return phase_ == Phase::agreeing;
  }

  void agree() {
    const HttpUrl& url = options_.url;
    if (url.tls) {
      auto stream = connect_tls(fd_, url.host, options_.tls);
      if (!stream.ok()) return lose(stream.error());
      stream_ = std::move(*stream);
    } else {
      stream_ = plain_stream(fd_);
    }
    key_ = websocket_key();
    out_ = "GET " + url.path + options_.target + " HTTP/1.1\r\nHost: " + url.authority() +
           "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
           "Sec-WebSocket-Key: " +
           key_ + "\r\nSec-WebSocket-Protocol: " + options_.protocol + "\r\n";
    if (!options_.token.empty()) out_ += "Authorization: Bearer " + options_.token + "\r\n";
    out_ += "\r\n";
    phase_ = Phase::agreeing;
  }

  void read() {
    std::array<char, read_bytes> buffer;
    do {
      Moved moved = stream_->read(buffer.data(), buffer.size());
      if (moved.state == Moved::State::again) return;
      if (moved.state == Moved::State::ended) return ended();
      take({buffer.data(), moved.bytes});
    } while (phase_ != Phase::over && stream_->holds_bytes());
  }

  void take(std::string_view bytes) {
    if (phase_ == Phase::agreeing) {
      reader_.add(bytes);
      return judge(reader_.read());
    }
    pinged_ = false;
    deadline_ = clock_.monotonic() + Duration{options_.silence_patience.ns / 2};
    hear(bytes);
  }

  void judge(ResponseReader::State state) {
    if (state == ResponseReader::State::more) return;
    if (state == ResponseReader::State::broken)
      return lose({Code::unimplemented, reader_.failure().message});
    const HttpResponse& response = reader_.response();
    if (response.status != 101) return lose(refusal(response));
    const std::string* accept = reader_.field("sec-websocket-accept");
    const std::string* protocol = reader_.field("sec-websocket-protocol");
    if (accept == nullptr || *accept != websocket_accept(key_) || protocol == nullptr ||
        *protocol != options_.protocol)
      return lose({Code::unimplemented, "it does not speak " + options_.protocol});
    phase_ = Phase::open;
    queued_ = 0;
    deadline_ = clock_.monotonic() + Duration{options_.silence_patience.ns / 2};
    out_ += socket_.take();
    std::string rest = reader_.rest();
    if (!rest.empty()) hear(rest);
  }

  void hear(std::string_view bytes) {
    socket_.hear(bytes);
    out_ += socket_.take();
    if (!socket_.over()) return;
    flush();
    const std::string& goodbye = socket_.goodbye();
    lose({Code::unavailable, goodbye.empty() ? "it has broken the rules of WebSockets"
                                             : "it has hung up: " + goodbye});
  }

  void put(std::string_view text) override { handler_.heard(text); }

  void ended() {
    std::string failure = stream_->failure();
    if (failure.find("certificate verify failed") != std::string::npos)
      return lose({Code::failed_precondition, "its certificate is not trusted: " + failure});
    if (failure.find("certificate required") != std::string::npos)
      return lose({Code::unauthenticated, "it wants a certificate to be shown"});
    if (failure.find("wrong version number") != std::string::npos)
      return lose({Code::unimplemented, "it does not speak TLS; perhaps http:// is meant"});
    if (!failure.empty()) return lose({Code::unavailable, "TLS failed: " + failure});
    if (phase_ == Phase::open)
      return lose({Code::unavailable,
                   "the connection has broken; what was on its way may or may "
                   "not have happened"});
    ResponseReader::State state = reader_.finish();
    if (state == ResponseReader::State::response) return judge(state);
    lose({Code::unavailable, std::string("it hung up without an answer") +
                                 (options_.url.tls ? "" : "; perhaps https:// is meant")});
  }

  void flush() {
    while (fd_ >= 0 && stream_ != nullptr && stream_->established() && written_ < out_.size()) {
      Moved moved = stream_->write(out_.data() + written_, out_.size() - written_);
      if (moved.state != Moved::State::bytes) break;  // if it has ended, reading says why
      written_ += moved.bytes;
    }
    if (written_ < out_.size()) return;
    out_.clear();
    written_ = 0;
  }

  void watch() {
    if (fd_ < 0 || stream_ == nullptr) return;
    bool more = stream_->established() && written_ < out_.size();
    Status watched = watch_for(more || stream_->wants_to_write() ? EPOLLIN | EPOLLOUT : EPOLLIN);
    if (!watched.ok()) lose(watched.error());
  }
  Status watch_for(uint32_t events) {
    if (events == watched_) return {};
    if (watched_ != 0) loop_.unwatch(fd_);
    watched_ = events;
    return loop_.watch(fd_, events, *this);
  }

  void lose(Error error) {
    if (lost_) return;
    lost_ = std::move(error);
    phase_ = Phase::over;
    hang_up();
    loop_.wake();  // the handler is told in a turn
  }
  void hang_up() {
    if (watched_ != 0) loop_.unwatch(fd_);
    watched_ = 0;
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }

  WebSocketDial options_;
  LinuxClock clock_;
  LinuxLoop& loop_;
  WebSocketClientHandler& handler_;
  Addresses addresses_;
  const addrinfo* next_;  // to be tried
  int fd_ = -1;
  uint32_t watched_ = 0;
  std::unique_ptr<ByteStream> stream_;
  ResponseReader reader_;
  WebSocket socket_;
  Phase phase_ = Phase::connecting;
  std::string key_;
  uint64_t queued_ = 0;  // bytes of messages before there is a connection
  std::string out_;
  size_t written_ = 0;
  bool pinged_ = false;
  Instant deadline_;
  std::optional<Error> lost_;
  bool told_ = false;
};

}  // namespace

Result<std::unique_ptr<WebSocketClient>> WebSocketClient::dial(WebSocketDial options,
                                                               LinuxLoop& loop,
                                                               WebSocketClientHandler& handler) {
  PAWL_ASSIGN(Addresses addresses, addresses_of(options.url));
  auto dialled = std::make_unique<Dialled>(std::move(options), loop, handler, std::move(addresses));
  PAWL_TRY(dialled->connect_next());
  return std::unique_ptr<WebSocketClient>(std::move(dialled));
}

}  // namespace pawl
