// What `for_each` gave, as the item list of a mapped node: a list, or an integer n for 0..n-1.
#pragma once

#include <cstdint>
#include <string>

#include "pawl/base/bytes.h"
#include "pawl/base/result.h"

namespace pawl {

struct ItemList {
  Bytes encoded;  // payload.h's encoding; empty: the items are 0..count-1
  uint32_t count = 0;
};

// INVALID_ARGUMENT when the value is neither; RESOURCE_EXHAUSTED above `items_max`
// (mapped_items_max).
Result<ItemList> item_list(const std::string& json, uint64_t items_max);

}  // namespace pawl
