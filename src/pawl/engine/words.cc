#include "pawl/engine/words.h"

#include <algorithm>
#include <utility>

namespace pawl {
namespace {

constexpr int life_bits = 36;  // places of a life: two years of a thousand words a second

uint64_t bytes_of(const SaidWord& word) {
  return sizeof(SaidWord) + word.progress.message.size();
}

}  // namespace

void Words::start(uint64_t epoch) {
  last_place_ = std::max(last_place_, epoch << life_bits);
}

void Words::add(AttemptProgress progress, uint64_t number) {
  SaidWord word{std::move(progress), number};
  const ExecutionId execution = word.progress.task.execution;
  Said& said = said_[execution];
  if (!said.words.empty()) by_newest_.erase(said.words.back().place);
  by_newest_[++last_place_] = execution;
  said.bytes += bytes_of(word);
  bytes_ += bytes_of(word);
  said.words.push_back({last_place_, std::move(word)});
  while (said.bytes > bytes_max_ && said.words.size() > 1) drop_oldest(said);
  while (bytes_ > all_bytes_max_ && said_.size() > 1) {
    auto silent = by_newest_.begin();
    auto gone = said_.find(silent->second);
    bytes_ -= gone->second.bytes;
    said_.erase(gone);
    by_newest_.erase(silent);
  }
}

void Words::drop_oldest(Said& said) {
  const uint64_t bytes = bytes_of(said.words.front().said);
  said.bytes -= bytes;
  bytes_ -= bytes;
  said.words.pop_front();
}

Words::Page Words::read(ExecutionId execution, uint64_t after, uint32_t limit) const {
  Page page{{}, after};
  auto said = said_.find(execution);
  if (said == said_.end()) return page;
  const std::deque<Kept>& words = said->second.words;
  auto next = std::upper_bound(words.begin(), words.end(), after,
                               [](uint64_t place, const Kept& kept) { return place < kept.place; });
  for (; next != words.end() && page.words.size() < limit; ++next) {
    page.words.push_back(next->said);
    page.cursor = next->place;
  }
  return page;
}

}  // namespace pawl
