// The command `pawl`.
#include <fcntl.h>
#include <signal.h>

#include <cstdlib>

#include "pawl/app/stations.h"
#include "pawl/cli/cli.h"

namespace {

// What is closed of standard input, output and error would become a file of ours, read and written
// under its number. What is opened instead refuses both.
void fill_standard_descriptors() {
  for (int fd = 0; fd <= 2; ++fd) {
    if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) < 0) abort();
  }
}

// Libraries open descriptors before main(): this runs before they do.
[[gnu::section(".preinit_array"),
  gnu::used]] void (*const before_libraries)() = fill_standard_descriptors;

}  // namespace

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
