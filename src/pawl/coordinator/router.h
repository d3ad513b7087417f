// One door for the partitions of a coordinator: each question goes where its answer is, and what all
// partitions answer becomes one answer.
//
//   Router router({&engine_0, &engine_1, &engine_2});   // ascending by slot
//   router.put({7, Query{GetOverview{}}});              // all three are asked
//   auto whole = router.take(1, response);              // nothing yet; with the third answer the sums
//
// With one partition everything passes straight through.
//
// A workflow is registered in every partition under one id, which the first partition gives: it is asked
// first, the others are told. A crash may come between; then one of them says NOT_FOUND to a submission,
// and registering again, which changes nothing elsewhere, mends it.
//
// Limits: what is kept, is kept per open question.
// Errors: of a question that all are asked, the first error (by partition) is the answer, once all have
// answered; asking again is safe. A registration needs a ticket.
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
  uint32_t partitions() const { return static_cast<uint32_t>(partitions_.size()); }

 private:
  // A question that all were asked.
  struct Asked {
    uint32_t limit = 0;  // of lists
    size_t outstanding = 0;
    std::vector<Response> answers;              // by partition
    std::optional<Request> register_elsewhere;  // once the first has answered
  };

  void ask_all(const Request& request);
  void ask_first(Request request);
  bool ask_others(Asked& asked);
  void ask_one(uint32_t slot, Request request);
  void stop_waiting(const StopWaiting& stop);

  std::vector<Sink<Request>*> partitions_;
  uint32_t next_ = 0;  // for what may go anywhere
  std::map<Ticket, Asked> asked_;
  std::map<Ticket, uint32_t> waiting_;  // what StopWaiting may name, and where it went
};

}  // namespace pawl
