#include "pawl/model/workflow.h"

#include <algorithm>

#include "pawl/model/word.h"

namespace pawl {
namespace {

constexpr uint32_t name_bytes_max = 256;
constexpr uint32_t backoff_factor_permille_max = 1'000'000;
constexpr size_t cycle_names_max = 16;  // of a longer cycle only the beginning is named

Error invalid(std::string message) {
  return {Code::invalid_argument, std::move(message)};
}

Error above(const std::string& what, uint64_t is, const char* limit, uint64_t max) {
  return {Code::resource_exhausted,
          what + ": " + std::to_string(is) + " is above " + limit + " = " + std::to_string(max)};
}

bool is_id(const std::string& text) {
  return is_word(text, "_-");
}

std::string quoted(const Node& node) {
  return "node '" + node.id + "'";
}

Status check_ids(const Workflow& workflow) {
  std::vector<const Node*> sorted;
  for (const Node& node : workflow.nodes) {
    if (!is_id(node.id))
      return invalid("'" + node.id.substr(0, id_bytes_max) +
                     "' cannot be a node's id: use 1 to 128 of A-Z a-z 0-9 _ -");
    sorted.push_back(&node);
  }
  auto by_id = [](const Node* a, const Node* b) { return a->id < b->id; };
  auto same_id = [](const Node* a, const Node* b) { return a->id == b->id; };
  std::sort(sorted.begin(), sorted.end(), by_id);
  auto twice = std::adjacent_find(sorted.begin(), sorted.end(), same_id);
  if (twice != sorted.end())
    return invalid(quoted(**twice) + " is there twice; every node needs an id of its own");
  return {};
}

Status check_values(const Node& node) {
  const RetryPolicy& retry = node.retry;
  if (retry.max_attempts < 1) return invalid(quoted(node) + ": max_attempts must be at least 1");
  if (retry.max_attempts > attempts_max)
    return above(quoted(node) + ": max_attempts", retry.max_attempts, "attempts_max", attempts_max);
  if (retry.backoff_factor_permille > backoff_factor_permille_max)
    return above(quoted(node) + ": backoff factor (permille)", retry.backoff_factor_permille,
                 "backoff_factor_permille_max", backoff_factor_permille_max);
  if (retry.jitter_permille > 1000)
    return invalid(quoted(node) + ": jitter is above 1000 permille");
  for (Duration d : {retry.backoff_first, retry.backoff_max, node.timeout.queue, node.timeout.run,
                     node.timeout.heartbeat})
    if (d < Duration{}) return invalid(quoted(node) + ": a time is negative");
  if (node.priority > 9) return invalid(quoted(node) + ": priority is 0 to 9, 9 first");
  if (!is_queue_name(node.queue))
    return invalid(quoted(node) + ": a queue's name is 1 to 128 of A-Z a-z 0-9 _ - .");
  if (node.placement.any()) return check_placement(node.placement, quoted(node));
  return {};
}

Status check_edges(const Workflow& workflow) {
  uint64_t edges = 0;
  std::vector<NodeIndex> needs;
  for (const Node& node : workflow.nodes) {
    needs = node.needs;
    std::sort(needs.begin(), needs.end());
    if (!needs.empty() && needs.back() >= workflow.nodes.size())
      return invalid(quoted(node) + " needs node number " + std::to_string(needs.back()) +
                     ", which does not exist");
    auto twice = std::adjacent_find(needs.begin(), needs.end());
    if (twice != needs.end())
      return invalid(quoted(node) + " needs '" + workflow.nodes[*twice].id + "' twice");
    edges += needs.size();
  }
  if (edges > workflow_edges_max)
    return above("edges of workflow '" + workflow.name + "'", edges, "workflow_edges_max",
                 workflow_edges_max);
  return {};
}

// Every node in `open` has a need in `open`: walking along needs must come back to itself.
Error cycle_error(const Workflow& workflow, const std::vector<uint32_t>& open) {
  std::vector<uint32_t> seen_at(workflow.nodes.size(), 0);
  std::vector<NodeIndex> walk;
  auto at = static_cast<NodeIndex>(
      std::find_if(open.begin(), open.end(), [](uint32_t n) { return n > 0; }) - open.begin());
  while (seen_at[at] == 0) {
    walk.push_back(at);
    seen_at[at] = static_cast<uint32_t>(walk.size());
    const std::vector<NodeIndex>& needs = workflow.nodes[at].needs;
    at = *std::find_if(needs.begin(), needs.end(), [&](NodeIndex n) { return open[n] > 0; });
  }
  // Backwards along needs is forwards along the flow.
  std::vector<NodeIndex> cycle(walk.rbegin(), walk.rend() - (seen_at[at] - 1));
  std::rotate(cycle.begin(), std::min_element(cycle.begin(), cycle.end()), cycle.end());
  std::string names;
  for (size_t i = 0; i < std::min(cycle.size(), cycle_names_max); ++i)
    names += workflow.nodes[cycle[i]].id + " -> ";
  if (cycle.size() > cycle_names_max) names += "... -> ";
  return invalid("nodes wait for each other in a circle: " + names + workflow.nodes[cycle[0]].id +
                 "; remove one of these needs");
}

void fill_dependents(Workflow& workflow) {
  workflow.dependents.assign(workflow.nodes.size(), {});
  for (NodeIndex node = 0; node < workflow.nodes.size(); ++node)
    for (NodeIndex need : workflow.nodes[node].needs) workflow.dependents[need].push_back(node);
}

// Kahn 1962: take away nodes without open needs until nothing is left, or only cycles are.
Status check_cycles(const Workflow& workflow) {
  std::vector<uint32_t> open;
  std::vector<NodeIndex> ready;
  for (NodeIndex node = 0; node < workflow.nodes.size(); ++node) {
    open.push_back(static_cast<uint32_t>(workflow.nodes[node].needs.size()));
    if (open.back() == 0) ready.push_back(node);
  }
  size_t taken = 0;
  for (; taken < ready.size(); ++taken)
    for (NodeIndex dependent : workflow.dependents[ready[taken]])
      if (--open[dependent] == 0) ready.push_back(dependent);
  if (taken == workflow.nodes.size()) return {};
  return cycle_error(workflow, open);
}

}  // namespace

const char* name(NodeType type) {
  switch (type) {
    case NodeType::process:
      return "process";
    case NodeType::function:
      return "function";
    case NodeType::transform:
      return "transform";
  }
  return "unknown";
}

const char* name(FailureKind kind) {
  switch (kind) {
    case FailureKind::exit_code:
      return "exit_code";
    case FailureKind::signal:
      return "signal";
    case FailureKind::timeout:
      return "timeout";
    case FailureKind::out_of_memory:
      return "out_of_memory";
    case FailureKind::spawn:
      return "spawn";
    case FailureKind::output:
      return "output";
    case FailureKind::expression:
      return "expression";
    case FailureKind::function:
      return "function";
    case FailureKind::lost:
      return "lost";
    case FailureKind::declined:
      return "declined";
  }
  return "unknown";
}

Status finish(Workflow& workflow) {
  if (workflow.nodes.empty())
    return invalid("workflow '" + workflow.name + "' has no nodes; it needs at least one");
  if (workflow.name.size() > name_bytes_max)
    return above("bytes of the workflow's name", workflow.name.size(), "name_bytes_max",
                 name_bytes_max);
  if (workflow.nodes.size() > workflow_nodes_max)
    return above("nodes of workflow '" + workflow.name + "'", workflow.nodes.size(),
                 "workflow_nodes_max", workflow_nodes_max);
  PAWL_TRY(check_ids(workflow));
  for (const Node& node : workflow.nodes) PAWL_TRY(check_values(node));
  PAWL_TRY(check_edges(workflow));
  fill_dependents(workflow);
  return check_cycles(workflow);
}

}  // namespace pawl
