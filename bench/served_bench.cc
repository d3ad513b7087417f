// What a network between engine and worker costs: durable no-op tasks through a server and one worker
// process over loopback gRPC with certificates on both sides, against the least that any such system must
// do, in the same run: a bare relay, which sends tasks of 200 bytes to a worker process over a gRPC stream
// in plain text, takes its answers and writes each durably before it sends the next ones.
//
//   ./dev bench served        (arguments: [tasks] [directory])

#include <fcntl.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "pawl/app/runtime.h"
#include "pawl/app/shift.h"
#include "pawl/v1/workers.pb.h"

extern char** environ;  // NOLINT: the process's own

namespace {

using namespace pawl;
using SteadyClock = std::chrono::steady_clock;

constexpr uint32_t relay_window = 16'384;
constexpr uint64_t record_bytes = 64;
constexpr uint64_t relay_log_bytes = 64 << 20;

double seconds_since(SteadyClock::time_point start) {
  return std::chrono::duration<double>(SteadyClock::now() - start).count();
}

template <class T>
T must(Result<T> result) {
  if (!result.ok()) {
    std::fprintf(stderr, "bench: %s\n", result.error().message.c_str());
    exit(1);
  }
  return std::move(*result);
}

// This program again, as `role`; it ends with us.
class Child {
 public:
  Child(const std::string& role, uint16_t port, const std::string& keys = "") {
    std::string path = std::filesystem::read_symlink("/proc/self/exe").string();
    std::string where = "127.0.0.1:" + std::to_string(port);
    std::vector<std::string> words{path, role, where, keys};
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    PAWL_CHECK(posix_spawn(&pid_, path.c_str(), nullptr, nullptr, argv.data(), environ) == 0,
               "the benchmark can be started again");
  }
  ~Child() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }

 private:
  pid_t pid_ = 0;
};

// ---- the bare relay

grpc::ByteBuffer buffer_of(const v1::Reports& message) {
  grpc::Slice slice(message.SerializeAsString());
  return {&slice, 1};
}

v1::Reports reports_in(const grpc::ByteBuffer& buffer) {
  grpc::Slice whole;
  v1::Reports message;
  if (buffer.DumpToSingleSlice(&whole).ok())
    PAWL_CHECK(message.ParseFromArray(whole.begin(), static_cast<int>(whole.size())),
               "what was sent can be read");
  return message;
}

bool next(grpc::CompletionQueue& queue) {
  void* tag = nullptr;
  bool ok = false;
  return queue.Next(&tag, &ok) && ok;
}

// Answers each task with its number.
int relay_worker(const std::string& where) {
  grpc::GenericStub stub(grpc::CreateChannel(where, grpc::InsecureChannelCredentials()));
  grpc::CompletionQueue queue;
  grpc::ClientContext context;
  auto stream = stub.PrepareCall(&context, "/relay/Connect", &queue);
  stream->StartCall(nullptr);
  PAWL_CHECK(next(queue), "the relay is there");
  v1::Reports done;
  for (;;) {
    grpc::ByteBuffer incoming;
    stream->Read(&incoming, nullptr);
    if (!next(queue)) return 0;
    v1::Reports tasks = reports_in(incoming);
    done.clear_reports();
    for (const v1::AttemptReport& task : tasks.reports()) {
      v1::AttemptReport& one = *done.add_reports();
      *one.mutable_range() = task.range();
      one.set_attempt(task.attempt());
      one.set_nonce(task.nonce());
      one.set_succeeded(true);
    }
    stream->Write(buffer_of(done), nullptr);
    if (!next(queue)) return 0;
  }
}

// Preallocated, and every write is durable when it returns.
class RelayLog {
 public:
  explicit RelayLog(const std::string& path) {
    fd_ = open(path.c_str(), O_RDWR | O_CREAT | O_DSYNC, 0600);
    std::vector<char> block(1 << 20, 'x');
    for (uint64_t at = 0; at < relay_log_bytes; at += block.size())
      (void)!pwrite(fd_, block.data(), block.size(), static_cast<off_t>(at));
    records_.resize(relay_window * record_bytes, 'r');
  }
  ~RelayLog() { close(fd_); }
  void append(uint64_t records) {
    uint64_t bytes = records * record_bytes;
    if (at_ + bytes > relay_log_bytes) at_ = 0;
    PAWL_CHECK(
        pwrite(fd_, records_.data(), bytes, static_cast<off_t>(at_)) == static_cast<ssize_t>(bytes),
        "the relay's log takes it");
    at_ += bytes;
  }

 private:
  int fd_ = -1;
  uint64_t at_ = 0;
  std::vector<char> records_;
};

double bare_relay(const std::string& directory, uint64_t tasks, uint32_t batch) {
  RelayLog log(directory + "/relay");
  grpc::AsyncGenericService service;
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterAsyncGenericService(&service);
  auto queue = builder.AddCompletionQueue();
  auto server = builder.BuildAndStart();
  Child worker("relay-worker", static_cast<uint16_t>(port));
  grpc::GenericServerContext context;
  grpc::GenericServerAsyncReaderWriter stream(&context);
  service.RequestCall(&context, &stream, queue.get(), queue.get(), nullptr);
  PAWL_CHECK(next(*queue), "the relay's worker comes");

  int read_tag = 0;
  int write_tag = 0;
  grpc::ByteBuffer incoming;
  uint64_t sent = 0;
  uint64_t done = 0;
  bool writing = false;
  auto send = [&] {
    if (writing || sent == tasks || sent - done + batch > relay_window) return;
    v1::Reports message;
    for (uint32_t i = 0; i < batch && sent < tasks; ++i, ++sent) {
      v1::AttemptReport& task = *message.add_reports();
      task.mutable_range()->set_execution(sent);
      task.set_attempt(1);
      task.set_nonce(sent * 0x9e3779b97f4a7c15);
      task.set_error(std::string(200, 'p'));
    }
    writing = true;
    stream.Write(buffer_of(message), &write_tag);
  };
  auto start = SteadyClock::now();
  stream.Read(&incoming, &read_tag);
  send();
  while (done < tasks) {
    void* tag = nullptr;
    bool ok = false;
    PAWL_CHECK(queue->Next(&tag, &ok) && ok, "the relay's stream holds");
    if (tag == &write_tag) {
      writing = false;
    } else {
      uint64_t count = static_cast<uint64_t>(reports_in(incoming).reports_size());
      log.append(count);
      done += count;
      if (done < tasks) stream.Read(&incoming, &read_tag);
    }
    send();
  }
  double rate = static_cast<double>(tasks) / seconds_since(start);
  context.TryCancel();
  server->Shutdown(std::chrono::system_clock::now());
  queue->Shutdown();
  void* tag = nullptr;
  bool ok = false;
  while (queue->Next(&tag, &ok)) {
  }
  return rate;
}

