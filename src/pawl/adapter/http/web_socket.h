// The frames of one WebSocket, of either side (RFC 6455, by wslay).
//
//   WebSocket socket(WebSocketSide::server, message_bytes_max, messages);   // a Sink<std::string_view>
//   socket.hear(bytes);             // from the other side; pongs and close replies are queued
//   socket.send(R"({"ticket":1})"); socket.ping();
//   stream.write(socket.take());    // what to send
//   if (socket.over()) hang up;     // both sides have said goodbye, or the other one broke the protocol
//
// Messages are text; who sends binary ones is closed with 1003. Threading: compatible.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "pawl/port/sink.h"

namespace pawl {

// What the server answers to Sec-WebSocket-Key.
std::string websocket_accept(std::string_view key);
std::string websocket_key();  // of a client, new each time

enum class WebSocketSide : uint8_t { server, client };

class WebSocket {
 public:
  WebSocket(WebSocketSide side, uint64_t message_bytes_max, Sink<std::string_view>& messages);
  ~WebSocket();
  WebSocket(const WebSocket&) = delete;
  WebSocket& operator=(const WebSocket&) = delete;

  void hear(std::string_view bytes);
  void send(std::string_view text);
  void ping();
  void close(uint16_t code, std::string_view reason);
  std::string take();  // bytes for the other side
  bool over() const;
  // Why the other side has closed, in its words: "1008 this client does not read"; empty: it has not.
  const std::string& goodbye() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pawl
