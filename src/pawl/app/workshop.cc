#include "pawl/app/workshop.h"

#include <limits.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "pawl/adapter/jq/jq_evaluator.h"
#include "pawl/adapter/linux_loop/linux_background.h"
#include "pawl/app/machine.h"
#include "pawl/isolate/attempt_renderer.h"
#include "pawl/isolate/function.h"
#include "pawl/isolate/function_executor.h"
#include "pawl/isolate/process_executor.h"
#include "pawl/isolate/transform.h"
#include "pawl/worker/held_news.h"

extern char** environ;  // NOLINT: the process's own

namespace pawl {
namespace {

// More than the slots, so that none idles while the next grant becomes durable.
constexpr uint32_t process_credit_per_slot = 8;
constexpr uint32_t function_credit = 16'384;
constexpr uint32_t payload_calls = 4;  // at once

std::vector<std::string> own_environment() {
  std::vector<std::string> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) environment.emplace_back(*entry);
  return environment;
}

// What is not named is as this machine has it.
Amounts with_machine(Amounts named) {
  for (const Amount& one : machine_capacity()) {
    bool told = std::any_of(named.begin(), named.end(),
                            [&](const Amount& known) { return known.name == one.name; });
    if (!told) named.push_back(one);
  }
  std::sort(named.begin(), named.end(),
            [](const Amount& a, const Amount& b) { return a.name < b.name; });
  return named;
}

constexpr uint32_t bit_of(NodeType type) {
  return 1u << static_cast<unsigned>(type);
}

}  // namespace

// In the order in which they need each other.
struct Workshop::Parts {
  Parts(const Surroundings& surroundings, WorkshopOptions given)
      : around(surroundings),
        options(std::move(given)),
        evaluations(around.loop),
        evaluator(JqOptions{.helper = options.programs_directory + "/pawl-jq"}, evaluations),
        desk(around.payloads, around.loop, std::make_unique<LinuxBackground>(payload_calls)),
        expressions(evaluator, evaluations, desk, around.loop),
        renderer(expressions),
        process_news(around.loop),
        function_news(around.loop),
        held_news(desk, around.loop, process_news),
        transform(expressions, desk, held_news) {}

  Status start_processes();
  void start_functions();
  std::unique_ptr<Worker> worker(WorkerSpec spec, Address address, Executors executors,
                                 Mailbox<ExecutorNews>& news) const;

  Surroundings around;
  WorkshopOptions options;
  Mailbox<Evaluation> evaluations;
  JqEvaluator evaluator;
  // What runs on the loop's thread must not wait; functions have threads of their own.
  PayloadDesk desk;
  Expressions expressions;
  AttemptRenderer renderer;
  Mailbox<ExecutorNews> process_news;
  Mailbox<ExecutorNews> function_news;
  HeldNews held_news;  // in front of process_news
  TransformExecutor transform;
  mutable ProcessMeter meter;
  std::unique_ptr<ProcessExecutor> process;
  std::unique_ptr<FunctionExecutor> function;
  std::unique_ptr<Worker> process_worker;
  std::unique_ptr<Worker> function_worker;
};

Status Workshop::Parts::start_processes() {
  ProcessRunnerOptions runner;
  runner.environment = options.environment;
  runner.directory = options.working_directory;
  runner.output_root = options.output_root;
  runner.copies = options.output_copies;
  runner.guardian = {options.programs_directory + "/pawl-guardian"};
  PAWL_ASSIGN(process, ProcessExecutor::create(around.loop, around.clock, runner, renderer, desk,
                                               held_news));
  WorkerSpec spec = options.offer;
  spec.name = options.name.empty() ? "processes" : options.name;
  spec.slots = std::min(options.jobs, process->max_slots());
  spec.credit = spec.slots * process_credit_per_slot;
  spec.node_types = bit_of(NodeType::process) | bit_of(NodeType::transform);
  process_worker =
      worker(std::move(spec), options.first_address,
             Executors{{NodeType::process, process.get()}, {NodeType::transform, &transform}},
             process_news);
  return {};
}

