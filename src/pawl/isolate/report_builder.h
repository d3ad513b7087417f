// Gathers the results of a launch, item after item, into as few reports as possible: successes in a
// row are one report, and one whose outputs are all null has none.
//
//   ReportBuilder reports(grant, payloads);
//   reports.succeed(0, "7");
//   reports.succeed(1, "");
//   reports.fail(2, 3, FailureKind::function, "no");
//   reports.take();                       // [0, 2) succeeded with 7 and null, [2, 3) failed
//
// Items come in ascending order without gaps; what is not mentioned succeeded with
// null. One thread.
#pragma once

#include <string>
#include <vector>

#include "pawl/model/message.h"
#include "pawl/port/payload_store.h"

namespace pawl {

class ReportBuilder {
 public:
  ReportBuilder(const Grant& grant, PayloadStore& payloads)
      : grant_(grant), payloads_(payloads), begin_(grant.range.begin) {}

  // `output` is JSON, or empty for null; text above payload_inline_max goes to the blob store. What
  // is no JSON, or cannot be stored, is a failure of kind `output`; without a store it is declined.
  void succeed(ItemIndex item, std::string output);
  void fail(ItemIndex begin, ItemIndex end, FailureKind kind, std::string error);
  std::vector<AttemptReport> take_until(ItemIndex end);  // what has not been taken yet
  std::vector<AttemptReport> take() { return take_until(grant_.range.end); }

 private:
  void flush(ItemIndex end);
  AttemptReport blank(ItemIndex begin, ItemIndex end) const;

  const Grant& grant_;
  PayloadStore& payloads_;
  ItemIndex begin_;  // first item not yet in a report
  std::vector<Payload> outputs_;
  std::vector<AttemptReport> reports_;
};

}  // namespace pawl
