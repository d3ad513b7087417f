#include "pawl/partition/ranges.h"

#include <algorithm>

namespace pawl {

void RangeSet::add(ItemSpan span) {
  if (span.begin >= span.end) return;
  // Everything in [first, last) touches or overlaps the new span and is merged with it.
  ItemSpan* first =
      std::lower_bound(spans_.begin(), spans_.end(), span.begin,
                       [](const ItemSpan& s, ItemIndex item) { return s.end < item; });
  ItemSpan* last = first;
  while (last != spans_.end() && last->begin <= span.end) {
    span.begin = std::min(span.begin, last->begin);
    span.end = std::max(span.end, last->end);
    count_ -= last->end - last->begin;
    ++last;
  }
  count_ += span.end - span.begin;
  if (first == last) {
    spans_.insert(first, span);
  } else {
    *first = span;
    spans_.erase(first + 1, last);
  }
}

bool RangeSet::contains(ItemIndex item) const {
  auto it = std::upper_bound(spans_.begin(), spans_.end(), item,
                             [](ItemIndex i, const ItemSpan& s) { return i < s.end; });
  return it != spans_.end() && it->begin <= item;
}

std::vector<ItemSpan> RangeSet::missing_of(ItemSpan span) const {
  std::vector<ItemSpan> missing;
  for (const ItemSpan& here : spans_) {
    if (here.end <= span.begin) continue;
    if (here.begin >= span.end) break;
    if (span.begin < here.begin) missing.push_back({span.begin, here.begin});
    span.begin = here.end;
  }
  if (span.begin < span.end) missing.push_back(span);
  return missing;
}

}  // namespace pawl
