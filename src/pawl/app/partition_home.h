// One partition of a state directory: its log, checkpoints and engine, on a loop.
//
//   PAWL_ASSIGN(auto home, PartitionHome::open({directory, {2, 8}}, shared, disk, loop, answers));
//   home->engine().put({1, SubmitExecution{...}});
//
// Opening recovers. Threading: the loop's thread; Engine::put() from any.
#pragma once

#include <memory>
#include <string>

#include "pawl/adapter/linux_loop/linux_loop.h"
#include "pawl/engine/engine.h"
#include "pawl/port/disk.h"
#include "pawl/port/view_factory.h"

namespace pawl {

class OperatorLog;

struct PartitionOptions {
  std::string directory;  // its own: partition_directory()
  Slot slot;
  std::string programs_directory;  // of pawl-jq
  ViewFactory view{};              // empty: RocksDB
  Limits limits{};
  bool brief = false;              // leaves to others what takes long
  bool workers_elsewhere = false;  // workers of other processes outlive this one
};

// What the partitions of a coordinator have in common; outlives them.
struct PartitionSurroundings {
  Clock& clock;
  OperatorLog& telemetry;
  Blob& blob;
  Belongings& outputs;
  Transport& transport;
  SharedCapacity* capacity = nullptr;
};

class PartitionHome {
 public:
  // `disk`: of options.directory.
  static Result<std::unique_ptr<PartitionHome>> open(const PartitionOptions& options,
                                                     const PartitionSurroundings& around,
                                                     Disk& disk, LinuxLoop& loop,
                                                     Sink<Response>& answers);
  ~PartitionHome();
  PartitionHome(const PartitionHome&) = delete;
  PartitionHome& operator=(const PartitionHome&) = delete;

  Engine& engine();
  Evaluator& evaluator();
  // Waits for the engine to come to rest, then marks the log's clean end. Call it once.
  Status close();

 private:
  struct Parts;
  explicit PartitionHome(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace pawl
