#include "pawl/adapter/http/request_reader.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <optional>

#include "pawl/adapter/http/gzip.h"

namespace pawl {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
using ErrorCode = beast::error_code;

std::string lower(std::string_view text) {
  std::string low(text);
  std::transform(low.begin(), low.end(), low.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return low;
}

constexpr size_t fields_usual = 8;

std::string_view view(beast::string_view text) {
  return {text.data(), text.size()};
}

HttpResponse too_long(const char* what, const HttpOptions& options) {
  return problem(431, Code::resource_exhausted,
                 std::string(what) + " more bytes than head_bytes_max (" +
                     std::to_string(options.head_bytes_max) + ")");
}

HttpResponse refusal_for(const ErrorCode& error, const HttpOptions& options) {
  auto is = [&](http::error one) { return error == one; };
  if (is(http::error::header_limit))
    return too_long("the request line and header fields have", options);
  if (is(http::error::body_limit))
    return problem(413, Code::resource_exhausted,
                   "the body has more bytes than body_bytes_max (" +
                       std::to_string(options.body_bytes_max) + ")");
  if (is(http::error::bad_version))
    return problem(505, Code::unimplemented, "this server speaks HTTP/1.1 and HTTP/1.0");
  return problem(400, Code::invalid_argument, "this is no HTTP request: " + error.message());
}

}  // namespace

// Beast's parser does the work and keeps to the limits; this takes down what it finds.
class RequestReader::Parser final : public http::basic_parser<true> {
 public:
  explicit Parser(HttpRequest& request) : request_(request) {}
  int version = 11;

 private:
  void on_request_impl(http::verb, beast::string_view method, beast::string_view target, int v,
                       ErrorCode&) override {
    request_.method = view(method);
    request_.target = view(target);
    version = v;
  }
  void on_response_impl(int, beast::string_view, int, ErrorCode&) override {}
  void on_field_impl(http::field, beast::string_view name, beast::string_view value,
                     ErrorCode&) override {
    if (is_header_done()) return;  // it stands behind the body
    request_.fields.push_back({lower(view(name)), std::string(view(value))});
  }
  void on_header_impl(ErrorCode&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>& length, ErrorCode&) override {
    if (length) request_.body.reserve(std::min<uint64_t>(*length, 1 << 20));
  }
  std::size_t on_body_impl(beast::string_view body, ErrorCode&) override {
    request_.body.append(body.data(), body.size());
    return body.size();
  }
  void on_chunk_header_impl(std::uint64_t, beast::string_view, ErrorCode&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view body, ErrorCode&) override {
    request_.body.append(body.data(), body.size());
    return body.size();
  }
  void on_finish_impl(ErrorCode&) override {}

  HttpRequest& request_;
};

RequestReader::RequestReader(const HttpOptions& options) : options_(options) {}
RequestReader::~RequestReader() = default;

void RequestReader::add(std::string_view bytes) {
  buffer_.append(bytes);
}

bool RequestReader::in_body() const {
  return parser_ != nullptr && parser_->is_header_done();
}

bool RequestReader::wants_continue() {
  if (!in_body() || !request_.body.empty()) return false;
  for (HttpField& field : request_.fields) {
    if (field.name != "expect" || lower(field.value) != "100-continue") continue;
    field.value.clear();
    return true;
  }
  return false;
}

void RequestReader::begin() {
  request_ = {};
  request_.fields.reserve(fields_usual);
  parser_ = std::make_unique<Parser>(request_);
  parser_->header_limit(options_.head_bytes_max);
  parser_->body_limit(options_.body_bytes_max);
}

// The parser takes what stands between and behind chunks only when it is whole: it is shown no more of it
// than may be kept.
RequestReader::State RequestReader::read() {
  if (broken_) return State::broken;
  if (parser_ == nullptr && !buffer_.empty()) begin();
  bool headed = in_body();
  size_t used = 0;
  while (used < buffer_.size() && in_body() == headed && !parser_->is_done()) {
    size_t shown = buffer_.size() - used;
    if (headed) shown = std::min<size_t>(shown, options_.head_bytes_max);
    ErrorCode error;
    size_t taken = parser_->put(boost::asio::const_buffer(buffer_.data() + used, shown), error);
    used += taken;
    if (error && error != http::error::need_more) return refuse(refusal_for(error, options_));
    if (error && taken == 0) {
      if (headed && shown == options_.head_bytes_max)
        return refuse(
            too_long("what stands between or behind the chunks of the body has", options_));
      break;
    }
  }
  buffer_.erase(0, used);
  if (in_body() && !headed) return meet();
  return parser_ != nullptr && parser_->is_done() ? complete() : State::more;
}

RequestReader::State RequestReader::refuse(HttpResponse refusal) {
  broken_ = true;
  refusal_ = std::move(refusal);
  return State::broken;
}

// Whoever else reads this request must find the same host in it, and the same end of its body.
RequestReader::State RequestReader::meet() {
  keep_alive_ = parser_->keep_alive();
  knows_chunks_ = parser_->version >= 11;
  size_t hosts = 0;
  for (const HttpField& field : request_.fields) {
    hosts += field.name == "host" ? 1 : 0;
    if (field.name != "transfer-encoding") continue;
    if (!knows_chunks_)
      return refuse(problem(400, Code::invalid_argument, "HTTP/1.0 has no Transfer-Encoding"));
    if (lower(field.value) != "chunked")
      return refuse(problem(501, Code::unimplemented,
                            "the only Transfer-Encoding that this server knows is chunked"));
  }
  if (hosts > 1 || (hosts == 0 && knows_chunks_))
    return refuse(problem(400, Code::invalid_argument,
                          "an HTTP/1.1 request needs a Host field, and only one"));
  parser_->eager(true);
  return parser_->is_done() ? complete() : State::head;
}

RequestReader::State RequestReader::complete() {
  parser_.reset();
  const std::string* encoding = request_.field("content-encoding");
  if (encoding == nullptr || encoding->empty() || lower(*encoding) == "identity")
    return State::request;
  if (lower(*encoding) != "gzip")
    return refuse(problem(415, Code::invalid_argument,
                          "a body may be packed with gzip, not with " + encoding->substr(0, 40)));
  Result<std::string> unpacked = gunzip(request_.body, options_.body_bytes_max);
  if (!unpacked.ok()) {
    bool large = unpacked.error().code == Code::resource_exhausted;
    return refuse(problem(large ? 413 : 400, unpacked.error().code,
                          large ? "the unpacked body has more bytes than body_bytes_max (" +
                                      std::to_string(options_.body_bytes_max) + ")"
                                : unpacked.error().message));
  }
  request_.body = std::move(*unpacked);
  return State::request;
}

HttpRequest RequestReader::take() {
  return std::move(request_);
}

}  // namespace pawl
