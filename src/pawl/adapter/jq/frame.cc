#include "pawl/adapter/jq/frame.h"

namespace pawl::jq {
namespace {

ByteWriter request(RequestKind kind, const std::string& expression, ContextSource source) {
  ByteWriter out;
  out.u8(static_cast<uint8_t>(kind));
  out.text(expression);
  out.u8(static_cast<uint8_t>(source));
  return out;
}

}  // namespace

Bytes check_request(const std::string& expression) {
  return request(RequestKind::check, expression, ContextSource::none).take();
}

Result<Bytes> evaluate_request(const std::string& expression, const std::string* context) {
  if (context == nullptr)
    return request(RequestKind::evaluate, expression, ContextSource::same_as_before).take();
  if (context->size() + expression.size() + 64 > frame_bytes_max)
    return Error{Code::resource_exhausted, "the expression's context is larger than 1 GiB"};
  ByteWriter out = request(RequestKind::evaluate, expression, ContextSource::sent);
  out.text(*context);
  return out.take();
}

Result<std::string> value_in(ByteView answer) {
  ByteReader in(answer);
  auto outcome = static_cast<Outcome>(in.u8());
  std::string text(in.text());
  if (!in.ok()) return Error{Code::internal, "the jq helper gave a malformed answer"};
  if (outcome == Outcome::value) return text;
  return Error{Code::invalid_argument, std::move(text)};
}

}  // namespace pawl::jq