// ---- Pawl

int pawl_worker(const std::string& where, const std::string& keys) {
  FunctionRegistry functions;
  PAWL_CHECK(
      functions.add("nothing", [](FunctionCall&) -> Result<std::string> { return std::string(); })
          .ok(),
      "the first function of its name");
  cli::ShiftRequest request;
  request.server = where;
  request.name = "bench";
  request.jobs = 2;
  request.keys = keys;
  auto shift = must(start_shift(request, &functions));
  for (;;) shift->loop().run_once(Duration::seconds(1));
}

Workflow no_ops(uint32_t items) {
  Workflow workflow;
  workflow.name = "no_ops";
  Node node;
  node.id = "n";
  node.type = NodeType::function;
  node.function = "nothing";
  node.with = {{{"null", {}}}};
  if (items > 1) node.for_each = make_expression(std::to_string(items));
  workflow.nodes.push_back(std::move(node));
  PAWL_CHECK(finish(workflow).ok(), "it is a workflow");
  return workflow;
}

double mapped(Runtime& runtime, uint32_t tasks) {
  WorkflowId id = must(runtime.register_workflow(no_ops(tasks)));
  auto start = SteadyClock::now();
  ExecutionResult result = must(runtime.run(id, "{}"));
  PAWL_CHECK(result.status == ExecutionStatus::succeeded, "a no-op does not fail");
  return tasks / seconds_since(start);
}

// Executions of one task each; submitted first, so that only their way through the worker is measured.
double singles(Runtime& runtime, uint32_t tasks) {
  WorkflowId id = must(runtime.register_workflow(no_ops(1)));
  constexpr uint32_t part = 10'000;
  std::vector<ExecutionId> last;
  auto start = SteadyClock::now();
  for (uint32_t begun = 0; begun < tasks; begun += part)
    last = must(runtime.start_many(id, std::vector<std::string>(part, "{}")));
  for (ExecutionId one : last) (void)must(runtime.wait(one));
  return tasks / seconds_since(start);
}

// Pawl's own authority, as `pawl init` makes it.
std::string made_keys(const std::string& directory) {
  std::string keys = directory + "/keys";
  std::string command =
      (std::filesystem::read_symlink("/proc/self/exe").parent_path() / "pawl").string() +
      " init --dir " + keys + " > /dev/null";
  PAWL_CHECK(system(command.c_str()) == 0, "keys can be made");
  return keys;
}

void pawl(const FunctionRegistry& none, const std::string& directory, const std::string& keys,
          uint32_t tasks, double floor) {
  auto runtime = must(Runtime::open(
      {.directory = directory, .jobs = 1, .listen = "127.0.0.1:0", .keys = keys}, none));
  Child worker("pawl-worker", runtime->port(), keys);
  (void)mapped(*runtime, 1000);
  const char* how = keys.empty() ? "plain text  " : "certificates";
  double ranges = mapped(*runtime, tasks);
  std::printf("pawl, %s, items of one mapped node       %9.0f tasks/s  %5.2f of the relay\n", how,
              ranges, ranges / floor);
  double alone = singles(*runtime, tasks / 5);
  std::printf("pawl, %s, executions of one task each    %9.0f tasks/s  %5.2f of the relay\n", how,
              alone, alone / floor);
}

int measure(uint32_t tasks, const std::string& directory) {
  double floor = 0;
  for (uint32_t batch : {16u, 64u, 256u}) {
    double rate = bare_relay(directory, batch == 16 ? tasks / 4 : tasks, batch);
    floor = std::max(floor, rate);
    std::printf("bare durable relay, %3u a message                   %9.0f tasks/s\n", batch, rate);
  }
  FunctionRegistry none;
  for (bool tls : {true, false}) {
    std::string keys = tls ? made_keys(directory) : "";
    pawl(none, directory + (tls ? "/tls" : "/plain"), keys, tasks, floor);
  }
  std::printf("aim: 0.35 of the relay with certificates; 0.5 is better\n");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::string role = argc > 3 ? argv[1] : "";
  if (role == "relay-worker" || role == "pawl-worker") {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    return role == "relay-worker" ? relay_worker(argv[2]) : pawl_worker(argv[2], argv[3]);
  }
  uint32_t tasks = argc > 1 ? static_cast<uint32_t>(std::stoul(argv[1])) : 1'000'000;
  std::string base = argc > 2 ? argv[2] : std::filesystem::temp_directory_path().string();
  std::string directory = base + "/pawl-bench-XXXXXX";
  if (mkdtemp(directory.data()) == nullptr) return 1;
  int code = measure(tasks, directory);
  std::filesystem::remove_all(directory);
  return code;
}
