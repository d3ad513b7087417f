#include "pawl/adapter/http/http_connection.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "pawl/adapter/http/gzip.h"

namespace pawl {
namespace {

constexpr size_t read_bytes = 64 << 10;  // of one client in one round

// An element of a list, in lower case and without spaces: "gzip;q=0.5".
std::string element_at(std::string_view list) {
  std::string low;
  for (char c : list.substr(0, list.find(','))) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    if (c != ' ' && c != '\t') low += c;
  }
  return low;
}

// A word with the weight 0 is one that is not wanted (RFC 9110, 12.4.2).
bool contains_word(const std::string* list, std::string_view word) {
  std::string_view rest = list != nullptr ? std::string_view(*list) : std::string_view();
  while (!rest.empty()) {
    std::string element = element_at(rest);
    rest.remove_prefix(std::min(rest.find(','), rest.size() - 1) + 1);
    size_t end = std::min(element.find(';'), element.size());
    if (std::string_view(element).substr(0, end) != word) continue;
    size_t weight = element.find(";q=", end);
    return weight == std::string::npos ||
           element.find_first_not_of("0.", weight + 3) != std::string::npos;
  }
  return false;
}

}  // namespace

HttpConnection::HttpConnection(House& house, int fd, uint32_t slot,
                               std::unique_ptr<ByteStream> stream)
    : house_(house), fd_(fd), slot_(slot), stream_(std::move(stream)), reader_(house.options) {}

HttpConnection::~HttpConnection() {
  if (watched_ != 0) house_.loop.unwatch(fd_);
  ::close(fd_);
}

Status HttpConnection::open() {
  await(true);
  watched_ = EPOLLIN | EPOLLRDHUP;
  Status watched = house_.loop.watch(fd_, watched_, *this);
  if (!watched.ok()) watched_ = 0;
  return watched;
}

HttpConnection::Awaited HttpConnection::awaited() const {
  bool taking = waiting() > 0;
  switch (phase_) {
    case Phase::reading:
      if (taking) return Awaited::taking;
      if (reader_.in_body()) return Awaited::body;
      // The first head is awaited from the beginning.
      return reader_.started() || awaited_ == Awaited::head ? Awaited::head : Awaited::request;
    case Phase::streaming:
      return taking ? Awaited::taking : Awaited::nothing;
    case Phase::socket:
      return parting_ ? Awaited::goodbye : Awaited::message;
    case Phase::hanging_up:
      return said_goodbye_ ? Awaited::leaving : Awaited::taking;
    case Phase::answering:
    case Phase::over:
      break;
  }
  return Awaited::nothing;
}

Duration HttpConnection::patience() const {
  const HttpOptions& options = house_.options;
  switch (awaited_) {
    case Awaited::request:
      return options.idle_patience;
    case Awaited::head:
    case Awaited::goodbye:
      return options.head_patience;
    case Awaited::body:
      return options.body_patience;
    case Awaited::taking:
      return options.write_patience;
    case Awaited::message:
      return options.silence_patience;
    case Awaited::leaving:
      return options.linger_patience;
    case Awaited::nothing:
      break;
  }
  return Duration::forever();
}

// The deadline is set when something else is awaited, or anew.
void HttpConnection::await(bool anew) {
  Awaited now = awaited();
  if (now == awaited_ && !anew) return;
  awaited_ = now;
  deadline_ = now == Awaited::nothing ? Instant::never() : house_.clock.monotonic() + patience();
}

void HttpConnection::ready(uint32_t events) {
  if (phase_ == Phase::over) return;
  if ((events & (EPOLLERR | EPOLLHUP)) != 0) return leave();
  if ((events & EPOLLOUT) != 0) {
    if (!flush()) return;
    if (phase_ == Phase::reading && reader_.buffered() > 0) proceed();
  }
  if (phase_ == Phase::over) return;
  if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLOUT)) != 0) read();
  // Who has left is not answered: a stream or a long wait would never find out otherwise.
  if ((events & EPOLLRDHUP) != 0 && (events & EPOLLIN) == 0) leave();
}