void Workshop::Parts::start_functions() {
  function =
      std::make_unique<FunctionExecutor>(*options.functions, options.jobs, around.loop,
                                         around.clock, renderer, around.payloads, function_news);
  WorkerSpec spec = options.offer;
  spec.name = options.name.empty() ? "functions" : options.name + "/functions";
  spec.slots = options.jobs;
  spec.credit = function_credit;
  spec.node_types = bit_of(NodeType::function);
  spec.functions = options.functions->names();
  function_worker = worker(std::move(spec), options.first_address + 1,
                           Executors{{NodeType::function, function.get()}}, function_news);
}

std::unique_ptr<Worker> Workshop::Parts::worker(WorkerSpec spec, Address address,
                                                Executors executors,
                                                Mailbox<ExecutorNews>& news) const {
  WorkerOptions worker;
  worker.address = address;
  worker.incarnation = options.incarnation;
  worker.spec = std::move(spec);
  worker.spec.lease = options.lease;
  worker.link = options.link;
  worker.meter = &meter;
  return std::make_unique<Worker>(std::move(worker), std::move(executors), around.clock,
                                  around.loop, around.transport, news, around.telemetry);
}

Workshop::Workshop(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Workshop::~Workshop() = default;

Result<std::unique_ptr<Workshop>> Workshop::open(const Surroundings& around,
                                                 WorkshopOptions options) {
  if (options.jobs == 0) options.jobs = default_jobs();
  options.offer.capacity = with_machine(std::move(options.offer.capacity));
  if (options.environment.empty()) options.environment = own_environment();
  if (options.programs_directory.empty()) options.programs_directory = own_programs_directory();
  auto parts = std::make_unique<Parts>(around, std::move(options));
  PAWL_TRY(parts->start_processes());
  const FunctionRegistry* functions = parts->options.functions;
  if (functions != nullptr && !functions->names().empty()) parts->start_functions();
  return std::unique_ptr<Workshop>(new Workshop(std::move(parts)));
}

std::vector<Worker*> Workshop::workers() const {
  std::vector<Worker*> workers;
  if (parts_->process_worker) workers.push_back(parts_->process_worker.get());
  if (parts_->function_worker) workers.push_back(parts_->function_worker.get());
  return workers;
}

std::vector<RunningLaunch> Workshop::running() const {
  std::vector<RunningLaunch> running;
  for (const Worker* worker : workers()) {
    std::vector<RunningLaunch> more = worker->running();
    running.insert(running.end(), more.begin(), more.end());
  }
  return running;
}

PayloadReads Workshop::payload_reads() const {
  return parts_->desk.reads();
}

bool Workshop::connected() const {
  std::vector<Worker*> all = workers();
  return std::all_of(all.begin(), all.end(),
                     [](const Worker* worker) { return worker->connected(); });
}

void Workshop::drain() {
  for (Worker* worker : workers()) worker->drain();
}

void Workshop::abandon() {
  for (Worker* worker : workers()) worker->abandon();
}

bool Workshop::stopped() const {
  std::vector<Worker*> all = workers();
  return std::all_of(all.begin(), all.end(), [](const Worker* worker) { return worker->gone(); });
}

// What a broken connection loses is sent again soon, for a lease is short.
LinkOptions network_link() {
  LinkOptions link;
  link.retransmit_max = Duration::seconds(1);
  return link;
}

std::string own_programs_directory() {
  char path[PATH_MAX];
  ssize_t length = readlink("/proc/self/exe", path, sizeof path);
  if (length <= 0) return ".";
  std::string program(path, static_cast<size_t>(length));
  return program.substr(0, program.rfind('/'));
}

uint32_t default_jobs() {
  return std::max(1u, std::thread::hardware_concurrency());
}

}  // namespace pawl
