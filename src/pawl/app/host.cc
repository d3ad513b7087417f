#include "pawl/app/host.h"

#include <algorithm>

#include "pawl/access/token_authenticator.h"
#include "pawl/adapter/file_blob/file_blob.h"
#include "pawl/adapter/grpc/stream_server.h"
#include "pawl/adapter/inproc/inproc_transport.h"
#include "pawl/adapter/linux_disk/linux_disk.h"
#include "pawl/adapter/linux_disk/partition_layout.h"
#include "pawl/adapter/linux_loop/linux_clock.h"
#include "pawl/app/engine_gate.h"
#include "pawl/app/host_metrics.h"
#include "pawl/app/machine.h"
#include "pawl/app/operator_log.h"
#include "pawl/app/partition_thread.h"
#include "pawl/app/workshop.h"
#include "pawl/engine/shared_capacity.h"
#include "pawl/isolate/output_files.h"

namespace pawl {
namespace {

// The rest is for their history, the log on its way, ended executions, clients, and whoever else is there.
constexpr uint64_t memory_share = 4;

std::string output_root(const HostOptions& options) {
  return options.directory + "/output";
}

}  // namespace

// In the order in which they need each other; destroyed from the last to the first.
struct Host::Parts {
  Parts() = default;
  Parts(const Parts&) = delete;
  Parts& operator=(const Parts&) = delete;
  ~Parts() {
    if (grants) grants->close();
  }

  HostOptions options;
  LinuxClock clock;
  std::unique_ptr<LinuxLoop> loop;
  std::unique_ptr<Disk> disk;
  std::unique_ptr<OperatorLog> telemetry;
  std::unique_ptr<FileBlob> blob;
  std::unique_ptr<OutputFiles> outputs;
  std::unique_ptr<TokenAuthenticator> authenticator;
  std::unique_ptr<WorkerGate> gate;
  std::unique_ptr<EngineGate> grants;
  std::unique_ptr<Transport> transport;
  StreamServer* door = nullptr;  // of workers of other processes; it is the transport then
  std::unique_ptr<SharedCapacity> capacity;
  std::unique_ptr<PartitionHome> first;
  std::vector<std::unique_ptr<PartitionThread>> others;  // by slot, from 1
  std::unique_ptr<Workshop> workshop;
  std::unique_ptr<HostMetrics> metrics;

  Status open_storage();
  Status open_transport();
  Status open_partitions(const std::vector<Sink<Response>*>& answers);
  Status open_workers();
};

Status Host::Parts::open_storage() {
  PAWL_ASSIGN(loop, LinuxLoop::create(clock));
  LinuxDiskOptions disk_options;
  disk_options.wake = loop.get();
  PAWL_ASSIGN(disk, open_linux_disk(options.directory, disk_options));
  PAWL_ASSIGN(options.partitions, settle_partitions(*disk, options.partitions));
  bool on_stderr = options.log.chosen && !options.listen.empty();
  telemetry =
      std::make_unique<OperatorLog>(on_stderr ? "" : options.directory + "/pawl.log", options.log);
  blob = std::make_unique<FileBlob>(*disk);
  outputs = std::make_unique<OutputFiles>(output_root(options));
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
  grants = std::make_unique<EngineGate>(clock);
  if (!options.keys.empty()) {
    PAWL_ASSIGN(authenticator, TokenAuthenticator::open(options.keys, clock, *telemetry));
    gate = std::make_unique<WorkerGate>(*authenticator);
    server.tls = tls_files_in(options.keys, "server");
    server.gate = gate.get();
  }
  PAWL_ASSIGN(std::unique_ptr<StreamServer> opened,
              StreamServer::start(server, {*blob, *outputs, grants.get()}, *telemetry));
  door = opened.get();
  transport = std::move(opened);
  return {};
}

// One after the other: what a process dies of while it replays is told by partition.
Status Host::Parts::open_partitions(const std::vector<Sink<Response>*>& answers) {
  const uint32_t count = options.partitions;
  if (count > answers.size())
    return Error{Code::failed_precondition, "state directory " + options.directory + " has " +
                                                std::to_string(count) +
                                                " partitions; serve it with `pawl server`"};
  if (count > 1) capacity = std::make_unique<SharedCapacity>(count, clock);
  PartitionSurroundings around{clock, *telemetry, *blob, *outputs, *transport, capacity.get()};
  for (uint32_t slot = 0; slot < count; ++slot) {
    PartitionOptions its;
    its.directory = partition_directory(options.directory, slot);
    its.slot = {slot, count};
    its.programs_directory = options.programs_directory;
    its.view = options.view;
    its.brief = options.brief;
    its.limits = options.limits;
    its.limits.open_bytes_max = std::max<uint64_t>(1, options.memory / count);
    its.workers_elsewhere = door != nullptr;
    if (slot == 0) {
      PAWL_ASSIGN(first, PartitionHome::open(its, around, *disk, *loop, *answers[slot]));
    } else {
      PAWL_ASSIGN(std::unique_ptr<PartitionThread> opened,
                  PartitionThread::start(its, around, *answers[slot]));
      others.push_back(std::move(opened));
    }
  }
  if (!grants) return {};
  std::vector<Engine*> engines = {&first->engine()};
  for (const auto& partition : others) engines.push_back(&partition->engine());
  grants->open(std::move(engines));
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
  workers.incarnation = first->engine().epoch();
  if (door != nullptr) workers.lease = network_lease;  // theirs ends like any other
  PAWL_ASSIGN(workshop, Workshop::open({*loop, clock, *transport, *telemetry, *blob}, workers));
  return {};
}

Host::Host(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Host::~Host() = default;

Result<std::unique_ptr<Host>> Host::open(HostOptions options,
                                         const std::vector<Sink<Response>*>& answers) {
  if (options.jobs == 0) options.jobs = default_jobs();
  if (options.memory == 0) options.memory = memory_to_use() / memory_share;
  if (options.programs_directory.empty()) options.programs_directory = own_programs_directory();
  auto parts = std::make_unique<Parts>();
  parts->options = std::move(options);
  PAWL_TRY(parts->open_storage());
  PAWL_TRY(parts->open_transport());
  PAWL_TRY(parts->open_partitions(answers));
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
uint32_t Host::partitions() const {
  return parts_->options.partitions;
}
Engine& Host::engine(uint32_t slot) {
  return slot == 0 ? parts_->first->engine() : parts_->others[slot - 1]->engine();
}
bool Host::failed() const {
  return parts_->first->engine().failure() ||
         std::any_of(parts_->others.begin(), parts_->others.end(),
                     [](const auto& partition) { return partition->failed(); });
}
Disk& Host::disk() {
  return *parts_->disk;
}
Blob& Host::blob() {
  return *parts_->blob;
}
OutputStore& Host::outputs() {
  return *parts_->outputs;
}
Telemetry& Host::log() {
  return *parts_->telemetry;
}
Evaluator& Host::evaluator() {
  return parts_->first->evaluator();
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

void Host::abandon() {
  if (parts_->workshop) parts_->workshop->abandon();
}

bool Host::stopped() {
  return !parts_->workshop || parts_->workshop->stopped();
}

Status Host::close() {
  if (parts_->grants) parts_->grants->close();
  Status closed = parts_->first->close();
  for (auto& partition : parts_->others) {
    if (Status other = partition->close(); closed.ok()) closed = std::move(other);
  }
  return closed;
}

}  // namespace pawl