// Nothing more is asked of the handler before the client has taken what it has asked for.
bool HttpConnection::reads_ahead() const {
  return phase_ == Phase::answering || phase_ == Phase::streaming ||
         (phase_ == Phase::reading && waiting() > 0);
}

void HttpConnection::read() {
  std::array<char, read_bytes> buffer;
  bool more = true;
  while (more && phase_ != Phase::over) {
    if (reads_ahead() && reader_.buffered() >= house_.options.head_bytes_max) break;
    Moved moved = stream_->read(buffer.data(), buffer.size());
    if (moved.state == Moved::State::ended) return leave();
    if (moved.state == Moved::State::again) break;
    std::string_view bytes(buffer.data(), moved.bytes);
    if (phase_ == Phase::socket) {
      pinged_ = false;
      await(!parting_);
      socket_->hear(bytes);
      flush_socket();
    } else if (phase_ != Phase::hanging_up) {
      reader_.add(bytes);
      if (phase_ == Phase::reading) proceed();
    }
    more = stream_->holds_bytes();
  }
  if (phase_ != Phase::over) watch();
}

// Requests that were sent ahead are taken one after the other; an answer given at once only marks
// the next one as due.
void HttpConnection::proceed() {
  if (proceeding_) return;
  proceeding_ = true;
  while (phase_ == Phase::reading && flush() && waiting() == 0 && take_next()) {
  }
  proceeding_ = false;
}

// False: nothing can be taken for now.
bool HttpConnection::take_next() {
  switch (reader_.read()) {
    case RequestReader::State::broken:
      refuse(reader_.refusal());
      return false;
    case RequestReader::State::head:
      return admit(reader_.head(), false);
    case RequestReader::State::request: {
      HttpRequest request = reader_.take();
      last_ = last_ || !reader_.keep_alive();
      if (exchange_ != 0 || admit(request, true)) hear(std::move(request));
      return true;
    }
    case RequestReader::State::more:
      break;
  }
  if (reader_.wants_continue()) queue("HTTP/1.1 100 Continue\r\n\r\n");
  flush();
  return false;
}

// `whole`: it has no body. False: it has been answered.
bool HttpConnection::admit(HttpRequest& head, bool whole) {
  exchange_ = ++house_.exchanges << slot_bits | slot_;
  packs_ = contains_word(head.field("accept-encoding"), "gzip");
  head_only_ = head.method == "HEAD";
  head.certificate = stream_->certificate();
  std::optional<HttpResponse> refusal = house_.handler.admit(exchange_, head, !whole);
  if (!refusal) return true;
  phase_ = Phase::answering;
  last_ = last_ || !whole;
  respond(std::move(*refusal));
  return false;
}

void HttpConnection::hear(HttpRequest request) {
  phase_ = Phase::answering;
  await(false);
  house_.handler.heard(exchange_, std::move(request));
}

// The rest of what such a client sends cannot be understood.
void HttpConnection::refuse(const HttpResponse& response) {
  phase_ = Phase::hanging_up;
  if (exchange_ != 0) house_.handler.gone(std::exchange(exchange_, 0));
  queue(head_of(response, HttpFraming::sized, response.body.size(), false, date()) + response.body);
  flush();
}

// Printed once a second.
std::string_view HttpConnection::date() const {
  WallTime now = house_.clock.wall();
  if (now.ns / 1'000'000'000 != house_.date_of.ns / 1'000'000'000) {
    house_.date_of = now;
    house_.date = http_date(now);
  }
  return house_.date;
}

