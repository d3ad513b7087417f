#include "pawl/api/socket_client.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "pawl/adapter/linux_loop/linux_clock.h"
#include "pawl/api/json_codec.h"
#include "pawl/api/socket_path.h"
#include "pawl/api/socket_server.h"

namespace pawl {
namespace {

constexpr size_t read_bytes = 64 * 1024;

Error nobody(const std::string& directory) {
  return {Code::not_found, "no process serves the state directory " + directory};
}

Result<int> connect_to(const std::string& directory) {
  Result<int> directory_fd = open_socket_directory(directory);
  if (!directory_fd.ok()) {
    if (directory_fd.error().code == Code::not_found) return nobody(directory);
    return directory_fd.error();
  }
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    int why = errno;
    close(*directory_fd);
    return socket_error("cannot make a socket", why);
  }
  sockaddr_un address = socket_address(*directory_fd, SocketServer::file_name);
  int done = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  int why = errno;
  close(*directory_fd);
  if (done == 0) return fd;
  close(fd);
  if (why == ENOENT || why == ECONNREFUSED) return nobody(directory);
  return socket_error("cannot connect to " + directory + "/" + SocketServer::file_name, why);
}

}  // namespace

Result<std::unique_ptr<SocketClient>> SocketClient::connect(const std::string& directory,
                                                            LinuxLoop& loop) {
  PAWL_ASSIGN(int fd, connect_to(directory));
  std::unique_ptr<SocketClient> client(new SocketClient(fd, loop));
  PAWL_TRY(loop.watch(fd, EPOLLIN, *client));
  PAWL_TRY(client->greet());
  return client;
}

Status SocketClient::greet() {
  out_ = to_frame(greeting_json()).value();
  write();
  LinuxClock clock;
  Instant until = clock.monotonic() + greeting_patience;
  while (!greeted_ && !lost_ && clock.monotonic() < until) pump(until - clock.monotonic());
  if (lost_) return *lost_;
  if (!greeted_)
    return Error{Code::unavailable, "the process that serves the state directory does not answer"};
  return {};
}

SocketClient::~SocketClient() {
  if (fd_ < 0) return;
  loop_.unwatch(fd_);
  close(fd_);
}

Ticket SocketClient::start(Call call) {
  Ticket ticket = ++last_ticket_;
  if (lost_) {
    answers_.emplace(ticket, *lost_);
    return ticket;
  }
  Result<Bytes> frame = to_frame(to_json(NumberedCall{ticket, std::move(call)}));
  if (!frame.ok()) {
    answers_.emplace(ticket, frame.error());
    return ticket;
  }
  open_.insert(ticket);
  out_ += *frame;
  write();
  return ticket;
}

bool SocketClient::done(Ticket ticket) const {
  return answers_.contains(ticket);
}

std::optional<CallResult> SocketClient::take(Ticket ticket) {
  auto it = answers_.find(ticket);
  if (it == answers_.end()) return std::nullopt;
  CallResult result = std::move(it->second);
  answers_.erase(it);
  return result;
}

void SocketClient::forget(Ticket ticket) {
  answers_.erase(ticket);
  open_.erase(ticket);
}

void SocketClient::pump(Duration wait_max) {
  loop_.run_once(wait_max);
}

void SocketClient::ready(uint32_t events) {
  if (events & EPOLLOUT) write();
  if (fd_ >= 0) read();
}

void SocketClient::read() {
  std::array<char, read_bytes> buffer;
  ssize_t size = recv(fd_, buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (size <= 0)
    return lose({Code::unavailable,
                 "the process that served the state directory has gone; what was on its way may "
                 "or may not have happened"});
  in_.add({buffer.data(), static_cast<size_t>(size)});
  while (std::optional<std::string> frame = in_.next()) {
    hear(*frame);
    if (fd_ < 0) return;
  }
  if (in_.failure()) lose(*in_.failure());
}

void SocketClient::hear(std::string_view frame) {
  if (!greeted_) {
    if (Status checked = check_greeting(frame); !checked.ok()) return lose(checked.error());
    greeted_ = true;
    return;
  }
  Result<CallAnswer> answer = answer_from_json(frame);
  if (!answer.ok())
    return lose(Error(answer.error()).within("the state directory's process gave a bad answer"));
  const auto* error = std::get_if<Error>(&answer->result);
  if (answer->ticket == 0)
    return lose(error ? *error : Error{Code::internal, "an answer to nobody"});
  if (open_.erase(answer->ticket) > 0)
    answers_.insert_or_assign(answer->ticket, std::move(answer->result));
}

// Writes what the socket takes; the rest when it takes more.
void SocketClient::write() {
  if (fd_ < 0) return;
  while (written_ < out_.size()) {
    ssize_t size =
        send(fd_, out_.data() + written_, out_.size() - written_, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) break;  // full, or broken: then read() says so, after what the server said last
    written_ += static_cast<size_t>(size);
  }
  bool more = written_ < out_.size();
  if (!more) {
    out_.clear();
    written_ = 0;
  }
  if (more == waiting_to_write_) return;
  waiting_to_write_ = more;
  loop_.unwatch(fd_);
  uint32_t events = more ? EPOLLIN | EPOLLOUT : EPOLLIN;
  if (Status watched = loop_.watch(fd_, events, *this); !watched.ok()) lose(watched.error());
}

void SocketClient::lose(Error error) {
  if (lost_) return;
  for (Ticket ticket : open_) answers_.insert_or_assign(ticket, error);
  open_.clear();
  lost_ = std::move(error);
  loop_.unwatch(fd_);
  close(fd_);
  fd_ = -1;
}

}  // namespace pawl
