#include "pawl/app/machine.h"

#include <sched.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>

namespace pawl {
namespace {

uint64_t cores() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return static_cast<uint64_t>(CPU_COUNT(&set));
  return static_cast<uint64_t>(std::max(1L, sysconf(_SC_NPROCESSORS_ONLN)));
}

uint64_t resident_bytes() {
  std::FILE* file = std::fopen("/proc/self/statm", "re");
  if (file == nullptr) return 0;
  unsigned long pages = 0;
  unsigned long resident = 0;
  bool read = std::fscanf(file, "%lu %lu", &pages, &resident) == 2;
  std::fclose(file);
  return read ? uint64_t{resident} * static_cast<uint64_t>(sysconf(_SC_PAGESIZE)) : 0;
}

uint64_t machine_memory() {
  auto pages = static_cast<uint64_t>(std::max(0L, sysconf(_SC_PHYS_PAGES)));
  return pages * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

// "max", or no file: no limit.
uint64_t limit_in(const std::string& path) {
  std::string text = text_of(path);
  uint64_t limit = 0;
  auto read = std::from_chars(text.data(), text.data() + text.size(), limit);
  return read.ec == std::errc() && limit > 0 ? limit : UINT64_MAX;
}

// Version 2 has one tree; in version 1 memory has one of its own.
struct GroupTree {
  std::string path;  // of the process's group
  std::string root;
  const char* limit_file;
};
std::optional<GroupTree> group_tree(const std::string& line, const std::string& root) {
  if (line.starts_with("0::")) return GroupTree{line.substr(3), root, "/memory.max"};
  size_t at = line.find(":memory:");
  if (at == std::string::npos) return std::nullopt;
  return GroupTree{line.substr(at + 8), root + "/memory", "/memory.limit_in_bytes"};
}

}  // namespace

uint64_t group_memory_limit(const std::string& groups, const std::string& root) {
  uint64_t least = UINT64_MAX;
  std::istringstream lines(groups);
  for (std::string line; std::getline(lines, line);) {
    std::optional<GroupTree> tree = group_tree(line, root);
    if (!tree) continue;
    for (std::string path = tree->path;;) {
      if (path == "/") path.clear();
      least = std::min(least, limit_in(tree->root + path + tree->limit_file));
      if (path.empty()) break;
      path.resize(path.rfind('/') == std::string::npos ? 0 : path.rfind('/'));
    }
  }
  return least;
}

uint64_t memory_to_use() {
  uint64_t machine = machine_memory();
  return std::min(machine > 0 ? machine : UINT64_MAX,
                  group_memory_limit(text_of("/proc/self/cgroup"), "/sys/fs/cgroup"));
}

Amounts machine_capacity() {
  uint64_t memory = machine_memory();
  Amounts capacity = {{"cpu", cores() * 1000}};
  if (memory > 0) capacity.push_back({"memory", std::min(memory, amount_max)});
  return capacity;
}

WorkerUsage ProcessMeter::read(Instant now) {
  WorkerUsage usage;
  usage.memory_bytes = resident_bytes();
  timespec spent{};
  if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent) != 0) return usage;
  int64_t cpu_ns = spent.tv_sec * 1'000'000'000 + spent.tv_nsec;
  int64_t passed = (now - last_).ns;
  if (last_cpu_ns_ >= 0 && passed > 0)
    usage.cpu_permille =
        static_cast<uint32_t>((cpu_ns - last_cpu_ns_) / std::max<int64_t>(1, passed / 1000));
  last_ = now;
  last_cpu_ns_ = cpu_ns;
  return usage;
}

}  // namespace pawl
