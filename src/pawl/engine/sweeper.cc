#include "pawl/engine/sweeper.h"

#include "pawl/partition/stored.h"

namespace pawl {
namespace {

// Of one turn: a removal is some calls of the disk, a look some reads of the view.
constexpr int drops_per_turn = 4;
constexpr int looks_per_turn = 64;

void tell(Telemetry& telemetry, const Error& error) {
  telemetry.warn("belongings_left",
                 "what is left of an execution stays until the next start: " + error.message);
}

}  // namespace

void Sweeper::drop_now(ExecutionId owner, Telemetry& telemetry) {
  for (Belongings* place : places_) {
    if (Status dropped = place->drop_owner(owner); !dropped.ok()) tell(telemetry, dropped.error());
  }
}

void Sweeper::work(const State& state, View& view, Telemetry& telemetry) {
  for (int i = 0; i < drops_per_turn && !forgotten_.empty(); ++i) {
    drop_now(forgotten_.front(), telemetry);
    forgotten_.pop_front();
  }
  if (forgotten_.empty() && sweeping()) sweep(state, view, telemetry);
}

void Sweeper::sweep(const State& state, View& view, Telemetry& telemetry) {
  if (found_.empty()) {
    auto owners = places_[next_place_++]->owners();
    if (!owners.ok()) return tell(telemetry, owners.error());
    found_.assign(owners->begin(), owners->end());
  }
  int drops = 0;
  for (int i = 0; i < looks_per_turn && drops < drops_per_turn && !found_.empty(); ++i) {
    ExecutionId owner = found_.front();
    found_.pop_front();
    if (!owner || !state.slot.owns(owner) || state.forgotten.contains(owner)) continue;
    auto known = exists(state, view, owner);
    if (!known.ok()) {
      tell(telemetry, known.error());
    } else if (!*known) {
      drop_now(owner, telemetry);
      ++drops;
    }
  }
}

}  // namespace pawl