void HttpConnection::respond(HttpResponse response) {
  if (phase_ != Phase::answering) return;
  if (packs_ && response.body.size() >= house_.options.gzip_bytes_min) {
    response.body = gzip(response.body);
    response.fields.push_back({"Content-Encoding", "gzip"});
    response.fields.push_back({"Vary", "Accept-Encoding"});
  }
  std::string bytes = head_of(response, HttpFraming::sized, response.body.size(), !last_, date());
  if (!head_only_) bytes += response.body;
  out_ = std::move(bytes);  // the answers before have been taken
  written_ = 0;
  answered();
}

// What comes next on this connection, once the answer has been queued.
void HttpConnection::answered() {
  exchange_ = 0;
  phase_ = last_ ? Phase::hanging_up : Phase::reading;
  if (!flush() || proceeding_) return;
  if (phase_ == Phase::reading && reader_.buffered() > 0) proceed();
  // TLS may hold what was not read while this request was answered, and epoll does not know.
  if (phase_ == Phase::reading && stream_->holds_bytes()) read();
}

void HttpConnection::start_stream(HttpResponse head) {
  if (phase_ != Phase::answering) return;
  phase_ = Phase::streaming;
  chunked_ = reader_.knows_chunks();
  last_ = last_ || !chunked_;
  HttpFraming framing = chunked_ ? HttpFraming::chunked : HttpFraming::until_close;
  queue(head_of(head, framing, 0, !last_, date()));
  flush();
}

void HttpConnection::write(std::string_view piece) {
  if (phase_ != Phase::streaming || piece.empty() || head_only_) return;
  if (waiting() + piece.size() > house_.options.output_bytes_max) return overflow();
  if (!chunked_) {
    queue(piece);
    flush();
    return;
  }
  char size[24];
  int digits = snprintf(size, sizeof size, "%zx\r\n", piece.size());
  std::string chunk(size, static_cast<size_t>(digits));
  chunk.append(piece).append("\r\n");
  queue(chunk);
  flush();
}

void HttpConnection::end() {
  if (phase_ != Phase::streaming) return;
  if (!head_only_ && chunked_) queue("0\r\n\r\n");
  answered();
}

Status HttpConnection::upgrade(const HttpRequest& request, std::string_view protocol) {
  const std::string* key = request.field("sec-websocket-key");
  const std::string* version = request.field("sec-websocket-version");
  bool asked = request.method == "GET" && contains_word(request.field("upgrade"), "websocket") &&
               contains_word(request.field("connection"), "upgrade");
  if (!asked)
    return Error{Code::invalid_argument,
                 "this is a WebSocket: send GET with Upgrade: websocket (RFC 6455)"};
  if (key == nullptr || key->size() != 24 || version == nullptr || *version != "13")
    return Error{Code::invalid_argument,
                 "the handshake needs Sec-WebSocket-Version: 13 and a Sec-WebSocket-Key of 16 "
                 "bytes in base64"};
  HttpResponse response;
  response.status = 101;
  response.content_type.clear();
  response.fields = {{"Upgrade", "websocket"},
                     {"Connection", "Upgrade"},
                     {"Sec-WebSocket-Accept", websocket_accept(*key)}};
  if (contains_word(request.field("sec-websocket-protocol"), protocol))
    response.fields.push_back({"Sec-WebSocket-Protocol", std::string(protocol)});
  queue(head_of(response, HttpFraming::sized, 0, true, date()));
  phase_ = Phase::socket;
  Sink<std::string_view>& messages = *this;
  socket_ = std::make_unique<WebSocket>(WebSocketSide::server, house_.options.message_bytes_max,
                                        messages);
  std::string rest = reader_.rest();
  if (!rest.empty()) socket_->hear(rest);
  flush_socket();
  return {};
}

void HttpConnection::put(std::string_view text) {
  if (phase_ == Phase::socket && !parting_) house_.handler.message(exchange_, text);
}

void HttpConnection::send(std::string_view text) {
  if (phase_ != Phase::socket || parting_) return;
  if (waiting() + text.size() > house_.options.output_bytes_max) return overflow();
  socket_->send(text);
  flush_socket();
}

