// The tasks of a node that did not simply succeed at the first try: what happened to them so far.
// Kept as ranges of equal stories, so that a million items lost with their worker are one entry.
//
//   Stories stories;
//   stories.assign({10, 20}, story);          // splits whatever was there
//   if (const Story* s = stories.find(12)) ...
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "pawl/model/event.h"
#include "pawl/partition/ranges.h"

namespace pawl {

enum class TaskStatus : uint8_t {
  ready = 0,        // in the ready queue
  granted = 1,      // a worker has it
  backing_off = 2,  // ready again at retry_at
  parked = 3,       // dead letter
  succeeded = 4,
  failed = 5,  // a discarded dead letter
  cancelled = 6,
};
const char* name(TaskStatus status);  // "backing_off"

constexpr bool is_terminal(TaskStatus status) {
  return status == TaskStatus::succeeded || status == TaskStatus::failed ||
         status == TaskStatus::cancelled;
}

// The newest failure; shared by the items of a range that failed together.
struct Cause {
  FailureKind kind = FailureKind::exit_code;
  int32_t exit_code = 0;
  std::string error;

  friend bool operator==(const Cause&, const Cause&) = default;
};

struct Story {
  TaskStatus status = TaskStatus::ready;
  AttemptNumber attempts = 0;          // granted so far
  uint32_t failures = 0;               // counted against max_attempts since the last redrive
  Instant since;                       // when it came into this status
  Instant retry_at;                    // backing_off only
  std::shared_ptr<const Cause> cause;  // null: never failed (lost or cancelled only)
};

class Stories {
 public:
  struct Entry {
    ItemIndex end = 0;
    Story story;
  };

  using Entries = std::map<ItemIndex, Entry>;
  struct Range {
    Entries::const_iterator first, last;
    Entries::const_iterator begin() const { return first; }
    Entries::const_iterator end() const { return last; }
  };

  const Story* find(ItemIndex item) const;
  void assign(ItemSpan span, const Story& story);
  // First item at or after `item` that has a story; `end` if none before `end`.
  ItemIndex next_from(ItemIndex item, ItemIndex end) const;
  // The end of the entry that contains `item` (which must have a story), at most `end`.
  ItemIndex run_end(ItemIndex item, ItemIndex end) const;
  Range entries() const;  // by first item, ascending
  size_t size() const { return held_ ? held_->entries.size() : 0; }
  // Of the entries' failures; what entries share counts for each.
  uint64_t text_bytes() const { return held_ ? held_->text_bytes : 0; }

 private:
  struct Held {
    Entries entries;
    uint64_t text_bytes = 0;
  };
  void split(ItemIndex at);
  std::unique_ptr<Held> held_;  // null: none, as for most nodes
};

}  // namespace pawl
