#include "pawl/sim/universe.h"

#include <algorithm>

namespace pawl::sim {

void Universe::at(Instant when, Action action) {
  if (when == Instant::never()) return;
  heap_.push_back({std::max(when, now_), planned_++, std::move(action)});
  std::push_heap(heap_.begin(), heap_.end(), Later{});
}

bool Universe::step() {
  if (heap_.empty() || violation_) return false;
  std::pop_heap(heap_.begin(), heap_.end(), Later{});
  Planned next = std::move(heap_.back());
  heap_.pop_back();
  now_ = next.when;
  ++tally.events;
  next.action();
  return !violation_;
}

void Universe::violate(std::string invariant, std::string what) {
  if (violation_) return;
  note("VIOLATION");
  violation_ = Violation{std::move(invariant), std::move(what)};
}

}  // namespace pawl::sim