void HttpConnection::close(uint16_t code, std::string_view reason) {
  if (phase_ != Phase::socket || std::exchange(parting_, true)) return;
  socket_->close(code, reason);
  flush_socket();
}

void HttpConnection::flush_socket() {
  if (phase_ != Phase::socket) return;
  queue(socket_->take());
  if (socket_->over()) {
    ExchangeId left = std::exchange(exchange_, 0);
    phase_ = Phase::hanging_up;
    house_.handler.gone(left);
  }
  // What it is told unasked, pongs above all, counts too.
  if (flush() && waiting() > house_.options.output_bytes_max) overflow();
}

// A WebSocket can be told why; in a stream the missing end tells that it has been cut off.
void HttpConnection::overflow() {
  if (phase_ == Phase::streaming) return leave();
  std::string reason = "this client does not read: output_bytes_max (" +
                       std::to_string(house_.options.output_bytes_max) + ") wait for it";
  close(1008, reason);
}

void HttpConnection::queue(std::string_view bytes) {
  if (waiting() == 0) {
    out_.clear();
    written_ = 0;
  }
  out_ += bytes;
}

bool HttpConnection::flush() {
  bool taken = false;
  while (waiting() > 0) {
    Moved moved = stream_->write(out_.data() + written_, waiting());
    if (moved.state == Moved::State::ended) {
      leave();
      return false;
    }
    if (moved.state == Moved::State::again) break;
    written_ += moved.bytes;
    taken = true;
  }
  if (waiting() == 0 && phase_ == Phase::hanging_up && !std::exchange(said_goodbye_, true)) {
    // Closing now, with bytes of the client unread, could take the answer away from it.
    stream_->finish();
    shutdown(fd_, SHUT_WR);
  }
  bool drained = waiting() == 0 && stalled_;
  stalled_ = waiting() > 0;
  if (drained && (phase_ == Phase::streaming || phase_ == Phase::socket)) {
    house_.drained.push_back(exchange_);
    house_.loop.wake();
  }
  if (waiting() == 0 && out_.capacity() > read_bytes) std::string().swap(out_), written_ = 0;
  await(taken && awaited() == Awaited::taking);
  watch();
  return phase_ != Phase::over;
}

void HttpConnection::watch() {
  bool full = reads_ahead() && reader_.buffered() >= house_.options.head_bytes_max;
  uint32_t wanted = EPOLLRDHUP;
  if (!full) wanted |= EPOLLIN;
  if (waiting() > 0 || stream_->wants_to_write()) wanted |= EPOLLOUT;
  if (wanted == watched_) return;
  if (watched_ != 0) house_.loop.unwatch(fd_);
  watched_ = wanted;
  if (house_.loop.watch(fd_, wanted, *this).ok()) return;
  watched_ = 0;
  leave();
}

void HttpConnection::leave() {
  if (phase_ == Phase::over) return;
  phase_ = Phase::over;
  if (watched_ != 0) house_.loop.unwatch(fd_);
  watched_ = 0;
  house_.any_over = true;
  house_.loop.wake();
  if (exchange_ != 0) house_.handler.gone(std::exchange(exchange_, 0));
}

void HttpConnection::check_time(Instant now) {
  if (phase_ == Phase::over) return;
  if (awaited_ == Awaited::message && !pinged_ &&
      now >= deadline_ - Duration{house_.options.silence_patience.ns / 2}) {
    pinged_ = true;
    socket_->ping();
    return flush_socket();
  }
  if (now < deadline_) return;
  bool in_body = awaited_ == Awaited::body;
  if (!in_body && (awaited_ != Awaited::head || !reader_.started())) return leave();
  const char* limit = in_body ? "body_patience" : "head_patience";
  refuse(problem(408, Code::deadline_exceeded,
                 std::string("the request did not come within ") + limit));
}

void HttpConnection::close_when_idle() {
  last_ = true;
  if (phase_ == Phase::reading && !reader_.started()) leave();
}

}  // namespace pawl
