#include "pawl/app/host.h"

#include "pawl/access/token_authenticator.h"
#include "pawl/adapter/file_blob/file_blob.h"
#include "pawl/adapter/grpc/stream_server.h"
#include "pawl/adapter/inproc/inproc_transport.h"
#include "pawl/adapter/jq/jq_evaluator.h"
#include "pawl/adapter/linux_disk/linux_disk.h"
#include "pawl/adapter/linux_disk/replay_note_file.h"
#include "pawl/adapter/linux_loop/linux_clock.h"
#include "pawl/adapter/rocksdb/rocksdb_view.h"
#include "pawl/adapter/wal/wal.h"
#include "pawl/app/host_metrics.h"
#include "pawl/app/operator_log.h"
#include "pawl/app/random_number.h"
#include "pawl/app/workshop.h"
#include "pawl/isolate/output_files.h"

namespace pawl {
namespace {

// A segment, a spare and the ballast are allocated at once: small, for directories beside a project.
constexpr uint64_t log_segment_bytes = 16 << 20;

std::string output_root(const HostOptions& options) {
  return options.directory + "/output";
}

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
  std::unique_ptr<TokenAuthenticator> authenticator;
  std::unique_ptr<WorkerGate> gate;
  std::unique_ptr<Transport> transport;
  StreamServer* door = nullptr;  // of workers of other processes; it is the transport then
  std::unique_ptr<Mailbox<Evaluation>> evaluations;
  std::unique_ptr<JqEvaluator> evaluator;
  std::unique_ptr<Engine> engine;
  std::unique_ptr<Workshop> workshop;
  std::unique_ptr<HostMetrics> metrics;
  bool registered = false;

  Status open_storage();
  Status open_transport();
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
  bool on_stderr = options.log.chosen && !options.listen.empty();
  telemetry =
      std::make_unique<OperatorLog>(on_stderr ? "" : options.directory + "/pawl.log", options.log);
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

Status Host::Parts::open_transport() {
  if (options.listen.empty()) {
    transport = std::make_unique<InprocTransport>();
    return {};
  }
  StreamServerOptions server;
  server.listen = options.listen;
  server.guest = options.guest;
  if (!options.keys.empty()) {
    PAWL_ASSIGN(authenticator, TokenAuthenticator::open(options.keys, clock, *telemetry));
    gate = std::make_unique<WorkerGate>(*authenticator);
    server.tls = tls_files_in(options.keys, "server");
    server.gate = gate.get();
  }
  PAWL_ASSIGN(std::unique_ptr<StreamServer> opened,
              StreamServer::start(server, {*blob, *outputs}, *telemetry));
  door = opened.get();
  transport = std::move(opened);
  return {};
}

Status Host::Parts::open_engine(Sink<Response>& clients) {
  evaluations = std::make_unique<Mailbox<Evaluation>>(*loop);
  evaluator = std::make_unique<JqEvaluator>(
      JqOptions{.helper = options.programs_directory + "/pawl-jq"}, *evaluations);
  EngineOptions engine_options;
  engine_options.seed = random_number();
  engine_options.sweep = !options.brief;
  engine_options.cluster = {random_number(), random_number()};
  engine_options.workers_died = door == nullptr;
  if (door != nullptr) engine_options.link = network_link();
  engine = std::make_unique<Engine>(EnginePorts{*loop,
                                                clock,
                                                *log,
                                                *view,
                                                *blob,
                                                *evaluator,
                                                *evaluations,
                                                *transport,
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
  WorkshopOptions workers;
  workers.jobs = options.jobs;
  workers.functions = options.functions;
  workers.environment = options.environment;
  workers.working_directory = options.working_directory;
  workers.output_root = output_root(options);
  workers.programs_directory = options.programs_directory;
  workers.incarnation = engine->epoch();
  if (door != nullptr) workers.lease = network_lease;  // theirs ends like any other
  PAWL_ASSIGN(workshop, Workshop::open({*loop, clock, *transport, *telemetry, *blob}, workers));
  return {};
}

Host::Host(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Host::~Host() = default;

Result<std::unique_ptr<Host>> Host::open(HostOptions options, Sink<Response>& clients) {
  if (options.jobs == 0) options.jobs = default_jobs();
  if (options.programs_directory.empty()) options.programs_directory = own_programs_directory();
  auto parts = std::make_unique<Parts>();
  parts->options = std::move(options);
  PAWL_TRY(parts->open_storage());
  PAWL_TRY(parts->open_transport());
  PAWL_TRY(parts->open_engine(clients));
  if (parts->options.work) PAWL_TRY(parts->open_workers());
  parts->metrics =
      std::make_unique<HostMetrics>(parts->options.directory, *parts->telemetry, parts->door);
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
Telemetry& Host::log() {
  return *parts_->telemetry;
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

const MetricSource& Host::metrics() const {
  return *parts_->metrics;
}

const Authenticator* Host::authenticator() const {
  return parts_->authenticator.get();
}

uint16_t Host::port() const {
  return parts_->door != nullptr ? parts_->door->port() : 0;
}

std::vector<Worker*> Host::workers() {
  return parts_->workshop ? parts_->workshop->workers() : std::vector<Worker*>();
}

std::vector<RunningLaunch> Host::running() {
  return parts_->workshop ? parts_->workshop->running() : std::vector<RunningLaunch>();
}

void Host::drain() {
  if (parts_->workshop) parts_->workshop->drain();
}

void Host::abandon() {
  if (parts_->workshop) parts_->workshop->abandon();
}

bool Host::stopped() {
  return !parts_->workshop || parts_->workshop->stopped();
}

Status Host::close() {
  while (!engine().idle() && !engine().failure()) loop().run_once(Duration::milliseconds(10));
  if (engine().failure()) return *engine().failure();
  return parts_->log->close();
}

}  // namespace pawl
