// Where a server of HTTP is.
//
//   PAWL_ASSIGN(HttpUrl url, parse_http_url("https://pawl.example.org/team"));
//   url.tls == true; url.host == "pawl.example.org"; url.port == 443; url.path == "/team"
//
// Errors: INVALID_ARGUMENT, with what was expected. Safe on any text. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "pawl/base/result.h"

namespace pawl {

struct HttpUrl {
  bool tls = false;
  std::string host;   // a name or an address, [::1] without its brackets
  uint16_t port = 0;  // 80 and 443 where none is given
  std::string path;   // before all that is asked for; empty, or "/..." without a slash at its end

  std::string authority() const;  // "pawl.example.org:443", "[::1]:8080"
  bool stays_here() const;        // it is this machine's own address
};

constexpr size_t http_url_bytes_max = 2048;

Result<HttpUrl> parse_http_url(std::string_view text);

}  // namespace pawl
