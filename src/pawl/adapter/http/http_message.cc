#include "pawl/adapter/http/http_message.h"

#include <ctime>

#include "pawl/base/json.h"

namespace pawl {

const std::string* HttpRequest::field(std::string_view name) const {
  for (const HttpField& one : fields)
    if (one.name == name) return &one.value;
  return nullptr;
}

std::string_view HttpRequest::path() const {
  return std::string_view(target).substr(0, target.find('?'));
}

std::string_view HttpRequest::query() const {
  size_t mark = target.find('?');
  return mark == std::string::npos ? std::string_view() : std::string_view(target).substr(mark + 1);
}

HttpResponse problem(int status, Code code, const std::string& message, Duration retry_after) {
  JsonWriter out;
  out.begin_object().key("error").begin_object();
  out.key("code").string(name(code)).key("message").string(message);
  if (retry_after > Duration{})
    out.key("retry_after_ms").number(rounded_up(retry_after, Duration::milliseconds(1)));
  out.end_object().end_object();
  HttpResponse response;
  response.status = status;
  response.body = out.take();
  if (retry_after > Duration{})
    response.fields.push_back(
        {"Retry-After", std::to_string(rounded_up(retry_after, Duration::seconds(1)))});
  return response;
}

std::string_view reason_phrase(int status) {
  switch (status) {
    case 101:
      return "Switching Protocols";
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 426:
      return "Upgrade Required";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Status";
  }
}

std::string head_of(const HttpResponse& response, HttpFraming framing, size_t size, bool keep_alive,
                    std::string_view date) {
  std::string head;
  head.reserve(160 + size);
  head.append("HTTP/1.1 ").append(std::to_string(response.status)).append(" ");
  head.append(reason_phrase(response.status)).append("\r\n");
  head.append("Date: ").append(date).append("\r\n");
  if (!response.content_type.empty())
    head.append("Content-Type: ").append(response.content_type).append("\r\n");
  for (const HttpField& field : response.fields)
    head.append(field.name).append(": ").append(field.value).append("\r\n");
  bool bodiless = response.status == 204 || response.status == 101;
  if (framing == HttpFraming::chunked)
    head.append("Transfer-Encoding: chunked\r\n");
  else if (framing == HttpFraming::sized && !bodiless)
    head.append("Content-Length: ").append(std::to_string(size)).append("\r\n");
  if (!keep_alive) head.append("Connection: close\r\n");
  head.append("\r\n");
  return head;
}

std::string http_date(WallTime time) {
  time_t seconds = time.ns / 1'000'000'000;
  tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32];
  size_t size = strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return {text, size};
}

}  // namespace pawl
