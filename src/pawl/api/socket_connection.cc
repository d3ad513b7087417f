#include "pawl/api/socket_connection.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "pawl/api/json_codec.h"
#include "pawl/base/json.h"

namespace pawl {
namespace {

constexpr size_t read_bytes = 64 * 1024;

}  // namespace

SocketServer::Connection::Connection(int fd, Gateway& gateway, LinuxLoop& loop,
                                     const SocketServerOptions& options)
    : fd_(fd), gateway_(gateway), loop_(loop), options_(options) {}

SocketServer::Connection::~Connection() {
  gateway_.forget(*this);
  if (watched_ != 0) loop_.unwatch(fd_);
  close(fd_);
}

Status SocketServer::Connection::open() {
  PAWL_TRY(loop_.watch(fd_, EPOLLIN, *this));
  watched_ = EPOLLIN;
  queue(to_frame(greeting_json()).value());
  return {};
}

Bytes SocketServer::Connection::refusal(const Error& error) {
  JsonWriter out;
  out.begin_object().key("pawl").number(protocol_version).key("error").begin_object();
  out.key("code").string(name(error.code)).key("message").string(error.message);
  out.end_object().end_object();
  return to_frame(out.text()).value();
}

void SocketServer::Connection::ready(uint32_t events) {
  if (phase_ == Phase::over) return;
  if (events & EPOLLOUT) flush();
  if (phase_ == Phase::hanging_up) {
    if (events & (EPOLLHUP | EPOLLERR)) end();
  } else if (phase_ != Phase::over) {
    read();
  }
}

// One piece per round, so that a client that sends much does not keep the others waiting.
void SocketServer::Connection::read() {
  std::array<char, read_bytes> buffer;
  ssize_t size = recv(fd_, buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (size <= 0) return end();
  in_.add({buffer.data(), static_cast<size_t>(size)});
  while (phase_ == Phase::greeting || phase_ == Phase::serving) {
    std::optional<std::string> frame = in_.next();
    if (!frame) break;
    hear(*frame);
  }
  if (in_.failure()) hang_up(*in_.failure());
}

void SocketServer::Connection::hear(std::string_view frame) {
  if (phase_ == Phase::greeting) {
    if (Status greeted = check_greeting(frame); !greeted.ok()) return hang_up(greeted.error());
    phase_ = Phase::serving;
    return;
  }
  ReadCall read = call_from_json(frame);
  if (read.ticket == 0)
    return hang_up(read.call.ok() ? Error{Code::invalid_argument, "a call's ticket must not be 0"}
                                  : read.call.error());
  ++open_calls_;
  if (!read.call.ok()) return put({read.ticket, read.call.error()});
  if (open_calls_ > options_.client_calls_max)
    return put({read.ticket,
                Error{Code::resource_exhausted, "the limit client_calls_max (" +
                                                    std::to_string(options_.client_calls_max) +
                                                    " open calls) is reached; wait for answers"}});
  gateway_.call({read.ticket, std::move(*read.call)}, *this);
}

void SocketServer::Connection::put(CallAnswer answer) {
  --open_calls_;
  if (phase_ != Phase::serving) return;
  Result<Bytes> frame = to_frame(to_json(answer));
  if (!frame.ok())
    frame = to_frame(to_json(CallAnswer{
        answer.ticket, Error{frame.error().code, frame.error().message + "; ask for less"}}));
  queue(std::move(*frame));
}

void SocketServer::Connection::queue(Bytes frame) {
  if (out_bytes_ + frame.size() > options_.output_bytes_max)
    return hang_up({Code::resource_exhausted,
                    "this client does not read its answers: output_bytes_max (" +
                        std::to_string(options_.output_bytes_max) + ") wait for it"});
  out_bytes_ += frame.size();
  out_.push_back(std::move(frame));
  loop_.wake();
}

// The frame of which a part has been written must end before another one says why.
void SocketServer::Connection::hang_up(const Error& error) {
  if (phase_ == Phase::hanging_up || phase_ == Phase::over) return;
  Bytes last =
      phase_ == Phase::greeting ? refusal(error) : to_frame(to_json(CallAnswer{0, error})).value();
  phase_ = Phase::hanging_up;
  gateway_.forget(*this);
  if (out_bytes_ + last.size() > options_.output_bytes_max) out_.resize(written_ > 0 ? 1 : 0);
  out_.push_back(std::move(last));
  out_bytes_ = 0;
  for (const Bytes& frame : out_) out_bytes_ += frame.size();
  loop_.wake();
}

void SocketServer::Connection::flush() {
  while (phase_ != Phase::over && !out_.empty()) {
    const Bytes& frame = out_.front();
    ssize_t size =
        send(fd_, frame.data() + written_, frame.size() - written_, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno == EAGAIN) break;
    if (size < 0) return end();
    written_ += static_cast<size_t>(size);
    if (written_ < frame.size()) continue;
    out_bytes_ -= frame.size();
    written_ = 0;
    out_.pop_front();
  }
  if (phase_ == Phase::hanging_up && out_.empty()) return end();
  if (phase_ != Phase::over) watch();
}

void SocketServer::Connection::watch() {
  uint32_t wanted = EPOLLHUP;  // which epoll tells in any case
  if (phase_ != Phase::hanging_up) wanted |= EPOLLIN;
  if (!out_.empty()) wanted |= EPOLLOUT;
  if (wanted == (watched_ | EPOLLHUP)) return;
  loop_.unwatch(fd_);
  watched_ = wanted;
  if (!loop_.watch(fd_, wanted, *this).ok()) {
    watched_ = 0;
    end();
  }
}

void SocketServer::Connection::end() {
  phase_ = Phase::over;
  gateway_.forget(*this);
  if (watched_ != 0) loop_.unwatch(fd_);
  watched_ = 0;
  loop_.wake();
}

}  // namespace pawl
