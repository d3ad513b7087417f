#include "pawl/api/socket_server.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "pawl/adapter/linux_loop/linux_clock.h"
#include "pawl/api/socket_connection.h"
#include "pawl/api/socket_path.h"

namespace pawl {
namespace {

constexpr int backlog = 64;
constexpr const char* temporary_name = "pawl.sock.new";
constexpr Duration accept_pause = Duration::seconds(1);

}  // namespace

SocketServer::SocketServer(Gateway& gateway, LinuxLoop& loop, SocketServerOptions options)
    : gateway_(gateway), loop_(loop), options_(options) {
  loop_.add(*this);
}

SocketServer::~SocketServer() {
  loop_.remove(*this);
  connections_.clear();
  if (listener_ >= 0) {
    loop_.unwatch(listener_);
    close(listener_);
    unlinkat(directory_fd_, file_name, 0);
  }
  if (directory_fd_ >= 0) close(directory_fd_);
}

Result<std::unique_ptr<SocketServer>> SocketServer::open(Gateway& gateway, LinuxLoop& loop,
                                                         const std::string& directory,
                                                         SocketServerOptions options) {
  std::unique_ptr<SocketServer> server(new SocketServer(gateway, loop, options));
  PAWL_TRY(server->listen(directory));
  return server;
}

// The socket appears under its name only once it listens, so that nobody finds one that refuses.
Status SocketServer::listen(const std::string& directory) {
  PAWL_ASSIGN(directory_fd_, open_socket_directory(directory));
  std::string path = directory + "/" + file_name;
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return socket_error("cannot make a socket", errno);
  sockaddr_un address = socket_address(directory_fd_, temporary_name);
  unlinkat(directory_fd_, temporary_name, 0);
  bool listening = fchmod(fd, S_IRUSR | S_IWUSR) == 0 &&  // what bind() gives the file
                   bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
                   ::listen(fd, backlog) == 0 &&
                   renameat(directory_fd_, temporary_name, directory_fd_, file_name) == 0;
  if (!listening) {
    Error error = socket_error("cannot listen on " + path, errno);
    close(fd);
    return error;
  }
  listener_ = fd;
  return loop_.watch(listener_, EPOLLIN, *this);
}

void SocketServer::ready(uint32_t) {
  int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd >= 0) return welcome(fd);
  if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) pause_accepting();
}

void SocketServer::welcome(int fd) {
  if (connections_.size() >= options_.clients_max) {
    Bytes last =
        Connection::refusal({Code::resource_exhausted,
                             "the limit clients_max (" + std::to_string(options_.clients_max) +
                                 ") is reached; try again when others have left"});
    [[maybe_unused]] ssize_t sent = send(fd, last.data(), last.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    close(fd);
    return;
  }
  auto connection = std::make_unique<Connection>(fd, gateway_, loop_, options_);
  if (connection->open().ok()) connections_.emplace(fd, std::move(connection));
}

// Without descriptors the listener would be ready for ever.
void SocketServer::pause_accepting() {
  loop_.unwatch(listener_);
  accept_again_at_ = LinuxClock().monotonic() + accept_pause;
}

void SocketServer::resume_accepting() {
  if (accept_again_at_ == Instant::never() || LinuxClock().monotonic() < accept_again_at_) return;
  accept_again_at_ = Instant::never();
  if (!loop_.watch(listener_, EPOLLIN, *this).ok()) pause_accepting();
}

bool SocketServer::turn() {
  resume_accepting();
  for (auto& [fd, connection] : connections_) connection->flush();
  std::erase_if(connections_, [](const auto& entry) { return entry.second->over(); });
  return false;
}

}  // namespace pawl
