// A worker that has outlived its engine: what it holds and what it should hold are made one.

#include <map>

#include "pawl/partition/lost.h"
#include "pawl/partition/step.h"

namespace pawl {
namespace {

// Grants by nonce, which no two of them share.
class Grants {
 public:
  void add(const TaskRange& range, AttemptNumber attempt, uint64_t nonce) {
    auto [it, fresh] = grants_.try_emplace(nonce);
    One& one = it->second;
    if (fresh) {
      one.execution = range.execution;
      one.node = range.node;
      one.attempt = attempt;
    }
    if (is(one, range, attempt)) one.items.add({range.begin, range.end});
  }

  std::vector<ItemSpan> missing_of(const TaskRange& range, AttemptNumber attempt,
                                   uint64_t nonce) const {
    auto it = grants_.find(nonce);
    ItemSpan span{range.begin, range.end};
    if (it != grants_.end() && is(it->second, range, attempt))
      return it->second.items.missing_of(span);
    return span.begin < span.end ? std::vector<ItemSpan>{span} : std::vector<ItemSpan>{};
  }

 private:
  struct One {
    ExecutionId execution;
    NodeIndex node = 0;
    AttemptNumber attempt = 1;
    RangeSet items;
  };
  static bool is(const One& one, const TaskRange& range, AttemptNumber attempt) {
    return one.execution == range.execution && one.node == range.node && one.attempt == attempt;
  }

  std::map<uint64_t, One> grants_;
};

}  // namespace

Reply on(Step& step, const ResumeSession& command) {
  auto session = step.state().sessions.find(command.session);
  if (session == step.state().sessions.end()) return refuse(Code::not_found, "the session is over");
  // Ids can be guessed; a certificate cannot be shown by others.
  const std::string& opened_with = session->second.worker.certificate;
  if (!opened_with.empty() && opened_with != command.certificate)
    return refuse(Code::permission_denied,
                  "the session is that of a worker with another certificate");
  Grants held;
  for (const HeldAttempts& one : command.held) held.add(one.range, one.attempt, one.nonce);
  Grants granted;
  std::vector<AttemptFailed> lost;
  for_each_open(step.state(), command.session, [&](const NodeKey& key, const OpenRange& open) {
    TaskRange range{key.execution, key.node, open.span.begin, open.span.end};
    granted.add(range, open.attempt, open.nonce);
    for (const ItemSpan& span : held.missing_of(range, open.attempt, open.nonce))
      lost.push_back(lost_attempt(key, open, span, "it was granted and never reached its worker"));
  });
  for (const HeldAttempts& one : command.held) {
    for (const ItemSpan& span : granted.missing_of(one.range, one.attempt, one.nonce)) {
      TaskRange range{one.range.execution, one.range.node, span.begin, span.end};
      step.ask(Stop{command.session, {range, one.attempt, one.nonce}});
    }
  }
  for (AttemptFailed& attempt : lost) step.emit(std::move(attempt));
  renew(step, command.session, nullptr);
  return {Code::ok, "", command.session.value};
}

}  // namespace pawl
