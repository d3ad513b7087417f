// One WebSocket to a server: connects, in TLS or not, upgrades, then carries texts both ways.
//
//   class Chat final : public WebSocketClientHandler {
//     void heard(std::string_view text) override { ... }
//     void lost(const Error& why) override { ... }      // once; nothing is heard any more
//   };
//   PAWL_ASSIGN(auto socket, WebSocketClient::dial(options, loop, chat));
//   PAWL_TRY(socket->send("hello"));            // waits until there is a connection
//
// dial() looks up the name, which may wait for a name server; everything else happens as the loop runs.
// Each address of the name is tried in turn. The server must answer with options.protocol: others are not
// spoken to. A silent server is pinged after half of silence_patience, and given up after all of it.
//
// Errors of dial(): UNAVAILABLE for a name that is not found. Of lost(): UNAVAILABLE: nobody is there, or it
// has gone; INVALID_ARGUMENT for a file of TLS; FAILED_PRECONDITION: its certificate is not trusted;
// UNAUTHENTICATED, PERMISSION_DENIED: it says so; UNIMPLEMENTED: it does not speak the protocol. Of send():
// RESOURCE_EXHAUSTED names the limit; what lost() says.
// Threading: the loop's thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "pawl/adapter/http/byte_stream.h"
#include "pawl/adapter/http/http_url.h"
#include "pawl/adapter/linux_loop/linux_loop.h"

namespace pawl {

struct WebSocketDial {
  HttpUrl url;
  std::string target;    // below the url's path: "/v1/ws"
  std::string protocol;  // Sec-WebSocket-Protocol
  std::string token;     // Authorization: Bearer; empty: none
  HttpClientTls tls{};
  Duration connect_patience = Duration::seconds(10);  // until the server has agreed
  Duration silence_patience = Duration::seconds(60);
  uint64_t message_bytes_max = 64ull << 20;  // one message, either way
  uint64_t output_bytes_max = 256ull << 20;  // waiting for the server to read
};

class WebSocketClientHandler {
 public:
  virtual ~WebSocketClientHandler() = default;
  virtual void heard(std::string_view text) = 0;
  virtual void lost(const Error& why) = 0;
};

class WebSocketClient {
 public:
  static Result<std::unique_ptr<WebSocketClient>> dial(WebSocketDial options, LinuxLoop& loop,
                                                       WebSocketClientHandler& handler);
  virtual ~WebSocketClient() = default;  // says goodbye, without lost()

  virtual Status send(std::string_view text) = 0;
  virtual bool open() const = 0;  // the server has agreed
};

}  // namespace pawl
