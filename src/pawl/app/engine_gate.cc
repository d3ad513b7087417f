#include "pawl/app/engine_gate.h"

#include <chrono>
#include <optional>

namespace pawl {
namespace {

constexpr std::chrono::seconds engine_patience{5};

// Nothing: the engine has gone, or is too busy. A promise that was dropped throws.
std::optional<GrantHeld> take(std::future<GrantHeld>& answer) {
  if (answer.wait_for(engine_patience) != std::future_status::ready) return std::nullopt;
  try {
    return answer.get();
  } catch (const std::future_error&) {
    return std::nullopt;
  }
}

}  // namespace

void EngineGate::open(std::vector<Engine*> engines) {
  std::lock_guard lock(mutex_);
  engines_ = std::move(engines);
}

void EngineGate::close() {
  open({});
}

bool EngineGate::remembers(const Key& key) {
  auto found = known_.find(key);
  return found != known_.end() && clock_.monotonic() < found->second;
}

Status EngineGate::may_touch(const GrantParty& party, ExecutionId execution) {
  const Error not_yet{Code::unavailable, "whether this worker holds a grant of " +
                                             to_text(execution) + " cannot be told yet; try again"};
  const Key key{party.certificate, execution};
  GrantQuestion question{party, execution, {}};
  std::future<GrantHeld> answer = question.answer.get_future();
  {
    std::lock_guard lock(mutex_);
    if (remembers(key)) return {};
    if (engines_.empty()) return not_yet;
    engines_[slot_of(execution, static_cast<uint32_t>(engines_.size()))]->ask(std::move(question));
  }
  std::optional<GrantHeld> held = take(answer);
  if (!held) return not_yet;
  if (*held == GrantHeld::perhaps) return {};
  if (*held == GrantHeld::no)
    return Error{Code::permission_denied,
                 "a worker may touch only what belongs to executions of which it holds a grant: " +
                     to_text(execution)};
  std::lock_guard lock(mutex_);
  if (known_.size() >= grants_remembered_max) known_.clear();
  known_[key] = clock_.monotonic() + grant_remembered;
  return {};
}

}  // namespace pawl
