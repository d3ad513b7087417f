// Serves HTTP/1.1 and WebSockets (RFC 6455) on a TCP port, inside TLS or not, on one loop.
//
//   class Hello final : public HttpHandler {
//     void heard(ExchangeId id, HttpRequest) override { listener->respond(id, {.body = "\"hello\""}); }
//     ...
//   };
//   PAWL_ASSIGN(auto listener, HttpListener::open(options, loop, clock, hello));
//   std::printf("port %u\n", listener->port());
//
// An exchange begins with admit(), before the body of its request is read, and goes on with heard(). It
// ends with exactly one of: what admit() answers, respond(), end() of a stream, or gone(): the client has
// left, or was hung up on. Then its id means nothing, and what is said to it is ignored. A WebSocket is
// the rest of the exchange that upgrade() accepts.
//
// One connection has one exchange at a time; requests that a client sends ahead wait until it has taken
// the answer before, bounded by head_bytes_max. Requests that break HTTP or a limit are answered here and never heard. At
// connections_max the next client is told 503 and hung up on.
//
// Backpressure: waiting() says how much a client has not taken yet; drained() comes when it has.
// Beyond output_bytes_max a stream is cut off, and a WebSocket closed with 1008.
//
// Threading: the loop's thread; handlers are called there, and may answer at once.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "pawl/adapter/http/http_message.h"
#include "pawl/adapter/linux_loop/linux_loop.h"

namespace pawl {

using ExchangeId = uint64_t;  // never 0

class HttpHandler {
 public:
  virtual ~HttpHandler() = default;
  // An answer ends the exchange; where a body follows it is not read, and the connection ends too.
  virtual std::optional<HttpResponse> admit(ExchangeId, const HttpRequest& /*head*/,
                                            bool /*body_follows*/) {
    return {};
  }
  virtual void heard(ExchangeId id, HttpRequest request) = 0;
  virtual void message(ExchangeId id, std::string_view text) = 0;  // of a WebSocket
  virtual void drained(ExchangeId id) = 0;                         // of a stream or WebSocket
  virtual void gone(ExchangeId id) = 0;
};

class HttpListener {
 public:
  // INVALID_ARGUMENT: an address or TLS file that cannot be used; UNAVAILABLE: the port is taken.
  static Result<std::unique_ptr<HttpListener>> open(HttpOptions options, LinuxLoop& loop,
                                                    Clock& clock, HttpHandler& handler);
  virtual ~HttpListener() = default;  // hangs up on everybody, without gone()

  virtual uint16_t port() const = 0;
  virtual size_t connections() const = 0;

  virtual void respond(ExchangeId id, HttpResponse response) = 0;
  // A body of pieces: each write() reaches the client at once.
  virtual void start_stream(ExchangeId id, HttpResponse head) = 0;
  virtual void write(ExchangeId id, std::string_view piece) = 0;
  virtual void end(ExchangeId id) = 0;
  // INVALID_ARGUMENT: the request does not ask for a WebSocket as it should.
  // `protocol`: the subprotocol that is spoken, told to clients that offer it (RFC 6455, 1.9).
  virtual Status upgrade(ExchangeId id, const HttpRequest& request, std::string_view protocol) = 0;
  virtual void send(ExchangeId id, std::string_view text) = 0;
  virtual void close(ExchangeId id, uint16_t code, std::string_view reason) = 0;
  virtual uint64_t waiting(ExchangeId id) const = 0;  // bytes
  // New connections are refused from now on; those that wait for no answer are ended.
  virtual void stop_accepting() = 0;
};

}  // namespace pawl
