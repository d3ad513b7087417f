#include "pawl/app/host.h"

#include <limits.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "pawl/adapter/file_blob/file_blob.h"
#include "pawl/adapter/inproc/inproc_transport.h"
#include "pawl/adapter/jq/jq_evaluator.h"
#include "pawl/adapter/linux_disk/linux_disk.h"
#include "pawl/adapter/linux_disk/replay_note_file.h"
#include "pawl/adapter/linux_loop/linux_clock.h"
#include "pawl/adapter/rocksdb/rocksdb_view.h"
#include "pawl/adapter/wal/wal.h"
#include "pawl/app/operator_log.h"
#include "pawl/isolate/attempt_renderer.h"
#include "pawl/isolate/function.h"
#include "pawl/isolate/function_executor.h"
#include "pawl/isolate/output_files.h"
#include "pawl/isolate/process_executor.h"
#include "pawl/isolate/transform.h"

extern char** environ;  // NOLINT: the process's own

namespace pawl {
namespace {

constexpr Address processes_address = 2;
constexpr Address functions_address = 3;
// More than the slots, so that none idles while the next grant becomes durable.
constexpr uint32_t process_credit_per_slot = 8;
constexpr uint32_t function_credit = 16'384;
// A segment, a spare and the ballast are allocated at once: small, for directories beside a project.
constexpr uint64_t log_segment_bytes = 16 << 20;

uint64_t random_number() {
  uint64_t number = 0;
  PAWL_CHECK(getrandom(&number, sizeof number, 0) == sizeof number,
             "the system gives no randomness");
  return number;
}

std::vector<std::string> own_environment() {
  std::vector<std::string> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) environment.emplace_back(*entry);
  return environment;
}

std::string own_directory() {
  char path[PATH_MAX];
  ssize_t length = readlink("/proc/self/exe", path, sizeof path);
  if (length <= 0) return ".";
  std::string program(path, static_cast<size_t>(length));
  return program.substr(0, program.rfind('/'));
}

std::string output_root(const HostOptions& options) {
  return options.directory + "/output";
}

// What the engine and the workers of one process share.
struct Surroundings {
  LinuxLoop& loop;
  Clock& clock;
  Transport& transport;
  Telemetry& telemetry;
  Blob& blob;
};

// What runs attempts.
class Workshop {
 public:
  Workshop(const Surroundings& around, const std::string& jq_helper)
      : around_(around),
        evaluations_(around.loop),
        evaluator_(JqOptions{.helper = jq_helper}, evaluations_),
        expressions_(evaluator_, evaluations_, around.blob, around.loop),
        renderer_(expressions_),
        process_news_(around.loop),
        function_news_(around.loop),
        transform_(expressions_, around.blob, process_news_) {}

  Status start_processes(const HostOptions& options, uint64_t incarnation) {
    ProcessRunnerOptions runner;
    runner.environment = options.environment;
    runner.directory = options.working_directory;
    runner.output_root = output_root(options);
    runner.guardian = {options.programs_directory + "/pawl-guardian"};
    PAWL_ASSIGN(process_, ProcessExecutor::create(around_.loop, around_.clock, runner, renderer_,
                                                  around_.blob, process_news_));
    WorkerSpec spec;
    spec.name = "processes";
    spec.slots = std::min(options.jobs, process_->max_slots());
    spec.credit = spec.slots * process_credit_per_slot;
    spec.node_types = 1u << static_cast<unsigned>(NodeType::process) |
                      1u << static_cast<unsigned>(NodeType::transform);
    process_worker_ =
        worker(std::move(spec), processes_address, incarnation,
               Executors{{NodeType::process, process_.get()}, {NodeType::transform, &transform_}},
               process_news_);
    return {};
  }

  void start_functions(const HostOptions& options, uint64_t incarnation) {
    function_ =
        std::make_unique<FunctionExecutor>(*options.functions, options.jobs, around_.loop,
                                           around_.clock, renderer_, around_.blob, function_news_);
    WorkerSpec spec;
    spec.name = "functions";
    spec.slots = options.jobs;
    spec.credit = function_credit;
    spec.node_types = 1u << static_cast<unsigned>(NodeType::function);
    spec.functions = options.functions->names();
    function_worker_ = worker(std::move(spec), functions_address, incarnation,
                              Executors{{NodeType::function, function_.get()}}, function_news_);
  }

  std::vector<Worker*> workers() const {
    std::vector<Worker*> workers;
    if (process_worker_) workers.push_back(process_worker_.get());
    if (function_worker_) workers.push_back(function_worker_.get());
    return workers;
  }

 private:
  std::unique_ptr<Worker> worker(WorkerSpec spec, Address address, uint64_t incarnation,
                                 Executors executors, Mailbox<ExecutorNews>& news) {
    WorkerOptions options;
    options.address = address;
    options.incarnation = incarnation;
    options.spec = std::move(spec);
    options.spec.lease = Duration::forever();  // it lives and pauses together with the engine
    return std::make_unique<Worker>(std::move(options), std::move(executors), around_.clock,
                                    around_.loop, around_.transport, news, around_.telemetry);
  }

  Surroundings around_;
  Mailbox<Evaluation> evaluations_;
  JqEvaluator evaluator_;
  Expressions expressions_;
  AttemptRenderer renderer_;
  Mailbox<ExecutorNews> process_news_;
  Mailbox<ExecutorNews> function_news_;
  TransformExecutor transform_;
  std::unique_ptr<ProcessExecutor> process_;
  std::unique_ptr<FunctionExecutor> function_;
  std::unique_ptr<Worker> process_worker_;
  std::unique_ptr<Worker> function_worker_;
};

}  // namespace

