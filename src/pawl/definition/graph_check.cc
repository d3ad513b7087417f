#include "pawl/definition/graph_check.h"

#include <algorithm>
#include <map>
#include <utility>

#include "pawl/base/json.h"
#include "pawl/definition/nearest.h"
#include "pawl/definition/references.h"

namespace pawl {
namespace {

using Words = std::vector<std::string_view>;

// A bit per pair of nodes: whether one transitively needs the other.
class Ancestors {
 public:
  Ancestors() = default;
  explicit Ancestors(size_t nodes)
      : words_per_node_((nodes + 63) / 64), bits_(nodes * words_per_node_) {}

  bool known() const { return !bits_.empty(); }
  bool contains(NodeIndex node, NodeIndex ancestor) const {
    return (bits_[node * words_per_node_ + ancestor / 64] >> (ancestor % 64)) & 1u;
  }
  void add(NodeIndex node, NodeIndex parent) {
    uint64_t* mine = &bits_[node * words_per_node_];
    const uint64_t* theirs = &bits_[parent * words_per_node_];
    for (size_t i = 0; i < words_per_node_; ++i) mine[i] |= theirs[i];
    mine[parent / 64] |= uint64_t{1} << (parent % 64);
  }

 private:
  size_t words_per_node_ = 0;
  std::vector<uint64_t> bits_;
};

std::string quote(std::string_view text) {
  return "\"" + std::string(text.substr(0, 128)) + "\"";
}

class GraphCheck {
 public:
  GraphCheck(std::vector<NodeDraft> drafts, Workflow& workflow, Problems& problems)
      : drafts_(std::move(drafts)), workflow_(workflow), problems_(problems) {
    for (const NodeDraft& draft : drafts_) {
      index_.emplace(draft.node.id, static_cast<NodeIndex>(index_.size()));
      ids_.push_back(draft.node.id);
    }
    if (workflow.input_defaults.empty()) return;
    for (JsonItems inputs(workflow.input_defaults); inputs.next();)
      inputs_.push_back(json_unquote(inputs.key()));
  }

  void resolve_edges();
  void order();
  void check_references(const std::vector<ExpressionSite>& sites);
  void hand_over() {
    for (NodeDraft& draft : drafts_) workflow_.nodes.push_back(std::move(draft.node));
  }

 private:
  void report_cycle(const std::vector<uint32_t>& open_needs);
  void check_reference(const ExpressionSite& site, const Reference& reference);
  void check_node(const ExpressionSite& site, const Reference& reference);
  void check_item(const ExpressionSite& site);
  void check_input_name(const ExpressionSite& site, const std::string& input);
  void report(const ExpressionSite& site, std::string message) {
    problems_.add({site.line, site.column}, std::move(message));
  }

