// Any bytes: a call or an answer is refused, or what was read is written to the same again.
#include "pawl/api/json_codec.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  pawl::ReadCall call = pawl::call_from_json(text);
  if (call.call.ok()) {
    std::string once = pawl::to_json(pawl::NumberedCall{call.ticket, *call.call});
    pawl::ReadCall again = pawl::call_from_json(once);
    PAWL_CHECK(again.call.ok(), "a call that was written cannot be read");
    PAWL_CHECK(pawl::to_json(pawl::NumberedCall{again.ticket, *again.call}) == once,
               "a call is not stable");
  }
  pawl::Result<pawl::CallAnswer> answer = pawl::answer_from_json(text);
  if (!answer.ok()) return 0;
  std::string once = pawl::to_json(*answer);
  pawl::Result<pawl::CallAnswer> again = pawl::answer_from_json(once);
  PAWL_CHECK(again.ok(), "an answer that was written cannot be read");
  PAWL_CHECK(pawl::to_json(*again) == once, "an answer is not stable");
  return 0;
}
