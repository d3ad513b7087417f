// Progress of one execution for people: from what is known of its nodes to lines of text.
//
//   ProgressView view;
//   view.update(detail, clock.monotonic());         // whenever there is news, at most 10/s
//   console.show(view.lines(now, style, 80, 24));   // one line per node, and a last one for all
//   for (const std::string& line : view.changes())  // without a terminal: what has changed
//
// Rates are moving averages of finished tasks per second with a time constant of five seconds,
// corrected for their own youth; the time left is what remains at that rate. No I/O, no clock.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "pawl/cli/style.h"
#include "pawl/partition/query.h"

namespace pawl::cli {

// Exponentially weighted: recent seconds count more. Before its first time constant has passed it
// is the plain average since the start.
class RateMeter {
 public:
  void add(uint64_t done, Instant now);  // done so far, ascending
  double per_second() const;             // 0: not known yet

 private:
  bool started_ = false;
  uint64_t done_ = 0;
  Instant at_;
  double weighted_ = 0;  // sum of counts, decayed
  double weight_ = 0;    // sum of seconds, decayed alike
};

const char* state_of(const WorkerDetail& worker);  // "connected", "suspect", "leaving"

class ProgressView {
 public:
  void update(ExecutionDetail detail, Instant now);
  // The newest thing that a running task of the node has said.
  void say(const std::string& node, uint32_t permille, std::string message);

  std::vector<std::string> lines(Instant now, const Style& style, size_t width,
                                 size_t height) const;
  // What has changed since the last call, one line each.
  std::vector<std::string> changes();

  const ExecutionDetail& detail() const { return detail_; }
  bool known() const { return known_; }

 private:
  struct Said {
    uint32_t permille = 0;
    std::string message;
  };
  std::string node_line(const NodeDetail& node, const Style& style, size_t name_width,
                        size_t bar_width) const;
  std::string summary_line(Instant now, const Style& style) const;
  std::vector<const NodeDetail*> visible(size_t rows) const;

  ExecutionDetail detail_;
  bool known_ = false;
  Instant started_;
  RateMeter all_;
  std::map<std::string, RateMeter> meters_;
  std::map<std::string, Said> said_;
  std::map<std::string, std::string> told_;  // by node: the line that changes() gave last
};

// Tasks of a node that are over.
inline uint64_t finished(const TaskCounts& tasks) {
  return tasks.succeeded + tasks.failed + tasks.cancelled;
}
inline uint64_t failing(const TaskCounts& tasks) {
  return tasks.failed + tasks.parked;
}

// Parked where nothing but dead letters is left of a node, whose own status is then still active.
NodeStatus shown_status(const NodeDetail& node);
std::string status_sign(NodeStatus status, const Style& style);
std::string in_words(NodeStatus status);
Colour colour_of(NodeStatus status);
Colour colour_of(ExecutionStatus status);

}  // namespace pawl::cli