// In the order in which they need each other; destroyed from the last to the first.
struct Host::Parts {
  HostOptions options;
  LinuxClock clock;
  std::unique_ptr<LinuxLoop> loop;
  std::unique_ptr<Disk> disk;
  std::unique_ptr<OperatorLog> telemetry;
  std::unique_ptr<Wal> log;
  std::unique_ptr<RocksdbView> view;
  std::unique_ptr<FileBlob> blob;
  std::unique_ptr<OutputFiles> outputs;
  std::unique_ptr<ReplayNoteFile> note;
  InprocTransport transport;
  std::unique_ptr<Mailbox<Evaluation>> evaluations;
  std::unique_ptr<JqEvaluator> evaluator;
  std::unique_ptr<Engine> engine;
  std::unique_ptr<Workshop> workshop;
  bool registered = false;

  Status open_storage();
  Status open_engine(Sink<Response>& clients);
  Status open_workers();
  ~Parts() {
    workshop.reset();
    if (registered) loop->remove(*engine);
  }
};

Status Host::Parts::open_storage() {
  PAWL_ASSIGN(loop, LinuxLoop::create(clock));
  LinuxDiskOptions disk_options;
  disk_options.wake = loop.get();
  PAWL_ASSIGN(disk, open_linux_disk(options.directory, disk_options));
  telemetry = std::make_unique<OperatorLog>(options.directory + "/pawl.log");
  WalOptions wal;
  wal.log_id = {random_number(), random_number()};
  wal.segment_bytes = log_segment_bytes;
  wal.ballast_bytes = log_segment_bytes;
  if (is_memory_file_system(options.directory)) wal.durability = Durability::crash;
  PAWL_ASSIGN(log, Wal::open(*disk, clock, wal));
  RocksdbViewOptions view_options;
  view_options.directory = options.directory + "/view";
  PAWL_ASSIGN(view, RocksdbView::open(view_options, *loop, *telemetry));
  blob = std::make_unique<FileBlob>(*disk);
  outputs = std::make_unique<OutputFiles>(output_root(options));
  note = std::make_unique<ReplayNoteFile>(options.directory + "/replay.note");
  return {};
}

Status Host::Parts::open_engine(Sink<Response>& clients) {
  evaluations = std::make_unique<Mailbox<Evaluation>>(*loop);
  evaluator = std::make_unique<JqEvaluator>(
      JqOptions{.helper = options.programs_directory + "/pawl-jq"}, *evaluations);
  EngineOptions engine_options;
  engine_options.seed = random_number();
  engine_options.sweep = options.work;  // whoever only looks is gone in a moment
  engine_options.cluster = {random_number(), random_number()};
  engine = std::make_unique<Engine>(EnginePorts{*loop,
                                                clock,
                                                *log,
                                                *view,
                                                *blob,
                                                *evaluator,
                                                *evaluations,
                                                transport,
                                                *telemetry,
                                                clients,
                                                *note,
                                                {outputs.get()}},
                                    engine_options);
  PAWL_TRY(engine->recover());
  loop->add(*engine);
  registered = true;
  return {};
}

Status Host::Parts::open_workers() {
  workshop = std::make_unique<Workshop>(Surroundings{*loop, clock, transport, *telemetry, *blob},
                                        options.programs_directory + "/pawl-jq");
  uint64_t incarnation = engine->epoch();
  PAWL_TRY(workshop->start_processes(options, incarnation));
  if (options.functions != nullptr && !options.functions->names().empty())
    workshop->start_functions(options, incarnation);
  return {};
}

Host::Host(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Host::~Host() = default;

Result<std::unique_ptr<Host>> Host::open(HostOptions options, Sink<Response>& clients) {
  if (options.jobs == 0) options.jobs = std::max(1u, std::thread::hardware_concurrency());
  if (options.environment.empty()) options.environment = own_environment();
  if (options.programs_directory.empty()) options.programs_directory = own_directory();
  auto parts = std::make_unique<Parts>();
  parts->options = std::move(options);
  PAWL_TRY(parts->open_storage());
  PAWL_TRY(parts->open_engine(clients));
  if (parts->options.work) PAWL_TRY(parts->open_workers());
  return std::unique_ptr<Host>(new Host(std::move(parts)));
}

LinuxLoop& Host::loop() {
  return *parts_->loop;
}
Clock& Host::clock() {
  return parts_->clock;
}
Engine& Host::engine() {
  return *parts_->engine;
}
Blob& Host::blob() {
  return *parts_->blob;
}
Evaluator& Host::evaluator() {
  return *parts_->evaluator;
}
uint32_t Host::jobs() const {
  return parts_->options.jobs;
}
const std::string& Host::directory() const {
  return parts_->options.directory;
}

std::vector<Worker*> Host::workers() {
  return parts_->workshop ? parts_->workshop->workers() : std::vector<Worker*>();
}

std::vector<RunningLaunch> Host::running() {
  std::vector<RunningLaunch> running;
  for (Worker* worker : workers()) {
    std::vector<RunningLaunch> more = worker->running();
    running.insert(running.end(), more.begin(), more.end());
  }
  return running;
}

void Host::drain() {
  for (Worker* worker : workers()) worker->drain();
}

void Host::abandon() {
  for (Worker* worker : workers()) worker->abandon();
}

bool Host::stopped() {
  for (Worker* worker : workers()) {
    if (!worker->gone()) return false;
  }
  return true;
}

Status Host::close() {
  while (!engine().idle() && !engine().failure()) loop().run_once(Duration::milliseconds(10));
  if (engine().failure()) return *engine().failure();
  return parts_->log->close();
}

}  // namespace pawl
