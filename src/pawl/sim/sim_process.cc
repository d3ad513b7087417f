#include "pawl/sim/sim_process.h"

#include <algorithm>

namespace pawl::sim {
namespace {

constexpr int64_t wall_origin_ns = 1'750'000'000'000'000'000;  // some day in 2025
constexpr uint64_t turn_ns_max = 20'000;

}  // namespace

WallTime SimClock::wall() {
  return {saturating_add(wall_origin_ns + universe_.now().ns, jump_.offset.ns)};
}

SimProcess::SimProcess(Universe& universe, const WallJump& jump, Random dice)
    : universe_(universe),
      clock_(universe, jump, Duration::seconds(static_cast<int64_t>(dice.below(1'000'000)))),
      dice_(dice) {}

SimProcess::~SimProcess() {
  *alive_ = false;
}

void SimProcess::add(Actor& actor) {
  actors_.push_back(&actor);
  plan_turn();
}

void SimProcess::remove(Actor& actor) {
  std::erase(actors_, &actor);
}

void SimProcess::after(Duration delay, Universe::Action action) {
  universe_.after(delay, [alive = alive_, action = std::move(action)] {
    if (*alive) action();
  });
}

void SimProcess::pause_until(Instant until) {
  paused_until_ = std::max(paused_until_, until);
}

void SimProcess::plan_turn() {
  if (turn_planned_ || dead()) return;
  turn_planned_ = true;
  Duration delay = Duration::nanoseconds(static_cast<int64_t>(1 + dice_.below(turn_ns_max)));
  if (paused()) delay = delay + (paused_until_ - universe_.now());
  after(delay, [this] {
    turn_planned_ = false;
    if (paused()) return plan_turn();
    take_turns();
  });
}

void SimProcess::take_turns() {
  bool more = false;
  std::vector<Actor*> actors = actors_;
  for (Actor* actor : actors) {
    // Somebody before it may have removed it, and it may be gone.
    if (std::find(actors_.begin(), actors_.end(), actor) == actors_.end()) continue;
    more |= actor->turn();
    if (dead()) return;
  }
  if (after_turn_) after_turn_();
  if (dead()) return;
  if (more) return plan_turn();
  arm_timer();
}

void SimProcess::arm_timer() {
  Instant next = Instant::never();
  for (Actor* actor : actors_) next = std::min(next, actor->deadline());
  if (next == Instant::never()) return;
  Duration delay = next - deadline_clock_->monotonic();
  if (delay <= Duration{}) return plan_turn();
  Instant when = universe_.now() + delay;
  if (when == Instant::never()) return;
  if (armed_ > universe_.now() && armed_ <= when) return;  // an earlier one will arm again
  armed_ = when;
  after(delay, [this, when] {
    if (armed_ != when) return;
    armed_ = Instant::never();
    plan_turn();
  });
}

}  // namespace pawl::sim
