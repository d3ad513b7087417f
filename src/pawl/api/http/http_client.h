// Client of a server on another machine: the calls of a Client over one WebSocket to /v1/ws.
//
//   PAWL_ASSIGN(auto client, HttpClient::connect({.url = "https://pawl.example.org", .token = token,
//                                                 .tls = {.ca_file = "ca.pem"}}, loop));
//   PAWL_ASSIGN(ExecutionId id, client->submit({definition, "nightly.yaml", R"({"day":7})", "day-7"}));
//
// connect() waits until the server has agreed, or cannot; begin() does not: calls wait, and are answered
// with the error if there is never a connection. A connection that is lost answers every open call, and
// every later one, with UNAVAILABLE; coming back is the caller's, with another client: what was on its way
// is asked for again, submissions with their request id. The loop must run at least once per
// silence_patience, or the server hangs up.
//
// The server speaks the subprotocol `pawl.v1` (ADR 0045): one that does not is none, or of another version.
// A token is not sent in plain text to another machine.
// Limits: those of HttpClientOptions; the server's socket_calls_max for calls that are open at once.
// Errors of connect(): INVALID_ARGUMENT for the URL, a file, or a token that would travel in plain text;
// FAILED_PRECONDITION: the server's certificate is not trusted; UNAUTHENTICATED, PERMISSION_DENIED;
// UNIMPLEMENTED: no such server; UNAVAILABLE. Each message begins with the URL.
// Threading: the loop's thread.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "pawl/adapter/http/web_socket_client.h"
#include "pawl/api/client.h"

namespace pawl {

struct HttpClientOptions {
  std::string
      url{};  // http://HOST:PORT or https://HOST[:PORT], and a path where a proxy has put one
  std::string token{};  // empty: none is shown
  HttpClientTls tls{};
  Duration connect_patience = Duration::seconds(10);
  Duration silence_patience = Duration::seconds(60);
  uint64_t message_bytes_max = 64ull << 20;  // one call or answer
  uint64_t output_bytes_max = 256ull << 20;  // calls that the server has not read
};

class HttpClient final : public Client, private WebSocketClientHandler {
 public:
  static Result<std::unique_ptr<HttpClient>> begin(HttpClientOptions options, LinuxLoop& loop);
  static Result<std::unique_ptr<HttpClient>> connect(HttpClientOptions options, LinuxLoop& loop);
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // Why there is no connection any more.
  const std::optional<Error>& failure() const { return lost_; }

  Ticket start(Call call) override;
  bool done(Ticket ticket) const override { return answers_.contains(ticket); }
  std::optional<CallResult> take(Ticket ticket) override;
  void forget(Ticket ticket) override;
  void pump(Duration wait_max) override { loop_.run_once(wait_max); }
  Duration patience() const override { return patience_; }
  void set_patience(Duration patience) override { patience_ = patience; }

 private:
  HttpClient(std::string url, LinuxLoop& loop) : url_(std::move(url)), loop_(loop) {}
  void heard(std::string_view text) override;
  void lost(const Error& why) override;

  std::string url_;
  LinuxLoop& loop_;
  Duration patience_ = Duration::forever();
  Ticket last_ticket_ = 0;
  std::set<Ticket> open_;
  std::map<Ticket, CallResult> answers_;
  std::optional<Error> lost_;
  std::unique_ptr<WebSocketClient> socket_;
};

}  // namespace pawl
