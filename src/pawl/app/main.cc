// The command `pawl`.
#include <signal.h>

#include "pawl/app/stations.h"
#include "pawl/cli/cli.h"

int main(int argc, char** argv) {
  // Before any thread starts: an interrupt is for the loop that watches for it.
  sigset_t interrupts;
  sigemptyset(&interrupts);
  sigaddset(&interrupts, SIGINT);
  sigaddset(&interrupts, SIGTERM);
  sigaddset(&interrupts, SIGWINCH);
  sigprocmask(SIG_BLOCK, &interrupts, nullptr);
  signal(SIGPIPE, SIG_IGN);
  std::unique_ptr<pawl::cli::Stations> stations = pawl::make_stations(nullptr);
  return pawl::cli::run_command({argv + 1, argv + argc}, *stations);
}
