// Any request: a call, or a refusal that says something; never both, never a 5xx.
#include "pawl/api/http/translate.h"
#include "pawl/base/json.h"

// Lines: method and target, content type, a field's value; the rest is the body.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  auto line = [&] {
    size_t end = std::min(text.find('\n'), text.size());
    std::string_view one = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return std::string(one);
  };
  pawl::HttpRequest request;
  std::string first = line();
  size_t space = std::min(first.find(' '), first.size());
  request.method = first.substr(0, space);
  request.target = first.substr(std::min(space + 1, first.size()));
  if (std::string type = line(); !type.empty()) request.fields.push_back({"content-type", type});
  if (std::string value = line(); !value.empty()) {
    request.fields.push_back({"idempotency-key", value});
    request.fields.push_back({"prefer", value});
  }
  request.body = text;
  pawl::Translation translation = pawl::translate(request, pawl::Duration::minutes(5));
  if (translation.route == nullptr) {
    int status = translation.refusal.status;
    PAWL_CHECK(status == 204 || (status >= 400 && status < 500), "a refusal blames the request");
    PAWL_CHECK(status == 204 || pawl::json_validate(translation.refusal.body).ok(),
               "a refusal is JSON");
  }
  return 0;
}
