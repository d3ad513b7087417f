#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "pawl/adapter/linux_disk/linux_disk.h"
#include "pawl/adapter/linux_loop/linux_clock.h"
#include "pawl/cli/each_job.h"
#include "pawl/cli/table.h"
#include "pawl/cli/verbs.h"
#include "pawl/isolate/function.h"

namespace pawl::cli {
namespace {

constexpr uint64_t commit_bytes = 4096;
constexpr uint64_t bare_commits = 1000;
constexpr int single_tasks = 200;
constexpr int function_rounds = 3;
constexpr uint64_t function_tasks = 1'000'000;
constexpr uint64_t mapped_tasks = 10'000;
constexpr uint64_t processes = 1000;

constexpr const char* one_task = R"({"name":"one","nodes":{"a":{"transform":".input.n"}}})";
constexpr const char* many_functions =
    R"({"name":"functions","nodes":{"a":{"for_each":"${ .input.n }","function":"nothing"}}})";
constexpr const char* many_tasks =
    R"({"name":"many","nodes":{"a":{"for_each":"${ .input.n }","transform":".item"}}})";

double seconds(Duration duration) {
  return static_cast<double>(duration.ns) / 1e9;
}

Duration median(std::vector<Duration> times) {
  std::sort(times.begin(), times.end());
  return times.empty() ? Duration{} : times[times.size() / 2];
}

std::string microseconds(Duration duration) {
  return with_commas(static_cast<uint64_t>(duration.ns / 1000)) + " us";
}

std::string ratio(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f", value);
  return text;
}

// What the disk gives: one durable write after the other.
Result<Duration> bare_commit(const std::string& directory, Clock& clock) {
  PAWL_ASSIGN(std::unique_ptr<Disk> disk, open_linux_disk(directory + "/bare"));
  PAWL_ASSIGN(std::unique_ptr<File> file, disk->create("file", bare_commits * commit_bytes));
  std::string block(commit_bytes, 'x');
  std::vector<Duration> times;
  for (uint64_t i = 0; i < bare_commits; ++i) {
    Instant begin = clock.monotonic();
    PAWL_TRY(file->write(i * commit_bytes, block));
    times.push_back(clock.monotonic() - begin);
  }
  return median(std::move(times));
}

Result<Duration> run_whole(Client& client, Clock& clock, const std::string& definition,
                           const std::string& input) {
  Instant begin = clock.monotonic();
  SubmitRequest request;
  request.definition = definition;
  request.file_name = "bench";
  request.input_json = input;
  PAWL_ASSIGN(ExecutionId id, client.submit(std::move(request)));
  PAWL_ASSIGN(Settlement end, client.await(id));
  if (end.status != ExecutionStatus::succeeded) {
    return Error{Code::internal, "a task of the benchmark failed"};
  }
  return clock.monotonic() - begin;
}

std::string input_n(uint64_t n) {
  return "{\"n\":" + std::to_string(n) + "}";
}

Result<Duration> run_functions(Client& client, Clock& clock) {
  std::vector<Duration> times;
  for (int i = 0; i < function_rounds; ++i) {
    PAWL_ASSIGN(Duration took, run_whole(client, clock, many_functions, input_n(function_tasks)));
    times.push_back(took);
  }
  return median(std::move(times));
}

Status measure(Session& session, const FunctionRegistry& functions, const std::string& directory) {
  LinuxClock clock;
  PAWL_ASSIGN(Duration commit, bare_commit(directory, clock));
  StationRequest request;
  request.directory = directory + "/state";
  request.purpose = Purpose::work;
  request.functions = &functions;
  PAWL_TRY(session.open(request));
  Client& client = session.client();

  std::vector<Duration> singles;
  for (int i = 0; i < single_tasks; ++i) {
    PAWL_ASSIGN(Duration took, run_whole(client, clock, one_task, R"({"n":1})"));
    singles.push_back(took);
  }
  Duration single = median(std::move(singles));
  PAWL_ASSIGN(Duration called, run_functions(client, clock));
  PAWL_ASSIGN(Duration mapped, run_whole(client, clock, many_tasks, input_n(mapped_tasks)));
  EachJob job;
  job.command = {"true"};
  job.items.assign(processes, "x");
  PAWL_ASSIGN(Duration spawned,
              run_whole(client, clock, each_definition(job, {}), each_input(job)));

  double commits_per_second = 1 / seconds(commit);
  Table table({"WHAT", "MEASURED", "AGAINST A BARE COMMIT"});
  table.row({"a bare durable write of 4 KiB, p50", microseconds(commit), "1"});
  table.row({"one task, submit to result, p50", microseconds(single),
             ratio(seconds(single) / seconds(commit)) + " times as long"});
  auto many = [&](uint64_t tasks, const std::string& what, Duration took) {
    double rate = static_cast<double>(tasks) / seconds(took);
    table.row({with_commas(tasks) + " " + what, rate_in_words(rate),
               ratio(rate / commits_per_second) + " per commit"});
  };
  many(function_tasks, "function tasks of one node", called);
  many(mapped_tasks, "jq tasks of one node", mapped);
  many(processes, "processes (true)", spawned);
  session.console().out(table.text());
  return {};
}

}  // namespace

int verb_bench(Session& session, const Arguments&) {
  std::string directory = "./pawl-bench-XXXXXX";  // on the disk that is meant
  if (mkdtemp(directory.data()) == nullptr) {
    return session.fail(
        {Code::permission_denied, "cannot make a directory here for the benchmark"});
  }
  FunctionRegistry functions;  // must outlive the station
  Status added =
      functions.add("nothing", [](FunctionCall&) -> Result<std::string> { return std::string(); });
  PAWL_CHECK(added.ok(), "the first function of its name");
  session.say("a few seconds, in " + directory + ", which goes afterwards");
  Status measured = measure(session, functions, directory);
  int code = measured.ok() ? exit_ok : session.fail(measured.error());
  code = session.close(code);
  std::error_code ignored;
  std::filesystem::remove_all(directory, ignored);
  return code;
}

}  // namespace pawl::cli
