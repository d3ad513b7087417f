#include "pawl/api/http/http_client.h"

#include "pawl/api/http/subprotocol.h"
#include "pawl/api/json_codec.h"

namespace pawl {

Result<std::unique_ptr<HttpClient>> HttpClient::begin(HttpClientOptions options, LinuxLoop& loop) {
  WebSocketDial dial;
  PAWL_ASSIGN(dial.url, parse_http_url(options.url));
  if (!options.token.empty() && !dial.url.tls && !dial.url.stays_here())
    return Error{Code::invalid_argument,
                 options.url + ": the token would travel in plain text; use https://"};
  if (options.token.find_first_of(" \t\r\n") != std::string::npos)
    return Error{Code::invalid_argument, "a token is one word; this one has white space in it"};
  dial.target = "/v1/ws";
  dial.protocol = subprotocol;
  dial.token = std::move(options.token);
  dial.tls = std::move(options.tls);
  dial.connect_patience = options.connect_patience;
  dial.silence_patience = options.silence_patience;
  dial.message_bytes_max = options.message_bytes_max;
  dial.output_bytes_max = options.output_bytes_max;
  std::unique_ptr<HttpClient> client(new HttpClient(options.url, loop));
  auto socket = WebSocketClient::dial(std::move(dial), loop, *client);
  if (!socket.ok()) return std::move(socket.error()).within(options.url);
  client->socket_ = std::move(*socket);
  return client;
}

Result<std::unique_ptr<HttpClient>> HttpClient::connect(HttpClientOptions options,
                                                        LinuxLoop& loop) {
  PAWL_ASSIGN(std::unique_ptr<HttpClient> client, begin(std::move(options), loop));
  while (!client->lost_ && !client->socket_->open()) client->pump(Duration::forever());
  if (client->lost_) return *client->lost_;
  return client;
}

Ticket HttpClient::start(Call call) {
  Ticket ticket = ++last_ticket_;
  if (lost_) {
    answers_.emplace(ticket, *lost_);
    return ticket;
  }
  Status sent = socket_->send(to_json(NumberedCall{ticket, std::move(call)}));
  if (sent.ok())
    open_.insert(ticket);
  else
    answers_.emplace(ticket, std::move(sent.error()).within(url_));
  return ticket;
}

std::optional<CallResult> HttpClient::take(Ticket ticket) {
  auto found = answers_.extract(ticket);
  if (found.empty()) return std::nullopt;
  return std::move(found.mapped());
}

void HttpClient::forget(Ticket ticket) {
  answers_.erase(ticket);
  open_.erase(ticket);
}

void HttpClient::heard(std::string_view text) {
  if (lost_) return;
  Result<CallAnswer> answer = answer_from_json(text);
  if (!answer.ok()) return lost(Error(answer.error()).within("it gave a bad answer"));
  const auto* error = std::get_if<Error>(&answer->result);
  if (answer->ticket == 0)
    return lost(error != nullptr ? *error : Error{Code::internal, "it answered nobody"});
  if (open_.erase(answer->ticket) > 0)
    answers_.insert_or_assign(answer->ticket, std::move(answer->result));
}

void HttpClient::lost(const Error& why) {
  if (lost_) return;
  lost_ = Error(why).within(url_);
  for (Ticket ticket : open_) answers_.insert_or_assign(ticket, *lost_);
  open_.clear();
}

}  // namespace pawl
