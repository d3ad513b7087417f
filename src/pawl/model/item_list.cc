#include "pawl/model/item_list.h"

#include <charconv>

#include "pawl/base/json.h"
#include "pawl/model/payload.h"

namespace pawl {
namespace {

constexpr size_t shown_max = 80;

Error not_items(const std::string& json) {
  return {Code::invalid_argument, "for_each gave " + json.substr(0, shown_max) +
                                      "; a list or an integer from 0 on is needed"};
}

Error too_many(uint64_t count, uint64_t items_max) {
  return {Code::resource_exhausted, "for_each gave " + std::to_string(count) +
                                        " items; the limit mapped_items_max is " +
                                        std::to_string(items_max)};
}

}  // namespace

Result<ItemList> item_list(const std::string& json, uint64_t items_max) {
  ItemList list;
  uint64_t count = 0;
  if (json_kind(json) == JsonKind::array) {
    list.encoded = encode_items(json);
    count = items_count(list.encoded);
    if (count == 0) list.encoded.clear();
  } else {
    const char* end = json.data() + json.size();
    auto [stop, error] = std::from_chars(json.data(), end, count);
    if (error != std::errc() || stop != end) return not_items(json);
  }
  if (count > items_max) return too_many(count, items_max);
  list.count = static_cast<uint32_t>(count);
  return list;
}

}  // namespace pawl
