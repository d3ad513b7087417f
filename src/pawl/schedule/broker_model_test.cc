// Which rule shares workers best: a small discrete-event model of 8 partitions and 10 workers, with most of
// the backlog in one partition, in which a decision costs a commit and a message takes its time.
//
// Measured is the share of slot time that was idle while something waited that could have run there.
// The model is deterministic; the figures that docs/architecture.md quotes are printed by it.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <deque>
#include <map>
#include <queue>
#include <utility>

#include "pawl/base/random.h"
#include "pawl/schedule/broker.h"

namespace pawl {
namespace {

constexpr uint32_t partitions = 8;
constexpr uint32_t workers = 10;
constexpr uint32_t slots = 4;
constexpr uint32_t credit =
    8;  // of a worker: more than it has slots, so that none idles for a commit
constexpr int64_t commit_us = 150;
constexpr int64_t hop_us = 50;
constexpr int64_t end_us = 8'000'000;

enum class Rule {
  split,   // each partition has its fixed part of every worker
  greedy,  // whoever decides takes what is free
  bar,     // but leaves it to what is more urgent elsewhere
};

struct Head {
  int priority = 0;
  Instant since;

  int64_t due_ns() const { return since.ns * 1000 - priority * Duration::minutes(1).ns; }
};

struct Result {
  double idle_while_backlog = 0;  // of all slot time
  double inverted = 0;  // starts of a task while a better one waited that could have run there
  uint64_t done = 0;
};

struct Waiting {
  Head head;
  int64_t lasts_us = 0;
};

// One partition's tasks, first come first served in each priority.
class Line {
 public:
  void push(Waiting one) { (one.head.priority > 5 ? urgent_ : usual_).push_back(one); }
  bool empty() const { return urgent_.empty() && usual_.empty(); }
  uint32_t size() const { return static_cast<uint32_t>(urgent_.size() + usual_.size()); }
  const Waiting& best() const { return urgent_.empty() ? usual_.front() : urgent_.front(); }
  void pop() { urgent_.empty() ? usual_.pop_front() : urgent_.pop_front(); }

 private:
  std::deque<Waiting> urgent_;
  std::deque<Waiting> usual_;
};

// Events in order of time, then of making.
struct Event {
  int64_t at = 0;
  uint64_t number = 0;
  enum Kind { arrive, group, granted, ended, reported, called } kind = arrive;
  uint32_t partition = 0;
  uint32_t worker = 0;
  int64_t lasts_us = 0;
  bool operator>(const Event& other) const {
    return at != other.at ? at > other.at : number > other.number;
  }
};

class Model {
 public:
  Model(Rule rule, uint64_t seed) : rule_(rule), dice_(seed), lines_(partitions) {
    spec_.credit = credit;
    for (uint32_t p = 0; p < partitions; ++p) schedule(arrival_after(p), Event::arrive, p);
  }

  Result run() {
    while (!events_.empty() && events_.top().at < end_us) {
      Event event = events_.top();
      events_.pop();
      account(event.at);
      now_ = event.at;
      take(event);
    }
    result_.idle_while_backlog /= static_cast<double>(end_us) * workers * slots;
    result_.inverted /= static_cast<double>(std::max<uint64_t>(1, result_.done));
    return result_;
  }

 private:
  // Six tenths of all tasks come to partition 0; all workers together are nine tenths busy.
  int64_t arrival_after(uint32_t partition) {
    double share = partition == 0 ? 0.6 : 0.4 / (partitions - 1);
    double per_us = 0.9 * workers * slots / mean_us * share * (burst() ? 1.6 : 0.6);
    return static_cast<int64_t>(1 / per_us * static_cast<double>(dice_.between(200, 1800)) / 1000);
  }
  bool burst() const { return now_ / 1'000'000 % 2 == 0; }

  void schedule(int64_t after, Event::Kind kind, uint32_t partition, uint32_t worker = 0,
                int64_t lasts_us = 0) {
    events_.push({now_ + after, ++numbers_, kind, partition, worker, lasts_us});
  }

  void take(const Event& event) {
    switch (event.kind) {
      case Event::arrive: {
        int priority = dice_.chance(100) ? 9 : 5;
        int64_t lasts = static_cast<int64_t>(dice_.between(mean_us / 2, mean_us * 3 / 2));
        lines_[event.partition].push({{priority, Instant{now_}}, lasts});
        schedule(arrival_after(event.partition), Event::arrive, event.partition);
        gather(event.partition);
        break;
      }
      case Event::granted:
        queued_[event.worker].push_back({event.partition, event.lasts_us});
        start(event.worker);
        break;
      case Event::ended:
        --running_[event.worker];
        schedule(hop_us, Event::reported, event.partition, event.worker);
        start(event.worker);
        break;
      case Event::reported:
        ended_[event.partition].push_back(event.worker);
        gather(event.partition);
        break;
      case Event::called:
        gather(event.partition);
        break;
      case Event::group:
        gathering_[event.partition] = false;
        decide(event.partition);
        break;
    }
  }

