// What scans, scans to itself again from its own source; what is found lies inside the text.
#include <cstdint>

#include "pawl/base/check.h"
#include "pawl/definition/references.h"
#include "pawl/definition/template.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  pawl::ScannedTemplate first = pawl::scan_template(text);
  PAWL_CHECK(first.text.parts.size() == first.offsets.size(), "a part without an offset");
  for (size_t offset : first.offsets) PAWL_CHECK(offset < text.size(), "an offset behind the end");
  if (first.error) {
    PAWL_CHECK(text.substr(first.error->offset).starts_with("${"), "an error that is not at a ${");
    return 0;
  }
  for (const pawl::TemplatePart& part : first.text.parts)
    if (part.expression)
      for (const pawl::Reference& reference : pawl::find_references(part.expression.text))
        PAWL_CHECK(!reference.path.empty(), "a reference to nothing");
  pawl::ScannedTemplate second = pawl::scan_template(pawl::to_source(first.text));
  PAWL_CHECK(!second.error && second.text == first.text, "source and template disagree");
  return 0;
}
