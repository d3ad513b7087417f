#include "pawl/isolate/process_table.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>

namespace pawl {
namespace {

void read_file(const std::string& path, std::string& into) {
  into.clear();
  int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  char buffer[16 * 1024];
  for (ssize_t n = 0; (n = read(fd, buffer, sizeof buffer)) > 0;) {
    into.append(buffer, static_cast<size_t>(n));
  }
  close(fd);
}

template <class Number>
std::optional<Number> parse(std::string_view text) {
  Number value{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end == text.data()) return std::nullopt;
  return value;
}

// The number after "PAWL_GUARD=<run>." in NUL-separated NAME=value texts.
std::optional<uint64_t> tag_in(std::string_view environment, std::string_view tag) {
  for (size_t at = 0; (at = environment.find(tag, at)) != std::string_view::npos; at++) {
    if (at == 0 || environment[at - 1] == '\0')
      return parse<uint64_t>(environment.substr(at + tag.size()));
  }
  return std::nullopt;
}

// "12 (name with ) in it) S 1 12 ...": state, parent, group. 0 for one that is no longer alive.
pid_t living_group(std::string_view stat) {
  size_t at = stat.rfind(')');
  if (at == std::string_view::npos || at + 2 >= stat.size()) return 0;
  char state = stat[at + 2];
  size_t own_group = stat.find(' ', at + 4);
  if (state == 'Z' || state == 'X' || own_group == std::string_view::npos) return 0;
  return parse<pid_t>(stat.substr(own_group + 1)).value_or(0);
}

// From utime on; the fields of proc(5) from the third on stand behind the name.
struct StatFields {
  uint64_t ticks = 0;  // utime, stime, cutime, cstime
  uint64_t pages = 0;  // resident
};
std::optional<StatFields> fields_in(std::string_view stat) {
  size_t at = stat.rfind(')');
  if (at == std::string_view::npos) return std::nullopt;
  constexpr int utime = 14, cstime = 17, resident = 24;
  StatFields fields;
  for (int field = 2; field < resident; ++field) {
    at = stat.find(' ', at);
    if (at == std::string_view::npos) return std::nullopt;
    std::optional<int64_t> value = parse<int64_t>(stat.substr(++at));
    if (field + 1 >= utime && field + 1 <= cstime)
      fields.ticks += static_cast<uint64_t>(value.value_or(0));
    if (field + 1 == resident) fields.pages = static_cast<uint64_t>(value.value_or(0));
  }
  return fields;
}

struct CloseDirectory {
  void operator()(DIR* directory) const { closedir(directory); }
};

// The file of each process, or thread, that has a folder with its number in `folder`.
template <class Visit>
void for_each_in(const std::string& folder, const char* file, Visit visit) {
  std::unique_ptr<DIR, CloseDirectory> all(opendir(folder.c_str()));
  if (all == nullptr) return;
  std::string text;
  while (dirent* entry = readdir(all.get())) {
    std::optional<pid_t> pid = parse<pid_t>(entry->d_name);
    if (!pid) continue;
    read_file(folder + "/" + std::to_string(*pid) + file, text);
    visit(*pid, std::string_view(text));
  }
}

template <class Visit>
void for_each_process(const char* file, Visit visit) {
  for_each_in("/proc", file, visit);
}

// "17 18 ": those that a thread has started.
void add_numbers(std::string_view text, std::vector<pid_t>& to) {
  for (size_t at = 0; at < text.size(); at = std::min(text.find(' ', at), text.size() - 1) + 1) {
    if (std::optional<pid_t> pid = parse<pid_t>(text.substr(at))) to.push_back(*pid);
  }
}

}  // namespace

std::vector<TaggedProcess> find_tagged(std::string_view run) {
  std::vector<TaggedProcess> found;
  std::string tag = std::string(tag_name) + std::string(run) + ".";
  for_each_process("/environ", [&](pid_t pid, std::string_view environment) {
    if (std::optional<uint64_t> id = tag_in(environment, tag)) found.push_back({pid, *id});
  });
  return found;
}

// The descriptor holds the process, so that what is looked at and what is killed are the same.
void kill_tagged(const TaggedProcess& process, std::string_view run) {
  int held = static_cast<int>(syscall(SYS_pidfd_open, process.pid, 0));
  if (held < 0) return;
  std::string environment;
  read_file("/proc/" + std::to_string(process.pid) + "/environ", environment);
  std::string tag = std::string(tag_name) + std::string(run) + ".";
  if (tag_in(environment, tag) == process.id)
    syscall(SYS_pidfd_send_signal, held, SIGKILL, nullptr, 0);
  close(held);
}

bool group_lives(pid_t group) {
  bool lives = false;
  for_each_process(
      "/stat", [&](pid_t, std::string_view stat) { lives = lives || living_group(stat) == group; });
  return lives;
}

std::optional<LaunchUsage> usage_of_tree(pid_t pid) {
  static const auto tick_ns = 1'000'000'000 / std::max(1L, sysconf(_SC_CLK_TCK));
  static const auto page_bytes = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  LaunchUsage usage;
  std::vector<pid_t> tree = {pid};
  std::string stat;
  for (size_t i = 0; i < std::min(tree.size(), processes_looked_at); ++i) {
    std::string folder = "/proc/" + std::to_string(tree[i]);
    read_file(folder + "/stat", stat);
    std::optional<StatFields> fields = fields_in(stat);
    if (!fields) {
      if (i == 0) return std::nullopt;
      continue;  // it has just ended
    }
    usage.cpu = usage.cpu + Duration{static_cast<int64_t>(fields->ticks) * tick_ns};
    usage.memory_bytes += fields->pages * page_bytes;
    for_each_in(folder + "/task", "/children",
                [&](pid_t, std::string_view children) { add_numbers(children, tree); });
  }
  return usage;
}

bool process_lives(pid_t pid) {
  std::string stat;
  read_file("/proc/" + std::to_string(pid) + "/stat", stat);
  return living_group(stat) != 0;
}

}  // namespace pawl
