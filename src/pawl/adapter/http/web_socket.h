// The frames of one WebSocket, server side (RFC 6455, by wslay).
//
//   WebSocket socket(message_bytes_max, messages);   // a Sink<std::string_view>: texts from the client
//   socket.hear(bytes);             // from the client; pongs and close replies are queued
//   socket.send(R"({"ticket":1})"); socket.ping();
//   stream.write(socket.take());    // what to send
//   if (socket.over()) hang up;     // both sides have said goodbye, or the other one broke the protocol
//
// Messages are text; a client that sends binary ones is closed with 1003. Threading: compatible.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "pawl/port/sink.h"

namespace pawl {

// What the server answers to Sec-WebSocket-Key.
std::string websocket_accept(std::string_view key);

class WebSocket {
 public:
  WebSocket(uint64_t message_bytes_max, Sink<std::string_view>& messages);
  ~WebSocket();
  WebSocket(const WebSocket&) = delete;
  WebSocket& operator=(const WebSocket&) = delete;

  void hear(std::string_view bytes);
  void send(std::string_view text);
  void ping();
  void close(uint16_t code, std::string_view reason);
  std::string take();  // bytes for the client
  bool over() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pawl
