#include "pawl/sim/plan.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <sstream>

#include "pawl/base/random.h"

namespace pawl::sim {
namespace {

constexpr std::array<const char*, fault_kinds> names = {
    "engine_crash",   "crash_in_call",      "crash_in_recovery", "write_error",
    "short_write",    "read_error",         "disk_full",         "slow_disk",
    "damage_at_rest", "log_write_lost",     "engine_pause",      "worker_pause",
    "worker_crash",   "worker_drain",       "bad_network",       "cut_network",
    "wall_jump",      "checkpoint_damaged", "checkpoint_errors", "slow_evaluator",
    "blob_damaged",   "blob_write_error",   "blob_write_lost",   "poison",
    "worker_slow"};

// Those that seeds have always drawn from, so that they mean what they meant; the others are drawn aside.
constexpr size_t swarm_kinds = static_cast<size_t>(FaultKind::worker_slow);

Duration milliseconds(Random& dice, uint64_t low, uint64_t high) {
  return Duration::milliseconds(static_cast<int64_t>(dice.between(low, high)));
}

// Small more often than large: the exponent is drawn, not the value.
uint64_t skewed(Random& dice, uint64_t low, uint64_t high) {
  uint64_t value = dice.between(low, high);
  while (value > low && dice.chance(500)) value = low + (value - low) / 2;
  return value;
}

Fault make_fault(Random& dice, FaultKind kind, Duration load_time) {
  Fault fault;
  fault.kind = kind;
  fault.at = Instant{Duration::seconds(2).ns} +
             Duration{static_cast<int64_t>(dice.below(static_cast<uint64_t>(load_time.ns)))};
  fault.dice = dice.next();
  fault.lasts = milliseconds(dice, 5, 2000);
  if (dice.chance(400)) fault.lasts = milliseconds(dice, 2000, 30'000);
  return fault;
}

// A fifth of the seeds have no faults, a tenth one kind only, the rest a subset with weights.
std::vector<Fault> swarm(Random& dice, Duration load_time) {
  std::vector<Fault> faults;
  uint64_t draw = dice.below(10);
  if (draw < 2) return faults;
  std::vector<uint32_t> weights(swarm_kinds, 0);
  if (draw == 2) {
    weights[dice.below(swarm_kinds)] = 1;
  } else {
    uint32_t share = static_cast<uint32_t>(dice.between(150, 800));
    for (uint32_t& weight : weights)
      if (dice.chance(share)) weight = static_cast<uint32_t>(skewed(dice, 1, 10));
  }
  // Most lies are found out at the next start; few lie below a checkpoint by then, and do no harm.
  uint32_t& lies = weights[static_cast<size_t>(FaultKind::log_write_lost)];
  if (lies > 0) lies += 12;
  uint64_t sum = 0;
  for (uint32_t weight : weights) sum += weight;
  if (sum == 0) weights[0] = 1, sum = 1;
  for (uint64_t n = dice.between(2, 14); n > 0; --n) {
    uint64_t at = dice.below(sum);
    size_t kind = 0;
    while (at >= weights[kind]) at -= weights[kind++];
    faults.push_back(make_fault(dice, static_cast<FaultKind>(kind), load_time));
  }
  std::stable_sort(faults.begin(), faults.end(),
                   [](const Fault& a, const Fault& b) { return a.at < b.at; });
  return faults;
}

// Executors that work ahead, as far as times of seconds count as short.
void draw_ahead(Random& dice, Plan& plan) {
  if (!dice.chance(400)) return;
  plan.launches_ahead = static_cast<uint32_t>(dice.between(1, 4));
  plan.stretch = milliseconds(dice, 10, 60'000);
}

// Workers that come late, and some that become slow where more than one kind of thing happens anyway.
void draw_joining(Random& dice, Plan& plan) {
  if (dice.chance(300)) plan.join_within = milliseconds(dice, 10, 20'000);
  bool several_kinds = std::any_of(plan.faults.begin(), plan.faults.end(), [&](const Fault& one) {
    return one.kind != plan.faults.front().kind;
  });
  if (!several_kinds || !dice.chance(300)) return;
  for (uint64_t n = dice.between(1, 4); n > 0; --n)
    plan.faults.push_back(make_fault(dice, FaultKind::worker_slow, plan.load_time));
  std::stable_sort(plan.faults.begin(), plan.faults.end(),
                   [](const Fault& a, const Fault& b) { return a.at < b.at; });
}

// Without large outputs there is nothing to fail.
void fill_blob_store(Plan& plan) {
  for (const Fault& fault : plan.faults)
    if (fault.kind >= FaultKind::blob_damaged && fault.kind <= FaultKind::blob_write_lost)
      plan.habits.large_output = std::max(plan.habits.large_output, 150u);
}

// What the world is too small to reach keeps its default. No bound is below what the workload needs
// to do anything at all.
void draw_limits(Random& dice, const Plan& plan, Limits& limits) {
  if (dice.chance(300)) limits.group_commands_max = skewed(dice, 1, 64);
  if (dice.chance(200)) limits.group_bytes_max = skewed(dice, 1, 4000);
  if (dice.chance(300)) limits.grant_items_max = skewed(dice, 1, 8);
  if (dice.chance(200)) limits.inbox_depth_max = skewed(dice, 1, 8);
  if (dice.chance(100)) limits.open_executions_max = skewed(dice, 1, 20);
  if (dice.chance(500)) limits.ended_executions_kept_max = dice.below(20);
  if (dice.chance(100)) limits.sessions_max = dice.between(1, 6);
  if (dice.chance(100)) limits.peers_max = dice.between(1, 6);
  if (dice.chance(100)) limits.session_credit_max = plan.credit;
  if (dice.chance(100)) limits.session_functions_max = 1;
  if (dice.chance(100)) limits.session_name_bytes_max = 4;
  if (dice.chance(100)) limits.error_bytes_max = dice.between(1, 100);
  if (dice.chance(60)) limits.workflows_max = dice.between(1, 3);
  if (dice.chance(60)) limits.definition_bytes_max = dice.between(200, 2000);
  if (dice.chance(60)) limits.request_id_bytes_max = dice.between(4, 8);
  if (dice.chance(60)) limits.labels_bytes_max = dice.between(11, 13);
  if (dice.chance(60)) limits.input_bytes_max = dice.between(100, 500);
  if (dice.chance(60)) limits.mapped_items_max = dice.between(1, 20);
  if (dice.chance(60)) limits.output_bytes_max = dice.between(30, 20'000);
  if (dice.chance(60)) limits.mapped_output_bytes_max = dice.between(100, 2000);
  Random aside = dice;  // so that seeds mean what they meant
  if (aside.chance(700)) limits.checkpoint_slice_rows_max = skewed(aside, 1, 20);
  if (aside.chance(300)) limits.checkpoint_slice_bytes_max = skewed(aside, 1, 2000);
  if (aside.chance(150)) limits.name_space_open_executions_max = skewed(aside, 1, 10);
  if (aside.chance(60)) limits.name_spaces_max = aside.between(1, 3);
  if (aside.chance(150)) limits.open_bytes_max = skewed(aside, 1, 30'000);
}

// What workers keep of payloads behind a network. Not where a worker lives with the engine.
void draw_payloads(Random dice, Plan& plan) {
  if (plan.embedded || dice.chance(300)) return;
  plan.payload_time = milliseconds(dice, 1, dice.chance(100) ? 10'000 : 100);
  if (!plan.faults.empty() && dice.chance(300))
    plan.payloads_lost_permille = static_cast<uint32_t>(skewed(dice, 1, 300));
  if (dice.chance(500)) plan.payloads_kept_bytes = skewed(dice, 1, 1 << 20);
}

LinkOptions draw_link(Random& dice) {
  LinkOptions link;
  link.retransmit_first = milliseconds(dice, 1, 400);
  link.retransmit_max = link.retransmit_first + milliseconds(dice, 0, 6000);
  link.acknowledge_after = milliseconds(dice, 0, 50);
  if (dice.chance(300)) link.window_messages_max = static_cast<uint32_t>(skewed(dice, 1, 16));
  if (dice.chance(300)) link.waiting_messages_max = static_cast<uint32_t>(skewed(dice, 1, 16));
  Random aside = dice;  // so that seeds mean what they meant
  link.arrival_aim = milliseconds(aside, 1, 1000);
  if (aside.chance(500)) link.window_bytes_min = skewed(aside, 1, 64 << 10);
  return link;
}

void draw_worker(Random& dice, Plan& plan) {
  plan.slots = static_cast<uint32_t>(dice.between(1, 4));
  plan.credit = dice.chance(150) ? static_cast<uint32_t>(dice.between(1, 3))
                                 : plan.slots * static_cast<uint32_t>(dice.between(1, 6));
  plan.lease = plan.embedded ? Duration::forever() : milliseconds(dice, 400, 15'000);
  plan.stop_grace = milliseconds(dice, 0, 5000);
  plan.progress_interval = milliseconds(dice, 0, 500);
  plan.hello_interval = milliseconds(dice, 10, 2000);
  plan.launch_items_max = static_cast<uint32_t>(skewed(dice, 1, 12));
  plan.engine_link = draw_link(dice);
  plan.worker_link = draw_link(dice);
  plan.worker_link.window_messages_max = plan.engine_link.window_messages_max;
}

void draw_habits(Random& dice, Habits& habits) {
  habits.fail = static_cast<uint32_t>(skewed(dice, 0, 600));
  habits.hang = static_cast<uint32_t>(skewed(dice, 0, 30));
  habits.crash_worker = static_cast<uint32_t>(skewed(dice, 0, 20));
  habits.repeat_old_report = static_cast<uint32_t>(skewed(dice, 0, 300));
  if (dice.chance(350)) habits.large_output = static_cast<uint32_t>(skewed(dice, 1, 200));
  habits.longest = milliseconds(dice, 2, 5) +
                   Duration::milliseconds(static_cast<int64_t>(skewed(dice, 0, 20'000)));
}

using Fields = std::map<std::string, uint64_t>;

template <class T>
void take(Fields& fields, const char* name, T& into) {
  auto it = fields.find(name);
  if (it == fields.end()) return;
  into = static_cast<T>(it->second);
  fields.erase(it);
}
void take_ms(Fields& fields, const char* name, Duration& into) {
  int64_t ms = into.whole_milliseconds();
  take(fields, name, ms);
  if (ms != into.whole_milliseconds()) into = Duration::milliseconds(ms);
}

Status take_faults(Plan& plan, std::istringstream& words) {
  std::vector<FaultKind> wanted;
  for (std::string word; words >> word;) {
    if (word == "none") plan.faults.clear();
    if (word == "none" || word == "swarm") return {};
    auto found = std::find(names.begin(), names.end(), word);
    if (found == names.end())
      return Error{Code::invalid_argument, "there is no fault \"" + word + "\""};
    wanted.push_back(static_cast<FaultKind>(found - names.begin()));
  }
  plan.faults.clear();
  Random dice(mix64(plan.seed) ^ 0xfa17);
  for (uint64_t n = wanted.empty() ? 0 : dice.between(4, 14); n > 0; --n)
    plan.faults.push_back(make_fault(dice, wanted[dice.below(wanted.size())], plan.load_time));
  fill_blob_store(plan);
  return {};
}

}  // namespace

const char* name(FaultKind kind) {
  return names.at(static_cast<size_t>(kind));
}

std::string describe(const Fault& fault) {
  return std::to_string(fault.at.ns / 1'000'000) + " ms  " + name(fault.kind) + " for " +
         std::to_string(fault.lasts.whole_milliseconds()) + " ms";
}

Plan make_plan(uint64_t seed) {
  Random dice(mix64(seed));
  Plan plan;
  plan.seed = seed;
  plan.clients = static_cast<uint32_t>(dice.between(1, 4));
  plan.operations = static_cast<uint32_t>(skewed(dice, 10, 50));
  plan.think = milliseconds(dice, 1, 3000);
  plan.load_time = Duration::seconds(static_cast<int64_t>(dice.between(20, 180)));
  plan.workflows = static_cast<uint32_t>(dice.between(1, 4));
  plan.nodes_max = static_cast<uint32_t>(skewed(dice, 1, 12));
  plan.items_max = static_cast<uint32_t>(skewed(dice, 1, 40));
  plan.evaluated_permille = dice.chance(500) ? static_cast<uint32_t>(dice.below(600)) : 0;
  plan.embedded = dice.chance(150);
  plan.workers = plan.embedded ? 1 : static_cast<uint32_t>(dice.between(1, 4));
  draw_worker(dice, plan);
  draw_habits(dice, plan.habits);
  if (plan.embedded) plan.habits.crash_worker = 0;
  draw_limits(dice, plan, plan.limits);
  plan.segment_bytes = 4096 * skewed(dice, 4, 64);
  plan.rewrite_bytes_max = skewed(dice, 0, 64) * 1024;
  plan.idle_after = milliseconds(dice, 1, 20);
  plan.checkpoint_log_bytes = skewed(dice, 500, 40'000);
  plan.checkpoint_executions = skewed(dice, 3, 100);
  plan.check_turns = dice.chance(250) ? 1 : 16;
  plan.faults = swarm(dice, plan.load_time);
  fill_blob_store(plan);
  plan.forget_all = dice.chance(500);
  Random aside(mix64(~seed));  // so that seeds mean what they meant
  if (aside.chance(400)) plan.name_spaces = static_cast<uint32_t>(aside.between(2, 3));
  if (!plan.embedded && aside.chance(250))
    plan.partitions = static_cast<uint32_t>(aside.between(2, 4));
  if (!plan.embedded) draw_joining(aside, plan);
  draw_ahead(aside, plan);
  draw_payloads(aside, plan);
  return plan;
}

void give(Plan& plan, std::vector<Given> given, std::shared_ptr<jq::Interpreter> jq) {
  plan.clients = static_cast<uint32_t>(given.size());
  plan.operations = 3;
  plan.think = Duration::seconds(3);
  plan.load_time = Duration::seconds(20);
  plan.name_spaces = 1;
  plan.forget_all = false;
  plan.limits = {};
  uint32_t crashes = plan.habits.crash_worker;
  plan.habits = {};
  plan.habits.fail = plan.habits.hang = 0;
  plan.habits.crash_worker = crashes;
  plan.habits.longest = Duration::milliseconds(500);
  plan.given = std::move(given);
  plan.jq = std::move(jq);
  constexpr FaultKind harmless[] = {
      FaultKind::engine_crash, FaultKind::crash_in_call, FaultKind::crash_in_recovery,
      FaultKind::write_error,  FaultKind::short_write,   FaultKind::slow_disk,
      FaultKind::engine_pause, FaultKind::worker_pause,  FaultKind::worker_crash,
      FaultKind::worker_drain, FaultKind::bad_network,   FaultKind::cut_network,
      FaultKind::wall_jump,    FaultKind::slow_evaluator};
  Random dice(mix64(plan.seed) ^ 0x5a3e);
  plan.faults.clear();
  for (uint64_t n = dice.below(15); n > 0; --n)
    plan.faults.push_back(
        make_fault(dice, harmless[dice.below(std::size(harmless))], plan.load_time));
}

Status apply_plan_text(Plan& plan, const std::string& text) {
  Fields fields;
  std::istringstream lines(text);
  std::string fault_line;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line.substr(0, line.find('#')));
    std::string name;
    if (!(words >> name)) continue;
    if (name == "faults") {
      std::getline(words, fault_line);
      continue;
    }
    std::string value;
    words >> value;
    uint64_t number = 0;
    auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (error != std::errc() || end != value.data() + value.size())
      return Error{Code::invalid_argument,
                   "plan: " + name + " needs a number, not \"" + value + "\""};
    fields[name] = number;
  }
  take(fields, "clients", plan.clients);
  take(fields, "name_spaces", plan.name_spaces);
  take(fields, "partitions", plan.partitions);
  take(fields, "operations", plan.operations);
  take_ms(fields, "think_ms", plan.think);
  take_ms(fields, "load_ms", plan.load_time);
  take_ms(fields, "calm_ms_max", plan.calm_time_max);
  take(fields, "workflows", plan.workflows);
  take(fields, "nodes_max", plan.nodes_max);
  take(fields, "items_max", plan.items_max);
  take(fields, "evaluated_permille", plan.evaluated_permille);
  take(fields, "forget_all", plan.forget_all);
  take(fields, "workers", plan.workers);
  take_ms(fields, "join_within_ms", plan.join_within);
  take(fields, "slots", plan.slots);
  take(fields, "credit", plan.credit);
  take(fields, "embedded", plan.embedded);
  take_ms(fields, "lease_ms", plan.lease);
  take_ms(fields, "payload_time_ms", plan.payload_time);
  take(fields, "payloads_lost_permille", plan.payloads_lost_permille);
  take(fields, "payloads_kept_bytes", plan.payloads_kept_bytes);
  take(fields, "fail_permille", plan.habits.fail);
  take(fields, "hang_permille", plan.habits.hang);
  take(fields, "crash_worker_permille", plan.habits.crash_worker);
  take(fields, "repeat_permille", plan.habits.repeat_old_report);
  take(fields, "large_output_permille", plan.habits.large_output);
  take_ms(fields, "shortest_ms", plan.habits.shortest);
  take_ms(fields, "longest_ms", plan.habits.longest);
  take(fields, "segment_bytes", plan.segment_bytes);
  take(fields, "checkpoint_log_bytes", plan.checkpoint_log_bytes);
  if (!fields.empty())
    return Error{Code::invalid_argument, "plan: there is no \"" + fields.begin()->first + "\""};
  // Each partition has a machine of its own: none can have the worker inside.
  if (plan.partitions > 1 && plan.embedded) {
    plan.embedded = false;
    plan.lease = Plan{}.lease;
  }
  std::istringstream words(fault_line.empty() ? "swarm" : fault_line);
  return take_faults(plan, words);
}

}  // namespace pawl::sim
