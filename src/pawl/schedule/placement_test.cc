#include "pawl/schedule/placement.h"

#include <gtest/gtest.h>

#include <deque>
#include <map>

#include "pawl/base/hash.h"
#include "pawl/base/random.h"
#include "pawl/schedule/queue_table.h"

namespace pawl {
namespace {

const Placement nothing;

// Workers that take what they are given and, unless told otherwise, keep it.
class House {
 public:
  WorkerLoad& add(const std::string& name, uint32_t credit = 1'000'000) {
    WorkerSpec& spec = specs_.emplace_back();
    spec.name = name;
    spec.credit = credit;
    WorkerLoad& load = loads_.emplace_back();
    load.session = SessionId{++last_};
    load.spec = &spec;
    load.identity = hash128(name).low;
    return load;
  }
  WorkerSpec& spec(size_t worker) { return specs_[worker]; }
  WorkerLoad& load(size_t worker) { return loads_[worker]; }
  void remove(size_t worker) {
    loads_.erase(loads_.begin() + static_cast<ptrdiff_t>(worker));
    specs_.erase(specs_.begin() + static_cast<ptrdiff_t>(worker));
    for (size_t i = 0; i < loads_.size(); ++i) loads_[i].spec = &specs_[i];
  }

  // The name of the worker that gets the task, and why.
  std::string choose(PlacementStrategy& strategy,
                     const WaitingTask& task = WaitingTask{&nothing, 0, 1}) {
    std::vector<Candidate> candidates;
    for (const WorkerLoad& load : loads_) {
      if (load.free() > 0) candidates.push_back({&load, load.free()});
    }
    if (candidates.empty()) return "";
    Choice choice = strategy.choose(task, candidates);
    reason = choice.reason;
    items_max = choice.items_max;
    const WorkerLoad* chosen = candidates[choice.candidate].load;
    for (WorkerLoad& load : loads_)
      if (&load == chosen) ++load.outstanding;
    return chosen->spec->name;
  }
  static WaitingTask plain(uint32_t items) { return {&nothing, 0, items}; }

  GrantReason reason;
  uint32_t items_max = 0;

