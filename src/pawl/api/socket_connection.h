// One client of a socket server: its frames in, its answers out, both bounded.
//
// It never destroys itself: when it is over(), the server does, in a turn of its own. Threading:
// the loop's thread.
#pragma once

#include <deque>

#include "pawl/api/frame.h"
#include "pawl/api/socket_server.h"

namespace pawl {

class SocketServer::Connection final : public FdWatcher, public Sink<CallAnswer> {
 public:
  Connection(int fd, Gateway& gateway, LinuxLoop& loop, const SocketServerOptions& options);
  ~Connection() override;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  Status open();
  void flush();
  bool over() const { return phase_ == Phase::over; }
  // What a client gets that cannot be served at all.
  static Bytes refusal(const Error& error);

  void ready(uint32_t events) override;
  void put(CallAnswer answer) override;

 private:
  enum class Phase : uint8_t { greeting, serving, hanging_up, over };

  void read();
  void hear(std::string_view frame);
  void queue(Bytes frame);
  void hang_up(const Error& error);
  void end();
  void watch();

  int fd_;
  Gateway& gateway_;
  LinuxLoop& loop_;
  const SocketServerOptions& options_;
  Phase phase_ = Phase::greeting;
  FrameReader in_;
  std::deque<Bytes> out_;
  size_t written_ = 0;      // of out_.front()
  uint64_t out_bytes_ = 0;  // of all of out_
  uint32_t open_calls_ = 0;
  uint32_t watched_ = 0;  // epoll's events
};

}  // namespace pawl
