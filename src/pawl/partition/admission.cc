#include "pawl/partition/admission.h"

#include <algorithm>

#include "pawl/partition/describe.h"
#include "pawl/schedule/queue_table.h"

namespace pawl {
namespace {

constexpr uint64_t parts = 2 * priority_max;

// What to do other than wait, for whoever can.
std::string remedy(const Bound& bound) {
  if (bound.shed == Shed::memory) return "give the server more with pawl server --memory";
  if (bound.shed == Shed::queue)
    return "start more workers, or raise it with pawl queue set " + std::string(bound.whose) +
           " --waiting N";
  return "raise it";
}

std::string owner_of(const Bound& bound) {
  if (bound.whose.empty()) return "";
  return (bound.shed == Shed::queue ? " of queue \"" : " of namespace \"") +
         std::string(bound.whose) + "\"";
}

}  // namespace

const char* name(Shed shed) {
  constexpr const char* names[shed_kinds] = {"memory", "executions", "namespace",
                                             "queue",  "inbox",      "disk"};
  return names[static_cast<size_t>(shed)];
}

// limit x (9 + p) / 18, rounded up, without an overflow.
uint64_t share_of(uint64_t limit, uint8_t priority) {
  uint64_t mine = parts / 2 + priority;
  return limit / parts * mine + (limit % parts * mine + parts - 1) / parts;
}

Duration told_wait(Duration wait, Random& dice) {
  wait = std::clamp(wait, retry_after_min, retry_after_max);
  wait.ns += static_cast<int64_t>(dice.below(static_cast<uint64_t>(wait.ns) / 4));
  return std::min(wait, retry_after_max);
}

void Admission::consider(const Bound& bound) {
  if (bound.limit == 0) return;
  uint64_t share = share_of(bound.limit, priority_);
  if (bound.used < share) return;
  Duration until = bound.drain.time_for(bound.used - share + 1, now_);
  if (refused_ && until <= until_) return;
  refused_.emplace(bound);
  until_ = until;
}

Reply Admission::refusal(Random& dice) const {
  const Bound& bound = *refused_;
  const Duration wait = told_wait(until_, dice);
  std::string text = "the limit ";
  text += bound.limit_name;
  text += " (" + std::to_string(bound.limit) + ")" + owner_of(bound) + " is reached: priority " +
          std::to_string(priority_) + " may fill " +
          std::to_string(share_of(bound.limit, priority_)) + ", and " + std::to_string(bound.used) +
          " are taken; try again in " + in_words(wait) + ", or " + remedy(bound);
  return {Code::resource_exhausted, std::move(text), 0, wait};
}

}  // namespace pawl
