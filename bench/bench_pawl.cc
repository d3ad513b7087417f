// The command `pawl` with the functions that the benchmarks and tests/same run, so that `bench_pawl worker` and
// `bench_pawl run` are the real ones in everything else.
//
//   nothing   gives null
//   pause     sleeps for its input, a number of milliseconds
//   same      its input
//   age       nanoseconds since its input, a time of the machine's monotonic clock

#include <poll.h>
#include <signal.h>

#include <chrono>
#include <string>

#include "pawl/app/stations.h"
#include "pawl/cli/cli.h"
#include "pawl/isolate/function.h"

namespace {

using namespace pawl;

int64_t now_ns() {
  auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

void add_functions(FunctionRegistry& functions) {
  auto nothing = [](FunctionCall&) -> Result<std::string> { return std::string(); };
  PAWL_CHECK(functions.add("nothing", nothing).ok(), "a name of its own");
  Status added = functions.add("pause", [](FunctionCall& call) -> Result<std::string> {
    poll(nullptr, 0, std::stoi(std::string(call.input())));
    return std::string();
  });
  PAWL_CHECK(added.ok(), "a name of its own");
  added = functions.add(
      "same", [](FunctionCall& call) -> Result<std::string> { return std::string(call.input()); });
  PAWL_CHECK(added.ok(), "a name of its own");
  added = functions.add("age", [](FunctionCall& call) -> Result<std::string> {
    return std::to_string(now_ns() - std::stoll(std::string(call.input())));
  });
  PAWL_CHECK(added.ok(), "a name of its own");
}

}  // namespace

int main(int argc, char** argv) {
  // Before any thread starts: an interrupt is for the loop that watches for it.
  sigset_t interrupts;
  sigemptyset(&interrupts);
  for (int interrupt : {SIGINT, SIGTERM, SIGWINCH}) sigaddset(&interrupts, interrupt);
  sigprocmask(SIG_BLOCK, &interrupts, nullptr);
  signal(SIGPIPE, SIG_IGN);
  FunctionRegistry functions;
  add_functions(functions);
  return cli::run_command({argv + 1, argv + argc}, *make_stations(&functions));
}
