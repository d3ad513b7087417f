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

std::shared_ptr<Prepared> NamedCache::find(const std::string& name_space,
                                           const std::string& name) const {
  auto it = entries_.find({name_space, name});
  return it == entries_.end() ? nullptr : it->second;
}

void NamedCache::add(const std::string& name_space, const std::string& name,
                     std::shared_ptr<Prepared> prepared) {
  if (entries_.size() >= entries_max) entries_.clear();
  entries_[{name_space, name}] = std::move(prepared);
}

// Names that nobody has asked for are not kept: whether there is a newer one is not known here.
void NamedCache::registered(const std::shared_ptr<Prepared>& prepared) {
  const Workflow& workflow = prepared->workflow;
  for (const std::string& name : {workflow.name, workflow.name + "@" + workflow.version}) {
    auto it = entries_.find({prepared->name_space, name});
    if (it != entries_.end() && it->second->id < prepared->id) it->second = prepared;
  }
}

}  // namespace pawl