  std::vector<NodeDraft> drafts_;
  Workflow& workflow_;
  Problems& problems_;
  std::map<std::string, NodeIndex, std::less<>> index_;
  Words ids_;
  std::vector<std::string> inputs_;  // declared; empty if none are
  Ancestors ancestors_;              // unknown if there is a cycle
};

void GraphCheck::resolve_edges() {
  uint64_t edges = 0;
  std::vector<const NodeDraft*> needed_by(drafts_.size());
  for (NodeDraft& draft : drafts_) {
    for (const NeedSite& need : draft.needs) {
      auto found = index_.find(need.id);
      if (problems_.full()) return;
      if (found == index_.end())
        problems_.add(need.mark, "unknown node " + quote(need.id) + hint(need.id, ids_));
      else if (std::exchange(needed_by[found->second], &draft) == &draft)
        problems_.add(need.mark, quote(need.id) + " is needed twice");
      else
        draft.node.needs.push_back(found->second);
      if (++edges == workflow_edges_max + 1)
        return problems_.add(need.mark, "more than " + std::to_string(workflow_edges_max) +
                                            " needs in one workflow (workflow_edges_max)");
    }
  }
}

// Kahn's algorithm; what it cannot place stands in or behind a cycle.
void GraphCheck::order() {
  size_t count = drafts_.size();
  std::vector<uint32_t> open_needs(count);
  std::vector<std::vector<NodeIndex>> dependents(count);
  std::vector<NodeIndex> placed;
  for (NodeIndex n = 0; n < count; ++n) {
    open_needs[n] = static_cast<uint32_t>(drafts_[n].node.needs.size());
    if (open_needs[n] == 0) placed.push_back(n);
    for (NodeIndex need : drafts_[n].node.needs) dependents[need].push_back(n);
  }
  Ancestors ancestors(count);
  for (size_t i = 0; i < placed.size(); ++i) {
    NodeIndex n = placed[i];
    for (NodeIndex dependent : dependents[n]) {
      ancestors.add(dependent, n);
      if (--open_needs[dependent] == 0) placed.push_back(dependent);
    }
  }
  if (placed.size() == count)
    ancestors_ = std::move(ancestors);
  else
    report_cycle(open_needs);
}

void GraphCheck::report_cycle(const std::vector<uint32_t>& open_needs) {
  auto blocked_need = [&](NodeIndex n) {
    const auto& needs = drafts_[n].node.needs;
    return *std::find_if(needs.begin(), needs.end(),
                         [&](NodeIndex m) { return open_needs[m] > 0; });
  };
  auto start = std::find_if(open_needs.begin(), open_needs.end(), [](uint32_t n) { return n > 0; });
  auto at = static_cast<NodeIndex>(start - open_needs.begin());
  std::vector<NodeIndex> way;
  std::vector<bool> seen(drafts_.size());
  for (; !seen[at]; at = blocked_need(at)) {
    seen[at] = true;
    way.push_back(at);
  }
  way.erase(way.begin(), std::find(way.begin(), way.end(), at));
  constexpr size_t shown = 10;
  std::string text;
  for (size_t i = 0; i < std::min(way.size(), shown); ++i) text += drafts_[way[i]].node.id + " -> ";
  if (way.size() > shown) text += "... -> ";
  text += drafts_[at].node.id;
  const NodeDraft& first = drafts_[at];
  const std::string& next = drafts_[way.size() > 1 ? way[1] : at].node.id;
  Mark mark = first.mark;
  for (const NeedSite& need : first.needs)
    if (need.id == next) mark = need.mark;
  problems_.add(mark, "these nodes wait for each other: " + text);
}

void GraphCheck::check_references(const std::vector<ExpressionSite>& sites) {
  for (const ExpressionSite& site : sites) {
    if (problems_.full()) return;
    for (const Reference& reference : find_references(site.expression.text))
      if (!problems_.full()) check_reference(site, reference);
  }
}

void GraphCheck::check_reference(const ExpressionSite& site, const Reference& reference) {
  static const Words roots = {".input", ".nodes", ".item", ".execution"};
  const auto& path = reference.path;
  std::string root = "." + path[0];
  if (std::find(roots.begin(), roots.end(), root) == roots.end())
    return report(site, "expressions know .input, .nodes, .item and .execution, not " + root +
                            did_you_mean(root, roots));
  if (path[0] == "item") check_item(site);
  if (path.size() < 2) return;
  if (path[0] == "nodes") check_node(site, reference);
  if (path[0] == "input") check_input_name(site, path[1]);
}

void GraphCheck::check_node(const ExpressionSite& site, const Reference& reference) {
  const std::string& id = reference.path[1];
  auto found = index_.find(id);
  if (!reference.dashed.empty() && index_.contains(reference.dashed))
    return report(site, "jq reads the - in ." + reference.dashed + " as minus; write .nodes[" +
                            quote(reference.dashed) + "]");
  if (found == index_.end()) return report(site, "unknown node " + quote(id) + hint(id, ids_));
  if (reference.path.size() == 3 && reference.path[2] != "output")
    return report(site, "a node has an .output, not ." + reference.path[2] + "; write .nodes." +
                            id + ".output." + reference.path[2] + " for a part of it");
  auto self = index_.find(site.node);
  if (site.node.empty() || self == index_.end() || !ancestors_.known()) return;
  if (self->second == found->second) return report(site, quote(id) + " cannot read its own output");
  if (!ancestors_.contains(self->second, found->second))
    report(site, quote(site.node) + " reads the output of " + quote(id) +
                     " but does not need it; add " + quote(id) + " to its needs");
}

void GraphCheck::check_item(const ExpressionSite& site) {
  auto self = index_.find(site.node);
  if (self == index_.end()) return report(site, "there is no .item outside of a node");
  if (!drafts_[self->second].node.mapped())
    return report(site, quote(site.node) + " has no .item; that takes for_each");
  if (site.field == "when" || site.field == "for_each")
    report(site, "there is no .item yet in \"" + site.field +
                     "\", which is evaluated once for all items");
}

void GraphCheck::check_input_name(const ExpressionSite& site, const std::string& input) {
  if (inputs_.empty()) return;
  if (std::find(inputs_.begin(), inputs_.end(), input) != inputs_.end()) return;
  report(site, "the workflow declares no input " + quote(input) +
                   hint(input, Words(inputs_.begin(), inputs_.end())));
}

}  // namespace

void link_nodes(std::vector<NodeDraft> drafts, const std::vector<ExpressionSite>& sites,
                Workflow& workflow, Problems& problems) {
  GraphCheck check(std::move(drafts), workflow, problems);
  check.resolve_edges();
  check.order();
  check.check_references(sites);
  check.hand_over();
}

}  // namespace pawl
