// Requests and responses of HTTP/1.1 as plain values, and the limits that hold for them.
//
//   HttpResponse response = problem(404, Code::not_found, "no execution e71");
//   if (const std::string* tag = request.field("idempotency-key")) ...
//
// A request is complete: its body has been received and unpacked. Threading: values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "pawl/base/result.h"
#include "pawl/base/time.h"
#include "pawl/port/telemetry.h"

namespace pawl {

struct HttpField {
  std::string name;  // of a request: in lower case
  std::string value;
};

struct HttpRequest {
  std::string method;
  std::string target;  // as it was sent: "/v1/executions?limit=5"
  std::vector<HttpField> fields;
  std::string body;
  std::string certificate;  // the name in the client's verified certificate; empty: none shown

  const std::string* field(std::string_view name) const;  // the first; null: there is none
  std::string_view path() const;                          // before the '?'
  std::string_view query() const;                         // behind it
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "application/json";  // empty: no body
  std::vector<HttpField> fields;                  // beside Content-* and Connection
  std::string body;
};

// {"error":{"code":"NOT_FOUND","message":"..."}}
// With a time after which it may be tried again, if that is known.
HttpResponse problem(int status, Code code, const std::string& message, Duration retry_after = {});
std::string_view reason_phrase(int status);
// How the other side knows where a body ends: by its size, by chunks, or by the connection's end.
enum class HttpFraming : uint8_t { sized, chunked, until_close };
// What stands before the body, which has `size` bytes if it is sized.
std::string head_of(const HttpResponse& response, HttpFraming framing, size_t size, bool keep_alive,
                    std::string_view date);
// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, 5.6.7).
std::string http_date(WallTime time);

// Files that are replaced are used for the connections that come after.
struct HttpTls {
  std::string certificate_file;  // PEM, with its chain
  std::string key_file;          // PEM
  std::string client_ca_file;    // PEM; empty: clients show no certificate
  bool client_required = false;  // whoever shows no certificate is refused
};

struct HttpOptions {
  std::string listen = "127.0.0.1:0";  // address:port; [::1]:8080; port 0: a free one
  bool tls_on = false;
  HttpTls tls{};
  Telemetry* telemetry =
      nullptr;  // told of new files of tls that cannot be used; it outlives the listener
  uint32_t connections_max = 4096;
  uint32_t head_bytes_max = 16 << 10;        // request line and fields
  uint64_t body_bytes_max = 64ull << 20;     // as sent, and again unpacked
  uint64_t output_bytes_max = 64ull << 20;   // waiting for one client of a stream or a WebSocket
  uint64_t message_bytes_max = 64ull << 20;  // one WebSocket message
  uint64_t gzip_bytes_min = 1 << 10;         // bodies below are never packed
  Duration idle_patience = Duration::seconds(75);     // between two requests
  Duration head_patience = Duration::seconds(10);     // for the whole head, and a TLS handshake
  Duration body_patience = Duration::seconds(60);     // for the whole body
  Duration write_patience = Duration::seconds(60);    // without the client reading anything
  Duration linger_patience = Duration::seconds(2);    // for the client to hang up too
  Duration silence_patience = Duration::seconds(60);  // of a WebSocket; it is pinged at the half
};

}  // namespace pawl
