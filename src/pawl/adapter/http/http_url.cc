#include "pawl/adapter/http/http_url.h"

#include <charconv>

#include "pawl/port/tls.h"

namespace pawl {
namespace {

Error wrong(std::string_view text, const std::string& why) {
  return {Code::invalid_argument, "\"" + std::string(text.substr(0, 200)) +
                                      "\" is no address of a server: " + why +
                                      "; write http://127.0.0.1:8080 or https://pawl.example.org"};
}

bool printable(std::string_view text) {
  for (char c : text)
    if (c <= ' ' || c >= 0x7f) return false;
  return true;
}

bool take(std::string_view& text, std::string_view start) {
  if (!text.starts_with(start)) return false;
  text.remove_prefix(start.size());
  return true;
}

}  // namespace

std::string HttpUrl::authority() const {
  bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

bool HttpUrl::stays_here() const {
  return pawl::stays_here(authority());
}

Result<HttpUrl> parse_http_url(std::string_view text) {
  std::string_view rest = text;
  HttpUrl url;
  if (text.size() > http_url_bytes_max || !printable(text))
    return wrong(text, "it is longer than any, or has spaces");
  if (take(rest, "https://"))
    url.tls = true;
  else if (!take(rest, "http://"))
    return wrong(text, "it does not begin with http:// or https://");
  size_t slash = rest.find_first_of("/?#");
  std::string_view authority = rest.substr(0, slash);
  std::string_view path = slash == std::string_view::npos ? "" : rest.substr(slash);
  if (path.find_first_of("?#") != std::string_view::npos)
    return wrong(text, "it has more than a path");
  while (path.ends_with('/')) path.remove_suffix(1);
  url.path = path;
  if (authority.find('@') != std::string_view::npos)
    return wrong(text, "it names a user; what proves who you are does not stand in it");
  size_t colon = authority.rfind(':');
  if (take(authority, "[")) {
    size_t bracket = authority.find(']');
    if (bracket == std::string_view::npos) return wrong(text, "a bracket is open");
    url.host = authority.substr(0, bracket);
    authority.remove_prefix(bracket + 1);
    colon = authority.starts_with(':') ? 0 : std::string_view::npos;
    if (colon == std::string_view::npos && !authority.empty())
      return wrong(text, "something stands behind its bracket");
  } else {
    url.host = authority.substr(0, colon);
  }
  if (url.host.empty() || url.host.find_first_of("[]%") != std::string::npos)
    return wrong(text, "it names no host");
  url.port = url.tls ? 443 : 80;
  if (colon == std::string_view::npos) return url;
  std::string_view port = authority.substr(colon + 1);
  auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), url.port);
  if (error != std::errc() || end != port.data() + port.size() || url.port == 0)
    return wrong(text, "its port is no number from 1 to 65535");
  return url;
}

}  // namespace pawl
