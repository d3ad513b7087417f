#include "pawl/adapter/http/response_reader.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

namespace pawl {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
using ErrorCode = beast::error_code;

std::string lower(beast::string_view text) {
  std::string low(text.data(), text.size());
  std::transform(low.begin(), low.end(), low.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return low;
}

}  // namespace

// Beast's parser does the work and keeps to the limits; this takes down what it finds.
class ResponseReader::Parser final : public http::basic_parser<false> {
 public:
  explicit Parser(HttpResponse& response) : response_(response) {}

 private:
  void on_request_impl(http::verb, beast::string_view, beast::string_view, int,
                       ErrorCode&) override {}
  void on_response_impl(int status, beast::string_view, int, ErrorCode&) override {
    response_.status = status;
  }
  void on_field_impl(http::field, beast::string_view name, beast::string_view value,
                     ErrorCode&) override {
    response_.fields.push_back({lower(name), std::string(value.data(), value.size())});
  }
  void on_header_impl(ErrorCode&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, ErrorCode&) override {}
  std::size_t on_body_impl(beast::string_view body, ErrorCode&) override {
    response_.body.append(body.data(), body.size());
    return body.size();
  }
  void on_chunk_header_impl(std::uint64_t, beast::string_view, ErrorCode&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view body, ErrorCode&) override {
    response_.body.append(body.data(), body.size());
    return body.size();
  }
  void on_finish_impl(ErrorCode&) override {}

  HttpResponse& response_;
};

ResponseReader::ResponseReader(ResponseLimits limits)
    : limits_(limits), parser_(std::make_unique<Parser>(response_)) {
  parser_->header_limit(limits_.head_bytes_max);
  parser_->body_limit(limits_.body_bytes_max);
  parser_->eager(true);
}

ResponseReader::~ResponseReader() = default;

void ResponseReader::add(std::string_view bytes) {
  buffer_.append(bytes);
}

const std::string* ResponseReader::field(std::string_view name) const {
  for (const HttpField& one : response_.fields)
    if (one.name == name) return &one.value;
  return nullptr;
}

ResponseReader::State ResponseReader::read() {
  ErrorCode error;
  size_t used = 0;
  while (!error && !parser_->is_done() && used < buffer_.size())
    used += parser_->put(boost::asio::const_buffer(buffer_.data() + used, buffer_.size() - used),
                         error);
  buffer_.erase(0, used);
  if (error == http::error::need_more) error = {};
  bool limit = error == http::error::header_limit || error == http::error::body_limit;
  return judge(error.failed(), limit, error.message());
}

ResponseReader::State ResponseReader::finish() {
  ErrorCode error;
  if (!parser_->is_done() && !parser_->got_some()) return judge(true, false, "there is none");
  if (!parser_->is_done()) parser_->put_eof(error);
  return judge(error.failed() || !parser_->is_done(), false, error.message());
}

ResponseReader::State ResponseReader::judge(bool broken, bool limit, const std::string& why) {
  if (!broken) return parser_->is_done() ? State::response : State::more;
  failure_ = {Code::invalid_argument, "its answer is no HTTP: " + why};
  if (limit)
    failure_ = {Code::resource_exhausted, "its answer is larger than head_bytes_max (" +
                                              std::to_string(limits_.head_bytes_max) +
                                              ") or body_bytes_max (" +
                                              std::to_string(limits_.body_bytes_max) + ")"};
  return State::broken;
}

}  // namespace pawl