 private:
  std::deque<WorkerSpec> specs_;
  std::deque<WorkerLoad> loads_;
  uint64_t last_ = 0;
};

TEST(Placement, RoundRobinGoesInOrderAndEqually) {
  House house;
  for (const char* name : {"a", "b", "c", "d"}) house.add(name);
  auto strategy = make_strategy(Strategy::round_robin);
  std::map<std::string, int> count;
  std::string order;
  for (int i = 0; i < 1000; ++i) {
    std::string name = house.choose(*strategy);
    ++count[name];
    if (i < 8) order += name;
  }
  EXPECT_EQ(order, "abcdabcd");
  for (const auto& [name, picks] : count) EXPECT_EQ(picks, 250) << name;
  EXPECT_EQ(house.reason, (GrantReason{GrantCause::turn, 4}));
}

TEST(Placement, RoundRobinPassesOverWhoeverIsFullAndGoesOn) {
  House house;
  house.add("a");
  house.add("b", 1);
  house.add("c");
  auto strategy = make_strategy(Strategy::round_robin);
  std::string order;
  for (int i = 0; i < 7; ++i) order += house.choose(*strategy);
  EXPECT_EQ(order, "abcacac");
}

TEST(Placement, WeightsGiveTheirSharesInterleaved) {
  House house;
  house.add("a");
  house.add("b");
  house.add("c");
  house.spec(0).weight = 5;
  house.spec(1).weight = 3;
  house.spec(2).weight = 2;
  auto strategy = make_strategy(Strategy::weighted_round_robin);
  std::map<std::string, int> count;
  std::string order;
  for (int i = 0; i < 1000; ++i) order += house.choose(*strategy);
  for (char c : order) ++count[std::string(1, c)];
  EXPECT_EQ(count["a"], 500);
  EXPECT_EQ(count["b"], 300);
  EXPECT_EQ(count["c"], 200);
  // Smooth: in any ten turns each has its share, and the heaviest never has three in a row.
  EXPECT_EQ(order.find("aaa"), std::string::npos);
  for (size_t at = 0; at + 10 <= order.size(); at += 10)
    EXPECT_EQ(std::count(order.begin() + at, order.begin() + at + 10, 'b'), 3) << at;
}

TEST(Placement, TheLeastLoadedIsAlwaysNext) {
  House house;
  for (int i = 0; i < 5; ++i) house.add("w" + std::to_string(i), 100);
  Random dice{1};
  for (size_t i = 0; i < 5; ++i) house.load(i).outstanding = static_cast<uint32_t>(dice.below(60));
  auto strategy = make_strategy(Strategy::least_loaded);
  for (int i = 0; i < 100; ++i) {
    uint32_t least = 100;
    for (size_t w = 0; w < 5; ++w) least = std::min(least, house.load(w).outstanding);
    std::string name = house.choose(*strategy);
    EXPECT_EQ(house.load(static_cast<size_t>(name[1] - '0')).outstanding, least + 1);
    if (dice.chance(300)) {
      uint32_t& some = house.load(dice.below(5)).outstanding;
      some = some / 2;
    }
  }
  EXPECT_EQ(house.reason.cause, GrantCause::least_loaded);
}

TEST(Placement, OfTwoThatAreAlikeTheCheaperIsNext) {
  for (Strategy which : {Strategy::least_loaded, Strategy::pack, Strategy::spread}) {
    House house;
    for (const char* name : {"a", "b", "c"}) house.add(name, 10);
    house.spec(0).price = house.spec(2).price = 200;
    house.spec(1).price = 120;
    auto strategy = make_strategy(which);
    EXPECT_EQ(house.choose(*strategy), "b") << name(which);
    bool packs = which == Strategy::pack;
    EXPECT_EQ(house.choose(*strategy), packs ? "b" : "a") << "what is free counts first";
  }
}

TEST(Placement, ARangeIsSharedAmongThoseThatCouldTakeIt) {
  House house;
  house.add("a", 128);
  auto strategy = make_strategy(Strategy::least_loaded);
  house.choose(*strategy, House::plain(100));
  EXPECT_EQ(house.items_max, 100u);
  EXPECT_EQ(house.reason, GrantReason{}) << "there was no choice";
  house.add("b", 128);
  house.add("c", 128);
  EXPECT_EQ(house.choose(*strategy, House::plain(100)), "b");
  EXPECT_EQ(house.items_max, 34u);
  house.choose(*strategy, House::plain(1'000'000));
  EXPECT_EQ(house.items_max, 128u);
}

TEST(Placement, AKeyStaysWhereItIsWhenOthersComeAndGo) {
  constexpr uint32_t keys = 10'000;
  House house;
  for (int i = 0; i < 10; ++i) house.add("w" + std::to_string(i));
  auto strategy = make_strategy(Strategy::consistent_hash);
  Placement placement;
  auto place_all = [&] {
    for (size_t i = 0; i + 1 < 10; ++i) house.load(i).outstanding = 0;
    std::vector<std::string> places;
    for (uint64_t key = 0; key < keys; ++key)
      places.push_back(house.choose(*strategy, {&placement, mix64(key), 1}));
    return places;
  };
  for (size_t i = 0; i < 10; ++i) house.load(i).outstanding = 0;
  std::vector<std::string> before = place_all();
  std::map<std::string, uint32_t> load;
  for (const std::string& place : before) ++load[place];
  for (const auto& [name, count] : load)
    EXPECT_LE(count, keys / 10 * hash_load_bound_permille / 1000 + 1) << name;
  house.remove(4);
  std::vector<std::string> after = place_all();
  uint32_t moved = 0;
  uint32_t needlessly = 0;
  for (size_t i = 0; i < keys; ++i) {
    moved += before[i] != after[i];
    needlessly += before[i] != after[i] && before[i] != "w4";
  }
  EXPECT_LT(moved, keys / 10 * 13 / 10) << "about one part in ten had to move";
  EXPECT_LT(needlessly, keys / 20) << "only what the bound passes on moves besides";
}

TEST(Placement, AHotKeyIsPassedOnBeyondTheBound) {
  House house;
  for (int i = 0; i < 4; ++i) house.add("w" + std::to_string(i));
  auto strategy = make_strategy(Strategy::consistent_hash);
  Placement placement;
  placement.key = make_expression(".input.customer");
  for (int i = 0; i < 1000; ++i) house.choose(*strategy, {&placement, 42, 1});
  for (size_t i = 0; i < 4; ++i) EXPECT_LE(house.load(i).outstanding, 313u + 1);
}

TEST(Placement, PreferencesDecideBeforeTheStrategy) {
  House house;
  house.add("a");
  house.add("b");
  house.add("c");
  house.spec(0).labels = {{"disk", "ssd"}};
  house.spec(1).labels = {{"disk", "ssd"}};
  house.spec(1).zone = "eu";
  Placement placement;
  placement.rules = {{"disk", "ssd", RuleKind::prefer}, {"zone", "us", RuleKind::avoid}};
  std::vector<Candidate> all;
  for (size_t i = 0; i < 3; ++i) all.push_back({&house.load(i), 1});
  std::vector<Candidate> left = all;
  EXPECT_EQ(keep_preferred(placement, left), std::nullopt);
  ASSERT_EQ(left.size(), 2u);
  EXPECT_EQ(left[1].load->spec->name, "b");
  placement.rules.push_back({"zone", "eu", RuleKind::prefer});
  left = all;
  EXPECT_EQ(keep_preferred(placement, left), (GrantReason{GrantCause::preferred, 3}));
  ASSERT_EQ(left.size(), 1u);
  EXPECT_EQ(left[0].load->spec->name, "b");
}

// How many of these tasks find a place on three machines of 8 cores and 32 GiB.
int packed(std::vector<uint64_t> cores, Strategy which) {
  House house;
  std::vector<std::vector<uint64_t>> taken(3, std::vector<uint64_t>(1, 0));
  for (size_t i = 0; i < 3; ++i) {
    house.add("m" + std::to_string(i));
    house.spec(i).capacity = {{"cpu", 8000}};
    house.load(i).taken = &taken[i];
  }
  auto strategy = make_strategy(which);
  int placed = 0;
  for (uint64_t wanted : cores) {
    Placement placement;
    placement.resources = {{"cpu", wanted * 1000}};
    std::vector<Candidate> candidates;
    for (size_t i = 0; i < 3; ++i) {
      if (uint32_t times = fits(placement.resources, house.spec(i).capacity, taken[i]))
        candidates.push_back({&house.load(i), times});
    }
    if (candidates.empty()) continue;
    Choice choice = strategy->choose({&placement, 0, 1}, candidates);
    auto machine = static_cast<size_t>(candidates[choice.candidate].load->session.value - 1);
    taken[machine][0] += wanted * 1000;
    EXPECT_LE(taken[machine][0], 8000u);
    ++placed;
  }
  return placed;
}

TEST(Placement, PackingPlacesMoreThanTakingTurns) {
  std::vector<uint64_t> small_then_large = {2, 2, 2, 1, 1, 8, 8};
  EXPECT_EQ(packed(small_then_large, Strategy::pack), 7);
  EXPECT_EQ(packed(small_then_large, Strategy::round_robin), 5);
  EXPECT_EQ(packed(small_then_large, Strategy::spread), 5);
  Random dice{7};
  int with_pack = 0;
  int in_turn = 0;
  for (int round = 0; round < 200; ++round) {
    std::vector<uint64_t> cores;
    for (int i = 0; i < 12; ++i) cores.push_back(dice.between(1, 6));
    with_pack += packed(cores, Strategy::pack);
    in_turn += packed(cores, Strategy::round_robin);
  }
  EXPECT_GT(with_pack, in_turn);
}

TEST(Placement, AmountsFitOrNot) {
  const Amounts machine = {{"cpu", 4000}, {"gpu", 2}, {"memory", 1000}};
  EXPECT_EQ(fits({}, machine), UINT32_MAX);
  EXPECT_EQ(fits({{"cpu", 1500}}, machine), 2u);
  EXPECT_EQ(fits({{"cpu", 1500}, {"memory", 600}}, machine), 1u);
  EXPECT_EQ(fits({{"licence", 1}}, machine), 0u);
  EXPECT_EQ(fits({{"gpu", 1}}, machine, {0, 2, 0}), 0u);
  EXPECT_EQ(fits({{"cpu", 1000}}, machine, {2500, 0, 0}), 1u);
}

TEST(RateLimit, LosesAndGainsNothing) {
  RateLimit limit;
  Instant now{};
  EXPECT_EQ(limit.available(now), UINT64_MAX);
  limit.configure(2500, 10, now);
  EXPECT_EQ(limit.available(now), 10u);
  limit.take(10, now);
  EXPECT_EQ(limit.available(now), 0u);
  EXPECT_EQ(limit.next(now), now + Duration::milliseconds(400));
  uint64_t taken = 0;
  Random dice{3};
  for (; now < Instant{} + Duration::seconds(1000);
       now = now + Duration{static_cast<int64_t>(dice.below(700'000'000))}) {
    uint64_t some = limit.available(now);
    EXPECT_LE(some, 10u);
    limit.take(some, now);
    taken += some;
  }
  EXPECT_GE(taken, 2497u);
  EXPECT_LE(taken, 2502u);
  limit.empty(now);
  EXPECT_EQ(limit.available(now), 0u);
}

TEST(RateLimit, AnotherRateBringsNoBurstOfItsOwn) {
  RateLimit limit;
  Instant now{};
  limit.configure(100, 3, now);
  limit.take(3, now);
  for (uint64_t burst : {4, 3, 9, 2}) {
    limit.configure(100, burst, now);
    EXPECT_EQ(limit.available(now), 0u);
  }
  now = now + Duration::seconds(15);
  limit.configure(100, 1, now);
  EXPECT_EQ(limit.available(now), 1u);
}

TEST(Placement, PackingSeesWhatOtherPartitionsHold) {
  House house;
  std::vector<uint64_t> elsewhere = {3};
  for (size_t i = 0; i < 2; ++i) {
    house.add("w" + std::to_string(i));
    house.spec(i).capacity = {{"gpu", 4}};
  }
  house.load(1).taken_elsewhere = &elsewhere;
  Placement placement;
  placement.resources = {{"gpu", 1}};
  std::vector<Candidate> candidates = {{&house.load(0), 1}, {&house.load(1), 1}};
  EXPECT_EQ(make_strategy(Strategy::pack)->choose({&placement, 0, 1}, candidates).candidate, 1u);
  EXPECT_EQ(make_strategy(Strategy::spread)->choose({&placement, 0, 1}, candidates).candidate, 0u);
}

TEST(QueueTable, AQueueGrantsWhatItsSettingsAllow) {
  QueueTable queues;
  Instant now{};
  QueueId id = queues.hold("bulk");
  EXPECT_EQ(queues.hold("bulk"), id);
  EXPECT_EQ(queues.at(id).may_grant(now), UINT64_MAX);
  QueueSpec spec;
  spec.name = "bulk";
  spec.concurrency_max = 3;
  queues.configure(spec, now);
  queues.at(id).granted = 2;
  EXPECT_EQ(queues.at(id).may_grant(now), 1u);
  spec.paused = true;
  queues.configure(spec, now);
  EXPECT_EQ(queues.at(id).may_grant(now), 0u);
}

}  // namespace
}  // namespace pawl
