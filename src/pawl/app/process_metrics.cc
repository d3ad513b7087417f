#include "pawl/app/process_metrics.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <memory>

namespace pawl {
namespace {

void write_memory(Exposition& page) {
  std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen("/proc/self/statm", "re"), std::fclose);
  unsigned long long whole = 0, resident = 0;
  if (!file || std::fscanf(file.get(), "%llu %llu", &whole, &resident) != 2) return;
  page.measured("process_resident_memory_bytes", "Resident memory",
                resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE)));
}

Duration duration_of(const timeval& time) {
  return Duration::seconds(time.tv_sec) + Duration::microseconds(time.tv_usec);
}

void write_processor(Exposition& page) {
  rusage used{};
  if (getrusage(RUSAGE_SELF, &used) != 0) return;
  page.family("process_cpu_seconds_total", Exposition::counter, "Processor time, of all threads");
  page.seconds({}, duration_of(used.ru_utime) + duration_of(used.ru_stime));
}

void write_descriptors(Exposition& page) {
  std::unique_ptr<DIR, int (*)(DIR*)> folder(opendir("/proc/self/fd"), closedir);
  rlimit most{};
  if (!folder || getrlimit(RLIMIT_NOFILE, &most) != 0) return;
  uint64_t entries = 0;
  while (readdir(folder.get()) != nullptr) ++entries;
  constexpr uint64_t not_ours = 3;  // ".", "..", and the one that looks
  page.measured("process_open_fds", "Descriptors open", entries - not_ours);
  page.measured("process_max_fds", "Descriptors allowed", most.rlim_cur);
}

}  // namespace

void write_process(Exposition& page) {
  write_memory(page);
  write_processor(page);
  write_descriptors(page);
}

void write_notices(const OperatorLog& log, Exposition& page) {
  page.family("pawl_notices_total", Exposition::counter,
              "Rare events that components have counted, by name");
  for (const auto& [name, value] : log.values())
    page.sample({{"name", name}}, static_cast<uint64_t>(value));
}

void write_messages(const StreamCounts& counts, std::string_view help, Exposition& page) {
  page.family("pawl_worker_messages_total", Exposition::counter, help);
  page.sample({{"direction", "sent"}}, counts.sent);
  page.sample({{"direction", "received"}}, counts.received);
  page.sample({{"direction", "lost"}}, counts.lost);
}

}  // namespace pawl
