#include "pawl/schedule/placement.h"

#include <algorithm>
#include <map>

#include "pawl/base/random.h"

namespace pawl {
namespace {

// An equal part of what waits for each candidate, so that none is filled while others have nothing.
uint32_t share(const WaitingTask& task, const Candidate& chosen, size_t candidates) {
  auto count = static_cast<uint32_t>(candidates);
  return std::min(chosen.room, (task.items + count - 1) / count);
}

GrantReason because(size_t candidates, GrantCause cause, uint64_t detail) {
  return candidates == 1 ? GrantReason{} : GrantReason{cause, detail};
}

// free / credit of a > that of b, in integers; of two alike the cheaper
bool freer(const WorkerLoad& a, const WorkerLoad& b) {
  uint64_t free_a = uint64_t{a.free()} * b.spec->credit;
  uint64_t free_b = uint64_t{b.free()} * a.spec->credit;
  return free_a > free_b || (free_a == free_b && a.spec->price < b.spec->price);
}

class LeastLoaded final : public PlacementStrategy {
 public:
  Choice choose(const WaitingTask& task, std::span<const Candidate> candidates) override {
    size_t best = 0;
    for (size_t i = 1; i < candidates.size(); ++i) {
      if (freer(*candidates[i].load, *candidates[best].load)) best = i;
    }
    const WorkerLoad& load = *candidates[best].load;
    uint64_t permille = uint64_t{load.free()} * 1000 / load.spec->credit;
    return {best, share(task, candidates[best], candidates.size()),
            because(candidates.size(), GrantCause::least_loaded, permille)};
  }
};

class RoundRobin final : public PlacementStrategy {
 public:
  Choice choose(const WaitingTask&, std::span<const Candidate> candidates) override {
    auto after = std::find_if(candidates.begin(), candidates.end(),
                              [&](const Candidate& c) { return c.load->session > last_; });
    size_t chosen = after == candidates.end() ? 0 : static_cast<size_t>(after - candidates.begin());
    last_ = candidates[chosen].load->session;
    return {chosen, 1, because(candidates.size(), GrantCause::turn, candidates.size())};
  }

 private:
  SessionId last_;
};

// Smooth, as in nginx: everyone gains its weight per turn; who has most takes the turn and pays the
// sum. So 5:1:1 gives a a b a c a a, not a a a a a b c.
class WeightedRoundRobin final : public PlacementStrategy {
 public:
  Choice choose(const WaitingTask&, std::span<const Candidate> candidates) override {
    forget_gone(candidates);
    int64_t sum = 0;
    size_t best = 0;
    int64_t* best_gain = nullptr;
    for (size_t i = 0; i < candidates.size(); ++i) {
      int64_t& gain = gains_[candidates[i].load->session];
      gain += candidates[i].load->spec->weight;
      sum += candidates[i].load->spec->weight;
      if (best_gain != nullptr && gain <= *best_gain) continue;
      best = i;
      best_gain = &gain;
    }
    *best_gain -= sum;
    return {best, 1,
            because(candidates.size(), GrantCause::weight, candidates[best].load->spec->weight)};
  }

 private:
  // Whoever is only full for now keeps its place; those that have left do not gather.
  void forget_gone(std::span<const Candidate> candidates) {
    if (gains_.size() <= 2 * candidates.size() + 64) return;
    std::erase_if(gains_, [&](const auto& entry) {
      return std::none_of(candidates.begin(), candidates.end(),
                          [&](const Candidate& c) { return c.load->session == entry.first; });
    });
  }

  std::map<SessionId, int64_t> gains_;
};

// The order in which a key likes workers is by a hash of both (Thaler, Ravishankar 1998: Using
// name-based mappings to increase hit rates), so that a worker that comes or goes moves its own
// keys only. Whoever holds more than its bound is passed over (Mirrokni, Thorup, Zadimoghaddam 2016:
// Consistent hashing with bounded loads), so that a hot key does not drown one worker.
class ConsistentHash final : public PlacementStrategy {
 public:
  Choice choose(const WaitingTask& task, std::span<const Candidate> candidates) override {
    uint64_t held = 1;
    uint64_t weights = 0;
    for (const Candidate& c : candidates) {
      held += c.load->outstanding;
      weights += c.load->spec->weight;
    }
    std::optional<size_t> best;
    size_t favourite = 0;
    uint64_t favourite_score = 0;
    uint64_t best_score = 0;
    uint64_t passed = 0;
    for (size_t i = 0; i < candidates.size(); ++i) {
      const WorkerLoad& load = *candidates[i].load;
      uint64_t score = liking(task.key, load);
      if (i == 0 || score > favourite_score) {
        favourite = i;
        favourite_score = score;
      }
      if (load.outstanding >= bound(load, held, weights)) {
        ++passed;
        continue;
      }
      if (best && score <= best_score) continue;
      best = i;
      best_score = score;
    }
    size_t chosen = best.value_or(favourite);
    uint32_t most = 1;
    if (task.placement->key && candidates.size() > 1) {
      const WorkerLoad& load = *candidates[chosen].load;
      uint64_t all = bound(load, held + task.items, weights);
      uint64_t more = all > load.outstanding ? all - load.outstanding : 1;
      most = static_cast<uint32_t>(std::min<uint64_t>(more, candidates[chosen].room));
    } else if (task.placement->key) {
      most = candidates[chosen].room;
    }
    return {chosen, most, because(candidates.size(), GrantCause::key, passed)};
  }

