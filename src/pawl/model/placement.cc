#include "pawl/model/placement.h"

#include <algorithm>
#include <initializer_list>
#include <limits>

#include "pawl/model/word.h"

namespace pawl {
namespace {

Error invalid(std::string message) {
  return {Code::invalid_argument, std::move(message)};
}

bool is_name(const std::string& name) {
  return !name.empty() && name.size() <= placement_name_max;
}

std::string name_rule(const std::string& of, const char* what) {
  return of + ": a " + what + " has 1 to " + std::to_string(placement_name_max) +
         " bytes (placement_name_max)";
}

const char* name_at(std::initializer_list<const char*> names, size_t index) {
  return index < names.size() ? names.begin()[index] : "unknown";
}

// How often `wanted` fits into `free`.
uint32_t times(uint64_t wanted, uint64_t free) {
  constexpr uint64_t most = std::numeric_limits<uint32_t>::max();
  return static_cast<uint32_t>(std::min(most, free / wanted));
}

}  // namespace

Status check_amounts(const Amounts& amounts, const std::string& of) {
  if (amounts.size() > amounts_max)
    return Error{Code::resource_exhausted, of + ": " + std::to_string(amounts.size()) +
                                               " resources; the limit amounts_max is " +
                                               std::to_string(amounts_max)};
  for (size_t i = 0; i < amounts.size(); ++i) {
    const Amount& one = amounts[i];
    if (!is_name(one.name)) return invalid(name_rule(of, "resource's name"));
    if (one.amount == 0 || one.amount > amount_max)
      return invalid(of + ": the amount of " + one.name + " is 1 to " + std::to_string(amount_max) +
                     " (amount_max)");
    if (i > 0 && amounts[i - 1].name >= one.name)
      return invalid(of + ": resources are named in ascending order, each once");
  }
  return {};
}

uint32_t fits(const Amounts& wanted, const Amounts& offered, const std::vector<uint64_t>& taken) {
  uint32_t most = std::numeric_limits<uint32_t>::max();
  size_t at = 0;
  for (const Amount& one : wanted) {
    while (at < offered.size() && offered[at].name < one.name) ++at;
    if (at == offered.size() || offered[at].name != one.name) return 0;
    uint64_t gone = at < taken.size() ? taken[at] : 0;
    uint64_t free = offered[at].amount > gone ? offered[at].amount - gone : 0;
    most = std::min(most, times(one.amount, free));
  }
  return most;
}

uint32_t fits(const Amounts& wanted, const Amounts& offered) {
  return fits(wanted, offered, {});
}

bool Placement::prefers() const {
  return std::any_of(rules.begin(), rules.end(),
                     [](const PlacementRule& rule) { return rule.kind >= RuleKind::prefer; });
}

Status check_placement(const Placement& placement, const std::string& of) {
  PAWL_TRY(check_amounts(placement.resources, of));
  if (placement.rules.size() > rules_max)
    return Error{Code::resource_exhausted, of + ": " + std::to_string(placement.rules.size()) +
                                               " rules of affinity; the limit rules_max is " +
                                               std::to_string(rules_max)};
  for (const PlacementRule& rule : placement.rules) {
    if (!is_name(rule.label) || !is_name(rule.value))
      return invalid(name_rule(of, "label's name or value"));
  }
  if (placement.key && !placement.key.plain)
    return invalid(of + ": the key of its affinity is a plain path, such as .input.customer");
  return {};
}

Status check_queue(const QueueSpec& queue) {
  if (!is_queue_name(queue.name))
    return invalid(std::string(queue_name_rule) + ", not \"" + queue.name.substr(0, id_bytes_max) +
                   "\"");
  if (queue.burst == 0 || queue.burst > queue_burst_max)
    return invalid("queue " + queue.name + ": burst is 1 to " + std::to_string(queue_burst_max) +
                   " (queue_burst_max)");
  if (queue.rate_permille > queue_rate_permille_max)
    return invalid("queue " + queue.name + ": rate is at most " +
                   std::to_string(queue_rate_permille_max / 1000) +
                   " per second (queue_rate_permille_max)");
  if (queue.aging <= Duration{} || queue.aging > queue_aging_max)
    return invalid("queue " + queue.name + ": aging is more than nothing and at most a year");
  return {};
}

const char* name(RuleKind kind) {
  return name_at({"require", "forbid", "prefer", "avoid"}, static_cast<size_t>(kind));
}

const char* name(Apart apart) {
  return name_at({"no", "worker", "zone"}, static_cast<size_t>(apart));
}

const char* name(Strategy strategy) {
  return name_at(
      {"least_loaded", "round_robin", "weighted_round_robin", "consistent_hash", "pack", "spread"},
      static_cast<size_t>(strategy));
}

const char* name(GrantCause cause) {
  return name_at({"only", "preferred", "least_loaded", "turn", "weight", "key", "packed", "spread",
                  "recalled"},
                 static_cast<size_t>(cause));
}

}  // namespace pawl
