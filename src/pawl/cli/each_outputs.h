// The outputs of a mapped node's items, printed as they become complete: whole, one item after the
// other, in the order of the items or in that of their completion.
//
//   EachOutputs outputs(session, execution, "each", count, OutputOrder::items);
//   PAWL_TRY(outputs.print_new());       // now and then, and once at the end
//
// Asks for a few hundred items at a time, and never for one that has been printed. What an item
// wrote to standard error comes behind its output, on our standard error.
#pragma once

#include <string>
#include <vector>

#include "pawl/cli/session.h"

namespace pawl::cli {

enum class OutputOrder : uint8_t { items, completion };

// An item that has no output and will have none.
struct LostItem {
  ItemIndex item = 0;
  bool cancelled = false;  // otherwise a dead letter that was discarded
  Cause cause;             // of a failure
};

class EachOutputs {
 public:
  EachOutputs(Session& session, ExecutionId execution, std::string node, ItemIndex count,
              OutputOrder order);

  Status print_new();
  ItemIndex printed() const { return printed_; }
  // The first ones, in the order in which they were seen.
  const std::vector<LostItem>& lost() const { return lost_; }

 private:
  Result<bool> print_page();
  void print(const TaskDetail& task);
  void note(const TaskDetail& task);
  bool print_file(const TaskDetail& task, const char* suffix, bool to_stdout);

  Session& session_;
  ExecutionId execution_;
  std::string node_;
  std::string folder_;
  OutputOrder order_;
  std::vector<bool> done_;  // printed, by item
  ItemIndex first_ = 0;     // the first that is not
  ItemIndex at_ = 0;        // where the next page begins
  ItemIndex printed_ = 0;
  bool any_files_ = false;
  std::vector<LostItem> lost_;
};

}  // namespace pawl::cli
