// Serves a gateway on the Unix socket `pawl.sock` in the state directory.
//
//   PAWL_ASSIGN(auto server, SocketServer::open(gateway, loop, options.directory));
//   ... the loop runs ...
//   server.reset();               // hangs up on everybody, removes the socket
//
// Only whoever holds the directory's lock may open one: it replaces the socket file that a dead
// process has left. The file has permissions 0600. The directory's name may be of any length.
//
// A client is answered by its tickets, in order of completion. What hurts nobody else is refused
// with an answer (a malformed call, too many open calls); a client that breaks the protocol, sends
// a frame above frame_bytes_max, or does not read while output_bytes_max wait for it, is told so in
// a last frame with ticket 0 and hung up on. The engine never waits for a client.
//
// Threading: the loop's thread.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "pawl/adapter/linux_loop/linux_loop.h"
#include "pawl/api/gateway.h"

namespace pawl {

struct SocketServerOptions {
  uint32_t clients_max = 256;
  uint32_t client_calls_max = 1024;          // open calls of one client
  uint64_t output_bytes_max = 128ull << 20;  // waiting for one client; at least two frames
};

class SocketServer final : public Actor, private FdWatcher {
 public:
  static constexpr const char* file_name = "pawl.sock";

  static Result<std::unique_ptr<SocketServer>> open(Gateway& gateway, LinuxLoop& loop,
                                                    const std::string& directory,
                                                    SocketServerOptions options = {});
  ~SocketServer() override;
  SocketServer(const SocketServer&) = delete;
  SocketServer& operator=(const SocketServer&) = delete;

  size_t clients() const { return connections_.size(); }

  bool turn() override;
  Instant deadline() const override { return accept_again_at_; }

 private:
  class Connection;
  SocketServer(Gateway& gateway, LinuxLoop& loop, SocketServerOptions options);
  Status listen(const std::string& directory);
  void ready(uint32_t events) override;
  void welcome(int fd);
  void pause_accepting();
  void resume_accepting();

  Gateway& gateway_;
  LinuxLoop& loop_;
  SocketServerOptions options_;
  int directory_fd_ = -1;
  int listener_ = -1;
  Instant accept_again_at_ = Instant::never();              // out of descriptors until then
  std::map<int, std::unique_ptr<Connection>> connections_;  // by descriptor
};

}  // namespace pawl
