// Where work may run, in plain values: what a worker offers, what a task asks for, and how the tasks
// of a queue are given to workers.
//
//   Amounts capacity = {{"cpu", 4000}, {"memory", 8 << 30}};          // 4 cores, 8 GiB
//   Placement gpu{.resources = {{"gpu", 1}}, .rules = {{"zone", "eu-1", RuleKind::require}}};
//   fits(gpu.resources, capacity)  ->  0                              // times, here none
//
// Units: "cpu" counts thousandths of a core, "memory" bytes, every other name whatever its user counts.
// Limits: amount_max and the *_max below; whoever takes values from outside checks them with
// check_amounts() and check_placement(). Pure values; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "pawl/base/result.h"
#include "pawl/base/time.h"
#include "pawl/model/expression.h"

namespace pawl {

struct Amount {
  std::string name;
  uint64_t amount = 0;

  friend bool operator==(const Amount&, const Amount&) = default;
};
// Ascending by name, each name once, none zero.
using Amounts = std::vector<Amount>;

constexpr uint64_t amount_max = uint64_t{1} << 53;
constexpr size_t amounts_max = 32;          // resources of one worker or node
constexpr size_t labels_max = 64;           // of one worker
constexpr size_t rules_max = 32;            // of one node
constexpr size_t placement_name_max = 128;  // bytes of a resource, label or zone

// Ascending names, no zero, within the limits above; the error says which is not.
Status check_amounts(const Amounts& amounts, const std::string& of);
// How often `wanted` fits into `offered`, of which `taken` (parallel to it, or empty) is gone. What is
// not offered does not fit. Nothing wanted: UINT32_MAX.
uint32_t fits(const Amounts& wanted, const Amounts& offered, const std::vector<uint64_t>& taken);
uint32_t fits(const Amounts& wanted, const Amounts& offered);

struct Label {
  std::string name;
  std::string value;

  friend auto operator<=>(const Label&, const Label&) = default;
};

enum class RuleKind : uint8_t {
  require = 0,  // only workers with the label
  forbid = 1,   // only workers without it
  prefer = 2,   // rather workers with it
  avoid = 3,    // rather workers without it
};
const char* name(RuleKind kind);  // "require"

// One label of workers. "worker" and "zone" are labels that every worker has.
struct PlacementRule {
  std::string label;
  std::string value;
  RuleKind kind = RuleKind::require;

  friend bool operator==(const PlacementRule&, const PlacementRule&) = default;
};

// Which tasks of one node of one execution may not run at the same time on the same what.
enum class Apart : uint8_t { no = 0, worker = 1, zone = 2 };
const char* name(Apart apart);  // "zone"

struct Placement {
  Amounts resources;                 // of one task, held while it is granted
  std::vector<PlacementRule> rules;  // in the author's order
  Apart apart = Apart::no;
  Expression key;  // a plain path; equal values rather share a worker

  bool prefers() const;  // some workers to others, or avoids some
  bool any() const { return !resources.empty() || !rules.empty() || apart != Apart::no || key; }
  friend bool operator==(const Placement&, const Placement&) = default;
};
Status check_placement(const Placement& placement, const std::string& of);

// Among the workers that could take a task, which does.
enum class Strategy : uint8_t {
  least_loaded = 0,          // the largest free share of its credit
  round_robin = 1,           // one after the other
  weighted_round_robin = 2,  // one after the other, as often as their weights say, interleaved
  consistent_hash = 3,       // by the task's key; a full worker's share goes to its neighbours
  pack = 4,                  // the one that is left with the least: big tasks find room elsewhere
  spread = 5,                // the one that is left with the most
};
constexpr Strategy last_strategy = Strategy::spread;
const char* name(Strategy strategy);  // "least_loaded"

// Why this worker. Numbers are of GrantReason::detail.
enum class GrantCause : uint8_t {
  only = 0,          // no other could take it (detail unused)
  preferred = 1,     // more of the node's preferences hold there: how many
  least_loaded = 2,  // permille of its credit that was free
  turn = 3,          // round robin: how many shared the turn
  weight = 4,        // weighted round robin: its weight
  key = 5,           // its task's key belongs there: how many full workers were passed over
  packed = 6,        // permille of its tightest resource left free
  spread = 7,        // the same
  recalled = 8,  // another gave it back for this one, which had a free slot: the other's session
};
constexpr GrantCause last_grant_cause = GrantCause::recalled;
const char* name(GrantCause cause);  // "least_loaded"

struct GrantReason {
  GrantCause cause = GrantCause::only;
  uint64_t detail = 0;

  friend bool operator==(const GrantReason&, const GrantReason&) = default;
};

// How the tasks of one queue are handed out. A queue that nobody has configured is as this is made.
struct QueueSpec {
  std::string name = "default";
  Strategy strategy = Strategy::least_loaded;
  bool paused = false;           // nothing is granted
  uint64_t concurrency_max = 0;  // tasks granted at the same time; 0: no limit
  uint64_t rate_permille = 0;    // grants per 1,000 seconds; 0: no limit
  uint64_t burst = 1;            // grants at once after a rest; with a rate only
  // A task that has waited so long is as urgent as a fresh one of the priority above.
  Duration aging = Duration::minutes(1);
  // Tasks that wait; what would add to more is refused, low priorities earlier. 0: no limit.
  uint64_t waiting_max = 0;

  friend bool operator==(const QueueSpec&, const QueueSpec&) = default;
};
constexpr uint64_t queue_burst_max = 1 << 20;
constexpr uint64_t queue_rate_permille_max = 1'000'000'000;
constexpr Duration queue_aging_max = Duration::hours(24 * 365);
Status check_queue(const QueueSpec& queue);

// What a worker's process uses, as it says itself with each heartbeat. Soft: never logged.
struct WorkerUsage {
  uint32_t running = 0;       // attempts
  uint32_t cpu_permille = 0;  // of one core, since the heartbeat before
  uint64_t memory_bytes = 0;  // resident
  std::string version{};      // of Pawl
  bool leaving = false;       // it takes nothing more

  friend bool operator==(const WorkerUsage&, const WorkerUsage&) = default;
};

}  // namespace pawl
