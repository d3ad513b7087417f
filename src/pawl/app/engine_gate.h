// Lets workers touch what is kept for the executions of which they hold grants, as the engines say.
//
//   EngineGate gate(clock);                         // before the door of the workers
//   gate.open({&engine});                           // by slot
//   ... gate.may_touch(party, ExecutionId{17}) ...
//   gate.close();                                   // before the engines go
//
// After a start an engine knows the sessions that it finds in its log by their certificates. Of those that an
// earlier version opened it knows none, until their workers have been heard of or their leases are over: until then
// every worker is let in to what those hold. To make them wait would not do, for a worker that waits for a payload
// says nothing meanwhile.
//
// Whoever held a grant is let in for `grant_remembered` without another question: what a program said last,
// before its task was cancelled, may come behind the end of its grant.
// Limits: grants_remembered_max; beyond it all are asked for again. Threading: any.
#pragma once

#include <map>
#include <mutex>
#include <utility>

#include "pawl/engine/engine.h"
#include "pawl/port/grant_gate.h"

namespace pawl {

constexpr Duration grant_remembered = Duration::seconds(10);
constexpr size_t grants_remembered_max = 10'000;

class EngineGate final : public GrantGate {
 public:
  explicit EngineGate(Clock& clock) : clock_(clock) {}

  void open(std::vector<Engine*> engines);
  void close();
  Status may_touch(const GrantParty& party, ExecutionId execution) override;

 private:
  using Key = std::pair<std::string, ExecutionId>;
  bool remembers(const Key& key);

  Clock& clock_;
  std::mutex mutex_;
  std::vector<Engine*> engines_;  // none: not open
  std::map<Key, Instant> known_;  // until when
};

}  // namespace pawl
