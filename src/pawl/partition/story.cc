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

namespace {

uint64_t text_bytes_of(const Story& story) {
  return story.cause ? story.cause->error.size() : 0;
}

}  // namespace

Stories::Range Stories::entries() const {
  if (!held_) return {};
  return {held_->entries.begin(), held_->entries.end()};
}

const Story* Stories::find(ItemIndex item) const {
  if (!held_) return nullptr;
  auto it = held_->entries.upper_bound(item);
  if (it == held_->entries.begin()) return nullptr;
  --it;
  return item < it->second.end ? &it->second.story : nullptr;
}

void Stories::split(ItemIndex at) {
  auto it = held_->entries.upper_bound(at);
  if (it == held_->entries.begin()) return;
  --it;
  if (it->first == at || at >= it->second.end) return;
  Entry right = it->second;
  it->second.end = at;
  held_->text_bytes += text_bytes_of(right.story);
  held_->entries.emplace(at, std::move(right));
}

void Stories::assign(ItemSpan span, const Story& story) {
  PAWL_CHECK(span.begin < span.end, "a story about nothing");
  if (!held_) held_ = std::make_unique<Held>();
  split(span.begin);
  split(span.end);
  const Story now = story;  // it may be one of those that go
  auto first = held_->entries.lower_bound(span.begin);
  const auto last = held_->entries.lower_bound(span.end);
  while (first != last) {
    held_->text_bytes -= text_bytes_of(first->second.story);
    first = held_->entries.erase(first);
  }
  held_->text_bytes += text_bytes_of(now);
  held_->entries.emplace(span.begin, Entry{span.end, now});
}

ItemIndex Stories::next_from(ItemIndex item, ItemIndex end) const {
  if (!held_) return end;
  auto it = held_->entries.upper_bound(item);
  if (it != held_->entries.begin() && std::prev(it)->second.end > item) return std::min(item, end);
  return it == held_->entries.end() ? end : std::min(it->first, end);
}

ItemIndex Stories::run_end(ItemIndex item, ItemIndex end) const {
  PAWL_CHECK(held_, "run_end without stories");
  auto it = std::prev(held_->entries.upper_bound(item));
  PAWL_CHECK(item < it->second.end, "run_end of an item without a story");
  return std::min(it->second.end, end);
}

}  // namespace pawl
