#include "pawl/cli/progress_view.h"

#include <algorithm>
#include <cmath>

namespace pawl::cli {
namespace {

constexpr double time_constant_s = 5;
constexpr size_t name_width_max = 24;
constexpr size_t bar_width_max = 24;

double seconds(Duration duration) {
  return static_cast<double>(duration.ns) / 1e9;
}

bool runs(const NodeDetail& node) {
  return node.status == NodeStatus::active || node.status == NodeStatus::evaluating_condition ||
         node.status == NodeStatus::evaluating_items;
}

bool stuck(const NodeDetail& node) {
  return node.status == NodeStatus::parked ||
         (node.status == NodeStatus::active && node.tasks.parked > 0 &&
          node.tasks.parked + finished(node.tasks) == node.tasks.total);
}

std::string counts_of(const NodeDetail& node) {
  std::string text;
  auto add = [&](uint64_t count, const char* what) {
    if (count == 0) return;
    if (!text.empty()) text += ", ";
    text += with_commas(count) + " " + what;
  };
  add(node.tasks.running, "running");
  add(node.tasks.backing_off, "waiting to retry");
  add(failing(node.tasks), "failed");
  add(node.tasks.cancelled, "cancelled");
  return text;
}

}  // namespace

void RateMeter::add(uint64_t done, Instant now) {
  if (!started_) {
    started_ = true;
    done_ = done;
    at_ = now;
    return;
  }
  double elapsed = seconds(now - at_);
  if (elapsed <= 0) return;
  double kept = std::exp(-elapsed / time_constant_s);
  weighted_ = weighted_ * kept + static_cast<double>(done > done_ ? done - done_ : 0);
  weight_ = weight_ * kept + elapsed;
  done_ = done;
  at_ = now;
}

double RateMeter::per_second() const {
  return weight_ > 0 ? weighted_ / weight_ : 0;
}

NodeStatus shown_status(const NodeDetail& node) {
  return stuck(node) ? NodeStatus::parked : node.status;
}

const char* state_of(const WorkerDetail& worker) {
  if (worker.usage.leaving) return "leaving";
  return worker.suspect ? "suspect" : "connected";
}

std::string in_words(NodeStatus status) {
  switch (status) {
    case NodeStatus::waiting:
      return "waiting";
    case NodeStatus::evaluating_condition:
    case NodeStatus::evaluating_items:
      return "evaluating";
    case NodeStatus::active:
      return "running";
    case NodeStatus::succeeded:
      return "done";
    case NodeStatus::failed:
      return "failed";
    case NodeStatus::skipped:
      return "skipped";
    case NodeStatus::cancelled:
      return "cancelled";
    case NodeStatus::parked:
      return "parked";
  }
  return "?";
}

Colour colour_of(NodeStatus status) {
  switch (status) {
    case NodeStatus::succeeded:
      return Colour::green;
    case NodeStatus::failed:
    case NodeStatus::parked:
      return Colour::red;
    case NodeStatus::active:
      return Colour::cyan;
    case NodeStatus::cancelled:
      return Colour::yellow;
    default:
      return Colour::dim;
  }
}

Colour colour_of(ExecutionStatus status) {
  switch (status) {
    case ExecutionStatus::succeeded:
      return Colour::green;
    case ExecutionStatus::failed:
    case ExecutionStatus::parked:
    case ExecutionStatus::quarantined:
      return Colour::red;
    case ExecutionStatus::cancelled:
      return Colour::yellow;
    case ExecutionStatus::running:
      return Colour::cyan;
  }
  return Colour::plain;
}

std::string status_sign(NodeStatus status, const Style& style) {
  const char* sign = "?";
  switch (status) {
    case NodeStatus::waiting:
      sign = style.unicode ? "○" : ".";
      break;
    case NodeStatus::evaluating_condition:
    case NodeStatus::evaluating_items:
    case NodeStatus::active:
      sign = style.unicode ? "●" : ">";
      break;
    case NodeStatus::succeeded:
      sign = style.unicode ? "✓" : "+";
      break;
    case NodeStatus::failed:
    case NodeStatus::parked:
      sign = style.unicode ? "✗" : "!";
      break;
    case NodeStatus::skipped:
      sign = style.unicode ? "⊘" : "-";
      break;
    case NodeStatus::cancelled:
      sign = style.unicode ? "■" : "x";
      break;
  }
  return style.paint(colour_of(status), sign);
}

void ProgressView::update(ExecutionDetail detail, Instant now) {
  if (!known_) started_ = now;
  known_ = true;
  detail_ = std::move(detail);
  all_.add(finished(detail_.summary.tasks), now);
  for (const NodeDetail& node : detail_.nodes) {
    if (node.status == NodeStatus::active) meters_[node.id].add(finished(node.tasks), now);
    if (node.tasks.running == 0) said_.erase(node.id);
  }
}

void ProgressView::say(const std::string& node, uint32_t permille, std::string message) {
  said_[node] = {permille, std::move(message)};
}

std::string ProgressView::node_line(const NodeDetail& node, const Style& style, size_t name_width,
                                    size_t bar_width) const {
  NodeStatus shown = shown_status(node);
  std::string line =
      status_sign(shown, style) + " " + padded(clip(node.id, name_width, style), name_width) + "  ";
  bool counted = node.mapped && node.tasks.total > 0;
  if (!counted && !runs(node) && !stuck(node)) {
    line += style.paint(colour_of(shown), in_words(shown));
    if (node.status == NodeStatus::failed) line += "  " + tame(node.error);
    return line;
  }
  const TaskCounts& tasks = node.tasks;
  auto said = said_.find(node.id);
  uint64_t done = tasks.succeeded + tasks.cancelled;
  if (!counted && said != said_.end()) {
    line += bar(said->second.permille, 0, 1000, bar_width, style) + "  ";
  } else {
    line += bar(done, failing(tasks), tasks.total, bar_width, style) + "  ";
  }
  if (counted) line += with_commas(finished(tasks)) + "/" + with_commas(tasks.total) + "  ";
  line += counts_of(node);
  if (auto meter = meters_.find(node.id); counted && runs(node) && meter != meters_.end()) {
    double rate = meter->second.per_second();
    if (rate > 0) {
      uint64_t left = tasks.total - finished(tasks) - tasks.parked;
      line += "  " + rate_in_words(rate);
      if (left > 0) {
        double left_s = static_cast<double>(left) / rate;
        line += ", " + cli::in_words(Duration{static_cast<int64_t>(left_s * 1e9)}) + " left";
      }
    }
  }
  if (said != said_.end() && !said->second.message.empty()) {
    line += "  " + style.paint(Colour::dim, tame(said->second.message));
  } else if (failing(tasks) > 0 && !node.error.empty()) {
    line += "  " + style.paint(Colour::red, tame(node.error));
  }
  return line;
}

// All nodes if they fit; otherwise those that run or failed, then the nearest to them.
std::vector<const NodeDetail*> ProgressView::visible(size_t rows) const {
  std::vector<const NodeDetail*> shown;
  for (const NodeDetail& node : detail_.nodes) shown.push_back(&node);
  if (shown.size() <= rows) return shown;
  auto interest = [](const NodeDetail* node) {
    if (stuck(*node) || node->status == NodeStatus::failed) return 0;
    if (runs(*node)) return 1;
    if (node->status == NodeStatus::waiting) return 2;
    return 3;
  };
  std::vector<const NodeDetail*> by_interest = shown;
  std::stable_sort(by_interest.begin(), by_interest.end(),
                   [&](auto* a, auto* b) { return interest(a) < interest(b); });
  by_interest.resize(rows);
  std::sort(by_interest.begin(), by_interest.end());  // back into the order of the file
  return by_interest;
}

std::string ProgressView::summary_line(Instant now, const Style& style) const {
  const ExecutionSummary& all = detail_.summary;
  uint64_t ended = 0;
  for (const NodeDetail& node : detail_.nodes) ended += is_terminal(node.status) ? 1 : 0;
  std::string line = style.paint(Colour::bold, to_text(all.id)) + " " + all.workflow + ": " +
                     std::to_string(ended) + "/" + std::to_string(detail_.nodes.size()) +
                     " nodes, " + with_commas(finished(all.tasks)) + " tasks";
  if (failing(all.tasks) > 0) {
    line += ", " + style.paint(Colour::red, with_commas(failing(all.tasks)) + " failed");
  }
  return line + ", " + cli::in_words(now - started_);
}

std::vector<std::string> ProgressView::lines(Instant now, const Style& style, size_t width,
                                             size_t height) const {
  std::vector<std::string> text;
  if (!known_) return text;
  size_t name_width = 4;
  for (const NodeDetail& node : detail_.nodes) name_width = std::max(name_width, node.id.size());
  name_width = std::min(name_width, name_width_max);
  size_t bar_width = std::min(bar_width_max, width > 60 ? (width - 36) / 2 : size_t{8});
  size_t rows = height > 4 ? height - 3 : 1;
  std::vector<const NodeDetail*> nodes = visible(rows);
  for (const NodeDetail* node : nodes) {
    text.push_back(node_line(*node, style, name_width, bar_width));
  }
  if (nodes.size() < detail_.nodes.size()) {
    text.push_back(style.paint(
        Colour::dim,
        "  and " + std::to_string(detail_.nodes.size() - nodes.size()) + " more nodes"));
  }
  text.push_back(summary_line(now, style));
  return text;
}

std::vector<std::string> ProgressView::changes() {
  std::vector<std::string> lines;
  for (const NodeDetail& node : detail_.nodes) {
    if (node.status == NodeStatus::waiting) continue;
    NodeStatus shown = shown_status(node);
    std::string line = node.id + ": " + in_words(shown);
    if (node.mapped && node.tasks.total > 0) {
      line += ", " + with_commas(finished(node.tasks)) + "/" + with_commas(node.tasks.total);
    }
    if (std::string counts = counts_of(node); node.mapped && !counts.empty()) line += ", " + counts;
    if (failing(node.tasks) + node.tasks.backing_off > 0 || shown == NodeStatus::parked) {
      line += node.error.empty() ? "" : ": " + tame(node.error);
    }
    std::string& told = told_[node.id];
    if (told == line) continue;
    told = line;
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace pawl::cli
