// The output files of executions (process_executor.h says what is kept in them), which go with them.
//
//   OutputFiles outputs(options.directory + "/output");
//   PAWL_TRY(outputs.drop_owner(ExecutionId{17}));          // output/e17 and everything in it
//
// Files that a workflow declares as outputs are the user's, wherever they are: only their names are
// known here. Not synced: what a power cut brings back is named by owners() again.
// Threading: any thread.
#pragma once

#include <string>

#include "pawl/port/belongings.h"
#include "pawl/port/output_store.h"

namespace pawl {

class OutputFiles final : public Belongings, public OutputStore {
 public:
  explicit OutputFiles(std::string root) : root_(std::move(root)) {}

  Result<std::vector<ExecutionId>> owners() override;
  Status drop_owner(ExecutionId owner) override;
  Status write(const OutputPart& part) override;  // of an attempt that ran elsewhere
  Result<Bytes> read(const std::string& path, uint64_t offset, uint64_t size) override;
  Result<std::vector<KeptLog>> list(ExecutionId execution, const std::string& node) override;

 private:
  std::string root_;
};

}  // namespace pawl
