// The oracle's account of who holds what: resources, queues and labels, one task at a time, and
// without sharing a line with the scheduler.
//
//   PlacementModel placement;
//   placement.opened(session, spec);
//   if (std::string wrong = placement.granted(session, node, now); !wrong.empty()) ...   // I16
//   placement.released(session, node);
#pragma once

#include <map>
#include <string>

#include "pawl/model/message.h"
#include "pawl/sim/universe.h"

namespace pawl::sim {

class PlacementModel {
 public:
  explicit PlacementModel(Coverage& coverage) : coverage_(coverage) {}

  void opened(SessionId session, const WorkerSpec& worker);
  void closed(SessionId session) { workers_.erase(session); }
  void configured(const QueueSpec& queue, Instant now);
  // One task of the node. Empty, or what the grant breaks.
  std::string granted(SessionId session, const Node& node, Instant now);
  void released(SessionId session, const Node& node);
  // Everything is back where it was: nothing is held.
  std::string held() const;

 private:
  struct WorkerModel {
    WorkerSpec spec;
    std::map<std::string, uint64_t> held;
  };
  struct QueueModel {
    QueueSpec spec;
    uint64_t granted = 0;
    uint64_t water = 0;  // a leaky bucket: grants x 10^12 not yet run off
    Instant since;
  };
  std::string pour(QueueModel& queue, Instant now);

  Coverage& coverage_;
  std::map<SessionId, WorkerModel> workers_;
  std::map<std::string, QueueModel> queues_;
};

}  // namespace pawl::sim
