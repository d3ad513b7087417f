// The doors for other machines and browsers: REST with server-sent events and WebSockets, over HTTP/1.1,
// before a gateway. docs/rest.md is the reference; GET /v1/openapi.json is made from the same table.
//
//   PAWL_ASSIGN(auto server, HttpServer::start({.http = {.listen = "127.0.0.1:8080"}}, gateway, loop,
//                                              authenticator));
//   std::printf("http://127.0.0.1:%u\n", server->port());
//   ... the loop runs ...
//   server->stop_accepting();     // /readyz says 503; open requests are still answered
//   server.reset();               // says goodbye to everybody, for a second at most
//
// Sockets live on a thread of its own; calls cross to the gateway's loop, many per wake-up. Every
// request but the probes is authenticated by its head, and its caller handed to the gateway, which
// decides. Whoever waits when the server ends is told UNAVAILABLE.
// Limits: HttpOptions, and those here; each is named by the error that says so. Errors of start():
// INVALID_ARGUMENT for an address or a TLS file, UNAVAILABLE when the port is taken.
// Threading: the gateway's loop thread.
#pragma once

#include <memory>

#include "pawl/adapter/http/http_message.h"
#include "pawl/api/access.h"
#include "pawl/api/gateway.h"

namespace pawl {

struct HttpServerOptions {
  HttpOptions http{};
  Duration wait_max = Duration::minutes(5);           // that a request may ask to wait
  uint32_t socket_calls_max = 1024;                   // open calls and watches of one WebSocket
  Duration progress_every = Duration::seconds(1);     // in event streams, while something runs
  Duration keep_alive_every = Duration::seconds(15);  // a comment in a silent event stream
  Duration authenticate_again_every =
      Duration::seconds(1);       // streams and WebSockets, as they go on
  bool local_names_only = false;  // for who proves nothing: it is called 127.0.0.1 or localhost
};

class HttpServer {
 public:
  static Result<std::unique_ptr<HttpServer>> start(HttpServerOptions options, Gateway& gateway,
                                                   Loop& loop, const Authenticator& authenticator);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  uint16_t port() const;
  void retire();  // everybody is still served, and /readyz says 503
  void stop_accepting();

 private:
  class Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace pawl
