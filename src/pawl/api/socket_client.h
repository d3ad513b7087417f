// Client of the process that serves a state directory's socket.
//
//   auto client = SocketClient::connect(".pawl", loop);
//   if (!client.ok() && client.error().code == Code::not_found) ...   // nobody serves it: open it
//
// The greeting is exchanged in connect(), for at most `greeting_patience`. The directory's name may
// be of any length. Errors: NOT_FOUND when nobody serves the directory, PERMISSION_DENIED,
// FAILED_PRECONDITION when the other side speaks another version, UNAVAILABLE when it does not
// answer. A connection that is lost later answers every open call with UNAVAILABLE.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>

#include "pawl/adapter/linux_loop/linux_loop.h"
#include "pawl/api/client.h"
#include "pawl/api/frame.h"

namespace pawl {

class SocketClient final : public Client, private FdWatcher {
 public:
  static constexpr Duration greeting_patience = Duration::seconds(10);

  static Result<std::unique_ptr<SocketClient>> connect(const std::string& directory,
                                                       LinuxLoop& loop);
  ~SocketClient() override;
  SocketClient(const SocketClient&) = delete;
  SocketClient& operator=(const SocketClient&) = delete;

  Ticket start(Call call) override;
  bool done(Ticket ticket) const override;
  std::optional<CallResult> take(Ticket ticket) override;
  void forget(Ticket ticket) override;
  void pump(Duration wait_max) override;
  Duration patience() const override { return patience_; }
  void set_patience(Duration patience) override { patience_ = patience; }

 private:
  SocketClient(int fd, LinuxLoop& loop) : fd_(fd), loop_(loop) {}
  void ready(uint32_t events) override;
  void read();
  void write();
  void hear(std::string_view frame);
  void lose(Error error);
  Status greet();

  int fd_;
  LinuxLoop& loop_;
  Duration patience_ = Duration::forever();
  Ticket last_ticket_ = 0;
  std::set<Ticket> open_;
  std::map<Ticket, CallResult> answers_;
  FrameReader in_;
  Bytes out_;
  size_t written_ = 0;  // of out_
  bool waiting_to_write_ = false;
  bool greeted_ = false;
  std::optional<Error> lost_;
};

}  // namespace pawl
