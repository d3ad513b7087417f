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

bool contains_word(const std::string* list, std::string_view word) {
  if (list == nullptr) return false;
  std::string low(*list);
  std::transform(low.begin(), low.end(), low.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  for (size_t at = low.find(word); at != std::string::npos; at = low.find(word, at + 1)) {
    size_t end = at + word.size();
    bool begins = at == 0 || low[at - 1] == ' ' || low[at - 1] == ',';
    bool ends = end == low.size() || low[end] == ' ' || low[end] == ',' || low[end] == ';';
    if (begins && ends) return low.compare(end, 4, ";q=0") != 0 || low.size() > end + 4;
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
  set_deadline(house_.options.head_patience);
  watched_ = EPOLLIN | EPOLLRDHUP;
  Status watched = house_.loop.watch(fd_, watched_, *this);
  if (!watched.ok()) watched_ = 0;
  return watched;
}

void HttpConnection::set_deadline(Duration patience) {
  deadline_ = house_.clock.monotonic() + patience;
}

void HttpConnection::ready(uint32_t events) {
  if (phase_ == Phase::over) return;
  if ((events & (EPOLLERR | EPOLLHUP)) != 0) return leave();
  if ((events & EPOLLOUT) != 0) {
    bool waited = waiting() > 0;
    if (!flush()) return;
    if (waited && waiting() == 0 && (phase_ == Phase::streaming || phase_ == Phase::socket))
      house_.handler.drained(exchange_);
  }
  if (phase_ == Phase::over) return;
  if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLOUT)) != 0) read();
  // Who has left is not answered: a stream or a long wait would never find out otherwise.
  if ((events & EPOLLRDHUP) != 0 && (events & EPOLLIN) == 0) leave();
}

