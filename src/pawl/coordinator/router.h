// One door for the partitions of a coordinator: each question goes where its answer is, and what all
// partitions answer becomes one answer.
//
//   Router router({&engine_0, &engine_1, &engine_2});   // ascending by slot
//   router.put({7, Query{GetOverview{}}});              // all three are asked
//   auto whole = router.take(1, response);              // nothing yet; with the third answer the sums
//
// With one partition everything passes straight through.
//
// Workflows are registered in every partition, under an id that differs; outside, the first partition's
// is *the* id. Which others belong to it is learned from registrations that came through here, and not
// kept: what does not know() a workflow is told by registering it again, which changes nothing.
//
// Limits: what is kept, is kept per open question, and per workflow registered since the start.
// Errors: of a question that all are asked, the first error (by partition) is the answer, once all have
// answered; asking again is safe. A submission of a workflow that is not known here is NOT_FOUND.
// Threading: one thread, that of whoever asks and reads the answers; the partitions may have others.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "pawl/partition/request.h"
#include "pawl/port/sink.h"

namespace pawl {

class Router final : public Sink<Request> {
 public:
  // 1 to partitions_max, which outlive the router and answer every ticket but 0 exactly once.
  explicit Router(std::vector<Sink<Request>*> partitions);

  void put(Request request) override;
  // What partition `partition` answers. The whole answer, once it is there.
  std::optional<Response> take(uint32_t partition, Response response);

  // Whether it can be submitted, by the id that people know.
  bool knows(WorkflowId workflow) const;
  uint32_t partitions() const { return static_cast<uint32_t>(partitions_.size()); }

 private:
  // A question that all were asked.
  struct Asked {
    uint32_t limit = 0;  // of lists
    bool registers = false;
    size_t outstanding = 0;
    std::vector<Response> answers;  // by partition
  };

  void ask_all(const Request& request);
  void ask_one(uint32_t slot, Request request);
  void stop_waiting(const StopWaiting& stop);
  void learn(const std::vector<Response>& answers);
  WorkflowId local(WorkflowId workflow, uint32_t slot) const;
  void say_outside(uint32_t partition, History& history) const;

  std::vector<Sink<Request>*> partitions_;
  uint32_t next_ = 0;  // for what may go anywhere
  std::map<Ticket, Asked> asked_;
  std::map<Ticket, uint32_t> waiting_;  // what StopWaiting may name, and where it went
  std::map<WorkflowId, std::vector<WorkflowId>> local_;    // by partition
  std::vector<std::map<WorkflowId, WorkflowId>> outside_;  // by partition, the other way round
};

}  // namespace pawl
