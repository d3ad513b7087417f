#include "pawl/api/prepared.h"

#include <algorithm>
#include <utility>

namespace pawl {

std::shared_ptr<Prepared> PreparedCache::find(const Hash128& source) {
  auto it = std::find_if(entries_.begin(), entries_.end(),
                         [&](const auto& entry) { return entry->source == source; });
  if (it == entries_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, it);
  return *it;
}

void PreparedCache::add(std::shared_ptr<Prepared> prepared) {
  entries_.push_front(std::move(prepared));
  if (entries_.size() > entries_max) entries_.pop_back();
}

}  // namespace pawl