  void start(uint32_t worker) {
    auto& queued = queued_[worker];
    while (running_[worker] < slots && !queued.empty()) {
      auto [partition, lasts_us] = queued.front();
      queued.pop_front();
      ++running_[worker];
      schedule(lasts_us, Event::ended, partition, worker);
    }
  }

  // What comes while a group is on its way waits for the next.
  void gather(uint32_t partition) {
    if (std::exchange(gathering_[partition], true)) return;
    schedule(commit_us, Event::group, partition);
  }

  // The partition's step: results first, then grants with what it may use.
  void decide(uint32_t partition) {
    for (uint32_t worker : std::exchange(ended_[partition], {})) {
      ++result_.done;
      --held_[{partition, worker}];
    }
    Line& line = lines_[partition];
    broker_.hold(partition, holdings(partition));
    for (uint32_t worker = 0; worker < workers; ++worker) {
      uint32_t& held = held_[{partition, worker}];
      Elsewhere others = broker_.elsewhere(partition, worker);
      while (held < most(others) && !line.empty() && may_use(others, line.best().head)) {
        const Waiting next = line.best();
        note_inversion(partition, next.head);
        schedule(hop_us, Event::granted, partition, worker, next.lasts_us);
        line.pop();
        ++held;
      }
    }
    if (rule_ != Rule::split) tell(partition);
  }

  uint32_t most(const Elsewhere& others) const {
    return rule_ == Rule::split ? credit / partitions : credit - others.items;
  }
  bool may_use(const Elsewhere& others, const Head& head) const {
    return rule_ != Rule::bar || head.due_ns() <= others.bar_ns;
  }

  std::vector<Holding> holdings(uint32_t partition) {
    std::vector<Holding> holdings;
    for (uint32_t worker = 0; worker < workers; ++worker)
      holdings.push_back({worker, &spec_, held_[{partition, worker}]});
    return holdings;
  }

  void tell(uint32_t partition) {
    PartitionWord word;
    word.holdings = holdings(partition);
    const Line& line = lines_[partition];
    if (!line.empty()) word.waiting.push_back({LaneKey{"default"}, line.best().head.due_ns()});
    broker_.tell(partition, std::move(word));
    for (PartitionNumber next : broker_.take_called()) schedule(2, Event::called, next);
  }

  void note_inversion(uint32_t partition, const Head& head) {
    for (uint32_t other = 0; other < partitions; ++other) {
      if (other == partition || lines_[other].empty()) continue;
      if (lines_[other].best().head.priority > head.priority) {
        result_.inverted += 1;
        return;
      }
    }
  }

  void account(int64_t until) {
    bool waits =
        std::any_of(lines_.begin(), lines_.end(), [](const auto& line) { return !line.empty(); });
    if (!waits) return;
    uint64_t backlog = 0;
    for (const auto& line : lines_) backlog += line.size();
    uint64_t idle = 0;
    for (uint32_t worker = 0; worker < workers; ++worker) idle += slots - running_[worker];
    result_.idle_while_backlog +=
        static_cast<double>(std::min(idle, backlog)) * static_cast<double>(until - now_);
  }

  static constexpr int64_t mean_us = 10'000;
  Rule rule_;
  Random dice_;
  Broker broker_;
  int64_t now_ = 0;
  uint64_t numbers_ = 0;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
  std::vector<Line> lines_;
  WorkerSpec spec_;
  std::map<std::pair<uint32_t, uint32_t>, uint32_t> held_;  // by a partition, of a worker
  std::map<uint32_t, uint32_t> running_;
  std::map<uint32_t, std::deque<std::pair<uint32_t, int64_t>>> queued_;  // at the worker
  std::map<uint32_t, std::vector<uint32_t>> ended_;
  std::map<uint32_t, bool> gathering_;
  Result result_;
};

Result mean(Rule rule) {
  Result sum;
  constexpr uint64_t seeds = 3;
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    Result one = Model(rule, seed).run();
    sum.idle_while_backlog += one.idle_while_backlog / seeds;
    sum.inverted += one.inverted / seeds;
    sum.done += one.done / seeds;
  }
  return sum;
}

TEST(BrokerModel, TheRuleLeavesLittleIdleWhileSomethingWaits) {
  std::map<Rule, Result> of;
  for (auto [rule, name] : {std::pair{Rule::split, "fixed parts"},
                            {Rule::greedy, "whoever comes first"},
                            {Rule::bar, "the rule: up to the bar"}}) {
    of[rule] = mean(rule);
    std::printf("%-28s idle while backlog %6.2f %%   inverted starts %6.2f %%   %8lu done\n", name,
                of[rule].idle_while_backlog * 100, of[rule].inverted * 100, of[rule].done);
  }
  EXPECT_LT(of[Rule::bar].idle_while_backlog, 0.01);
  EXPECT_LT(of[Rule::bar].idle_while_backlog, of[Rule::split].idle_while_backlog / 3);
  EXPECT_LT(of[Rule::bar].inverted, of[Rule::greedy].inverted / 2);
  EXPECT_GE(of[Rule::bar].done, of[Rule::split].done);
}

}  // namespace
}  // namespace pawl