 private:
  // ceil(bound x held x weight / weights)
  static uint64_t bound(const WorkerLoad& load, uint64_t held, uint64_t weights) {
    return (hash_load_bound_permille * held * load.spec->weight + weights * 1000 - 1) /
           (weights * 1000);
  }
};

uint64_t taken_of(const std::vector<uint64_t>* taken, size_t at) {
  return taken != nullptr && at < taken->size() ? (*taken)[at] : 0;
}

// What is left of the tightest resource once one task is there, in permille; with no resources asked
// for, of its credit.
uint64_t left_free(const WaitingTask& task, const WorkerLoad& load) {
  const Amounts& wanted = task.placement->resources;
  if (wanted.empty()) return (uint64_t{load.free()} - 1) * 1000 / load.spec->credit;
  uint64_t tightest = 1000;
  const Amounts& offered = load.spec->capacity;
  size_t at = 0;
  for (const Amount& one : wanted) {
    while (offered[at].name < one.name) ++at;
    uint64_t gone = taken_of(load.taken, at) + taken_of(load.taken_elsewhere, at) + one.amount;
    uint64_t left = offered[at].amount - std::min(gone, offered[at].amount);
    tightest = std::min(tightest, left * 1000 / offered[at].amount);
  }
  return tightest;
}

// Best fit, and its opposite.
class Fit final : public PlacementStrategy {
 public:
  explicit Fit(bool pack) : pack_(pack) {}

  Choice choose(const WaitingTask& task, std::span<const Candidate> candidates) override {
    size_t best = 0;
    uint64_t best_left = left_free(task, *candidates[0].load);
    for (size_t i = 1; i < candidates.size(); ++i) {
      uint64_t left = left_free(task, *candidates[i].load);
      bool cheaper = candidates[i].load->spec->price < candidates[best].load->spec->price;
      if (left == best_left ? !cheaper : pack_ == (left > best_left)) continue;
      best = i;
      best_left = left;
    }
    uint32_t most =
        pack_ ? candidates[best].room : share(task, candidates[best], candidates.size());
    return {best, most,
            because(candidates.size(), pack_ ? GrantCause::packed : GrantCause::spread, best_left)};
  }

 private:
  bool pack_;
};

}  // namespace

std::unique_ptr<PlacementStrategy> make_strategy(Strategy strategy) {
  switch (strategy) {
    case Strategy::least_loaded:
      break;
    case Strategy::round_robin:
      return std::make_unique<RoundRobin>();
    case Strategy::weighted_round_robin:
      return std::make_unique<WeightedRoundRobin>();
    case Strategy::consistent_hash:
      return std::make_unique<ConsistentHash>();
    case Strategy::pack:
      return std::make_unique<Fit>(true);
    case Strategy::spread:
      return std::make_unique<Fit>(false);
  }
  return std::make_unique<LeastLoaded>();
}

std::optional<GrantReason> keep_preferred(const Placement& placement,
                                          std::vector<Candidate>& candidates) {
  if (!placement.prefers() || candidates.size() == 1) return std::nullopt;
  uint32_t most = 0;
  for (const Candidate& c : candidates) most = std::max(most, preference(*c.load->spec, placement));
  size_t erased = std::erase_if(
      candidates, [&](const Candidate& c) { return preference(*c.load->spec, placement) < most; });
  if (erased == 0 || candidates.size() > 1) return std::nullopt;
  return GrantReason{GrantCause::preferred, most};
}

uint64_t liking(uint64_t key, const WorkerLoad& worker) {
  return mix64(key ^ mix64(worker.identity));
}

}  // namespace pawl
