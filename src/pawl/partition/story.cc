#include "pawl/partition/story.h"

#include <algorithm>

#include "pawl/base/check.h"

namespace pawl {

const char* name(TaskStatus status) {
  switch (status) {
    case TaskStatus::ready:
      return "ready";
    case TaskStatus::granted:
      return "running";
    case TaskStatus::backing_off:
      return "backing_off";
    case TaskStatus::parked:
      return "parked";
    case TaskStatus::succeeded:
      return "succeeded";
    case TaskStatus::failed:
      return "failed";
    case TaskStatus::cancelled:
      return "cancelled";
  }
  return "unknown";
}

Stories::Range Stories::entries() const {
  if (!entries_) return {};
  return {entries_->begin(), entries_->end()};
}

const Story* Stories::find(ItemIndex item) const {
  if (!entries_) return nullptr;
  auto it = entries_->upper_bound(item);
  if (it == entries_->begin()) return nullptr;
  --it;
  return item < it->second.end ? &it->second.story : nullptr;
}

void Stories::split(ItemIndex at) {
  auto it = entries_->upper_bound(at);
  if (it == entries_->begin()) return;
  --it;
  if (it->first == at || at >= it->second.end) return;
  Entry right = it->second;
  it->second.end = at;
  entries_->emplace(at, std::move(right));
}

void Stories::assign(ItemSpan span, const Story& story) {
  PAWL_CHECK(span.begin < span.end, "a story about nothing");
  if (!entries_) entries_ = std::make_unique<Entries>();
  split(span.begin);
  split(span.end);
  entries_->erase(entries_->lower_bound(span.begin), entries_->lower_bound(span.end));
  entries_->emplace(span.begin, Entry{span.end, story});
}

ItemIndex Stories::next_from(ItemIndex item, ItemIndex end) const {
  if (!entries_) return end;
  auto it = entries_->upper_bound(item);
  if (it != entries_->begin() && std::prev(it)->second.end > item) return std::min(item, end);
  return it == entries_->end() ? end : std::min(it->first, end);
}

ItemIndex Stories::run_end(ItemIndex item, ItemIndex end) const {
  PAWL_CHECK(entries_, "run_end without stories");
  auto it = std::prev(entries_->upper_bound(item));
  PAWL_CHECK(item < it->second.end, "run_end of an item without a story");
  return std::min(it->second.end, end);
}

}  // namespace pawl
