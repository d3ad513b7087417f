// Sets of items as sorted, disjoint half-open ranges. A million items done in order are one range.
#pragma once

#include <cstdint>
#include <vector>

#include "pawl/base/small_vector.h"
#include "pawl/model/ids.h"

namespace pawl {

struct ItemSpan {
  ItemIndex begin = 0;
  ItemIndex end = 0;

  friend constexpr auto operator<=>(const ItemSpan&, const ItemSpan&) = default;
};

class RangeSet {
 public:
  void add(ItemSpan span);  // joins what it touches
  bool contains(ItemIndex item) const;
  uint64_t count() const { return count_; }
  const SmallVector<ItemSpan>& spans() const { return spans_; }
  std::vector<ItemSpan> missing_of(ItemSpan span) const;  // its parts that are not here, ascending

 private:
  SmallVector<ItemSpan> spans_;
  uint64_t count_ = 0;
};

}  // namespace pawl