void HttpConnection::read() {
  std::array<char, read_bytes> buffer;
  bool more = true;
  while (more && phase_ != Phase::over) {
    bool reads_ahead = phase_ == Phase::answering || phase_ == Phase::streaming;
    if (reads_ahead && reader_.buffered() >= house_.options.head_bytes_max) break;
    Moved moved = stream_->read(buffer.data(), buffer.size());
    if (moved.state == Moved::State::ended) return leave();
    if (moved.state == Moved::State::again) break;
    std::string_view bytes(buffer.data(), moved.bytes);
    if (phase_ == Phase::socket) {
      pinged_ = false;
      set_deadline(house_.options.silence_patience);
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
  while (phase_ == Phase::reading) {
    bool waited = !reader_.started();
    RequestReader::State state = reader_.read();
    if (state == RequestReader::State::broken) {
      refuse(reader_.refusal());
    } else if (state == RequestReader::State::request) {
      hear(reader_.take());
    } else {
      if (reader_.wants_continue()) queue("HTTP/1.1 100 Continue\r\n\r\n");
      if (!waited && reader_.in_body() && !in_body_) {
        in_body_ = true;
        set_deadline(house_.options.body_patience);
      }
      break;
    }
  }
  proceeding_ = false;
  if (phase_ != Phase::over) flush();
}

void HttpConnection::hear(HttpRequest request) {
  phase_ = Phase::answering;
  in_body_ = false;
  deadline_ = Instant::never();
  exchange_ = ++house_.exchanges << slot_bits | slot_;
  last_ = last_ || !reader_.keep_alive();
  packs_ = contains_word(request.field("accept-encoding"), "gzip");
  head_only_ = request.method == "HEAD";
  request.certificate = stream_->certificate();
  house_.handler.heard(exchange_, std::move(request));
}

// The rest of what such a client sends cannot be understood.
void HttpConnection::refuse(const HttpResponse& response) {
  phase_ = Phase::hanging_up;
  queue(head_of(response, HttpFraming::sized, response.body.size(), false, date()) + response.body);
  set_deadline(house_.options.write_patience);
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
  if (waiting() == 0) {
    out_ = std::move(bytes);
    written_ = 0;
  } else {
    out_ += bytes;
  }
  answered();
}

// What comes next on this connection, once the answer has been queued.
void HttpConnection::answered() {
  exchange_ = 0;
  phase_ = last_ ? Phase::hanging_up : Phase::reading;
  if (last_)
    set_deadline(house_.options.write_patience);
  else
    set_deadline(reader_.started() ? house_.options.head_patience : house_.options.idle_patience);
  if (!proceeding_ && phase_ == Phase::reading && reader_.buffered() > 0) proceed();
  if (!proceeding_ && phase_ != Phase::over) flush();
  // TLS may hold what was not read while this request was answered, and epoll does not know.
  if (!proceeding_ && phase_ == Phase::reading && stream_->holds_bytes()) read();
}

void HttpConnection::start_stream(HttpResponse head) {
  if (phase_ != Phase::answering) return;
  phase_ = Phase::streaming;
  chunked_ = reader_.knows_chunks();
  last_ = last_ || !chunked_;
  HttpFraming framing = chunked_ ? HttpFraming::chunked : HttpFraming::until_close;
  queue(head_of(head, framing, 0, !last_, date()));
  if (!proceeding_) flush();
}

void HttpConnection::write(std::string_view piece) {
  if (phase_ != Phase::streaming || piece.empty() || head_only_) return;
  if (waiting() + piece.size() > house_.options.output_bytes_max) return overflow();
  if (!chunked_) {
    queue(piece);
    if (!proceeding_) flush();
    return;
  }
  char size[24];
  int digits = snprintf(size, sizeof size, "%zx\r\n", piece.size());
  std::string chunk(size, static_cast<size_t>(digits));
  chunk.append(piece).append("\r\n");
  queue(chunk);
  if (!proceeding_) flush();
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
  set_deadline(house_.options.silence_patience);
  Sink<std::string_view>& messages = *this;
  socket_ = std::make_unique<WebSocket>(WebSocketSide::server, house_.options.message_bytes_max,
                                        messages);
  std::string rest = reader_.rest();
  if (!rest.empty()) socket_->hear(rest);
  flush_socket();
  return {};
}

void HttpConnection::put(std::string_view text) {
  if (phase_ == Phase::socket) house_.handler.message(exchange_, text);
}

void HttpConnection::send(std::string_view text) {
  if (phase_ != Phase::socket) return;
  if (waiting() + text.size() > house_.options.output_bytes_max) return overflow();
  socket_->send(text);
  flush_socket();
}

void HttpConnection::close(uint16_t code, std::string_view reason) {
  if (phase_ != Phase::socket) return;
  socket_->close(code, reason);
  set_deadline(house_.options.head_patience);
  pinged_ = true;
  flush_socket();
}

void HttpConnection::flush_socket() {
  if (phase_ != Phase::socket) return;
  queue(socket_->take());
  if (socket_->over()) {
    ExchangeId left = std::exchange(exchange_, 0);
    phase_ = Phase::hanging_up;
    set_deadline(house_.options.write_patience);
    house_.handler.gone(left);
  }
  flush();
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
  while (waiting() > 0) {
    Moved moved = stream_->write(out_.data() + written_, waiting());
    if (moved.state == Moved::State::ended) {
      leave();
      return false;
    }
    if (moved.state == Moved::State::again) break;
    written_ += moved.bytes;
    if (phase_ == Phase::streaming || (phase_ == Phase::hanging_up && !said_goodbye_))
      set_deadline(house_.options.write_patience);
  }
  if (waiting() == 0 && phase_ == Phase::hanging_up && !std::exchange(said_goodbye_, true)) {
    // Closing now, with bytes of the client unread, could take the answer away from it.
    stream_->finish();
    shutdown(fd_, SHUT_WR);
    set_deadline(house_.options.linger_patience);
  }
  if (waiting() == 0 && phase_ == Phase::streaming) deadline_ = Instant::never();
  if (waiting() == 0 && out_.capacity() > read_bytes) std::string().swap(out_), written_ = 0;
  watch();
  return true;
}

void HttpConnection::watch() {
  bool busy = phase_ == Phase::answering || phase_ == Phase::streaming;
  bool full = busy && reader_.buffered() >= house_.options.head_bytes_max;
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
  if (phase_ == Phase::socket && !pinged_ &&
      now >= deadline_ - Duration{house_.options.silence_patience.ns / 2}) {
    pinged_ = true;
    socket_->ping();
    return flush_socket();
  }
  if (now < deadline_) return;
  if (phase_ != Phase::reading || !reader_.started()) return leave();
  const char* limit = reader_.in_body() ? "body_patience" : "head_patience";
  refuse(problem(408, Code::deadline_exceeded,
                 std::string("the request did not come within ") + limit));
  flush();
}

void HttpConnection::close_when_idle() {
  last_ = true;
  if (phase_ == Phase::reading && !reader_.started()) leave();
}

}  // namespace pawl
