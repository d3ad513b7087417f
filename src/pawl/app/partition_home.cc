#include "pawl/app/partition_home.h"

#include "pawl/adapter/jq/jq_evaluator.h"
#include "pawl/adapter/linux_disk/linux_disk.h"
#include "pawl/adapter/linux_disk/replay_note_file.h"
#include "pawl/adapter/linux_loop/linux_background.h"
#include "pawl/adapter/rocksdb/rocksdb_view.h"
#include "pawl/adapter/wal/wal.h"
#include "pawl/app/operator_log.h"
#include "pawl/app/random_number.h"
#include "pawl/app/workshop.h"

namespace pawl {
namespace {

// A segment, a spare and the ballast are allocated at once: small, for directories beside a project.
constexpr uint64_t log_segment_bytes = 16 << 20;
constexpr uint32_t evaluations_at_once = 2;  // of those that read or store payloads

}  // namespace

// In the order in which they need each other; destroyed from the last to the first.
struct PartitionHome::Parts {
  Parts(const PartitionOptions& given, LinuxLoop& its_loop)
      : options(given),
        loop(its_loop),
        note(given.directory + "/replay.note"),
        evaluations(its_loop),
        evaluator(JqOptions{.helper = given.programs_directory + "/pawl-jq"}, evaluations) {}
  ~Parts() {
    if (registered) loop.remove(*engine);
  }
  Status open_storage(const PartitionSurroundings& around, Disk& disk);
  Status open_engine(const PartitionSurroundings& around, Sink<Response>& answers);

  PartitionOptions options;
  LinuxLoop& loop;
  std::unique_ptr<Wal> log;
  std::unique_ptr<View> view;
  ReplayNoteFile note;
  Mailbox<Evaluation> evaluations;
  JqEvaluator evaluator;
  std::unique_ptr<Engine> engine;
  bool registered = false;
};

Status PartitionHome::Parts::open_storage(const PartitionSurroundings& around, Disk& disk) {
  WalOptions wal;
  wal.log_id = {random_number(), random_number()};
  wal.segment_bytes = log_segment_bytes;
  wal.ballast_bytes = log_segment_bytes;
  if (is_memory_file_system(options.directory)) wal.durability = Durability::crash;
  PAWL_ASSIGN(log, Wal::open(disk, around.clock, wal));
  const std::string checkpoints = options.directory + "/view";
  if (options.view) {
    PAWL_ASSIGN(view, options.view(checkpoints));
  } else {
    PAWL_ASSIGN(view, RocksdbView::open({.directory = checkpoints}, loop, around.telemetry));
  }
  return {};
}

Status PartitionHome::Parts::open_engine(const PartitionSurroundings& around,
                                         Sink<Response>& answers) {
  EngineOptions its;
  its.limits = options.limits;
  its.slot = options.slot;
  its.address = engine_address(options.slot.slot);
  its.seed = random_number();
  its.sweep = !options.brief;
  its.cluster = {random_number(), random_number()};
  its.workers_died = !options.workers_elsewhere;
  if (options.workers_elsewhere) its.link = network_link();
  engine = std::make_unique<Engine>(EnginePorts{loop,
                                                around.clock,
                                                *log,
                                                *view,
                                                around.blob,
                                                evaluator,
                                                evaluations,
                                                around.transport,
                                                around.telemetry,
                                                answers,
                                                note,
                                                {&around.outputs},
                                                around.capacity},
                                    its, std::make_unique<LinuxBackground>(evaluations_at_once));
  PAWL_TRY(engine->recover());
  loop.add(*engine);
  registered = true;
  return {};
}

PartitionHome::PartitionHome(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
PartitionHome::~PartitionHome() = default;

Result<std::unique_ptr<PartitionHome>> PartitionHome::open(const PartitionOptions& options,
                                                           const PartitionSurroundings& around,
                                                           Disk& disk, LinuxLoop& loop,
                                                           Sink<Response>& answers) {
  auto parts = std::make_unique<Parts>(options, loop);
  PAWL_TRY(parts->open_storage(around, disk));
  PAWL_TRY(parts->open_engine(around, answers));
  return std::unique_ptr<PartitionHome>(new PartitionHome(std::move(parts)));
}

Engine& PartitionHome::engine() {
  return *parts_->engine;
}

Evaluator& PartitionHome::evaluator() {
  return parts_->evaluator;
}

Status PartitionHome::close() {
  Engine& engine = *parts_->engine;
  while (!engine.idle() && !engine.failure()) parts_->loop.run_once(Duration::milliseconds(10));
  if (engine.failure()) return *engine.failure();
  return parts_->log->close();
}

}  // namespace pawl
