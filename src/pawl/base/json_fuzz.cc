// Any text: validation ends; walking it stays inside, valid or not; what is valid stays so when
// compacted, and its strings survive unquoting and quoting.
#include "pawl/base/json.h"

namespace {

void walk(std::string_view text, int depth) {
  if (depth == 0) return;
  pawl::JsonKind kind = pawl::json_kind(text);
  if (kind == pawl::JsonKind::string)
    PAWL_CHECK(pawl::json_validate(pawl::json_quote(pawl::json_unquote(text))).ok(), "bad quoting");
  if (kind != pawl::JsonKind::array && kind != pawl::JsonKind::object) return;
  for (pawl::JsonItems items(text); items.next();) walk(items.value(), depth - 1);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  walk(text, 8);
  pawl::json_find(text, {"a", "0", "b"});
  std::string compact = pawl::json_compact(text);
  if (!pawl::json_validate(text).ok()) return 0;
  PAWL_CHECK(pawl::json_validate(compact).ok(), "compact form is not valid");
  PAWL_CHECK(pawl::json_compact(compact) == compact, "compact form is not stable");
  PAWL_CHECK(pawl::json_count(compact) == pawl::json_count(text), "compact form lost elements");
  return 0;
}
