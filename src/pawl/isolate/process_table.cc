#include "pawl/isolate/process_table.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
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

// The folders of a folder whose names are numbers: processes in /proc, threads in /proc/N/task.
class Numbered {
 public:
  explicit Numbered(const std::string& folder) : all_(opendir(folder.c_str())) {}
  ~Numbered() {
    if (all_ != nullptr) closedir(all_);
  }
  Numbered(const Numbered&) = delete;
  Numbered& operator=(const Numbered&) = delete;

  std::optional<pid_t> next() {  // nothing: there is no more
    while (dirent* entry = all_ == nullptr ? nullptr : readdir(all_)) {
      if (std::optional<pid_t> number = parse<pid_t>(entry->d_name)) return number;
    }
    return std::nullopt;
  }

 private:
  DIR* all_;
};

std::string path_of(pid_t pid, const char* file) {
  return "/proc/" + std::to_string(pid) + file;
}

// "17 18 ": those that a thread has started.
void add_numbers(std::string_view text, std::vector<pid_t>& to) {
  for (size_t at = 0; at < text.size(); at = std::min(text.find(' ', at), text.size() - 1) + 1) {
    if (std::optional<pid_t> pid = parse<pid_t>(text.substr(at))) to.push_back(*pid);
  }
}

}  // namespace

struct TaggedSearch::Folder {
  Numbered processes{"/proc"};
};

TaggedSearch::TaggedSearch(std::string_view run)
    : tag_(std::string(tag_name) + std::string(run) + "."), folder_(std::make_unique<Folder>()) {}

TaggedSearch::~TaggedSearch() = default;

bool TaggedSearch::step(size_t processes) {
  for (; folder_ != nullptr && processes > 0; processes--) {
    std::optional<pid_t> pid = folder_->processes.next();
    if (!pid) {
      folder_.reset();
      break;
    }
    read_file(path_of(*pid, "/environ"), environment_);
    if (std::optional<uint64_t> id = tag_in(environment_, tag_)) found_.push_back({*pid, *id});
  }
  return folder_ != nullptr;
}

// The descriptor holds the process, so that what is looked at and what is killed are the same.
void kill_tagged(const TaggedProcess& process, std::string_view run) {
  int held = static_cast<int>(syscall(SYS_pidfd_open, process.pid, 0));
  if (held < 0) return;
  std::string environment;
  read_file(path_of(process.pid, "/environ"), environment);
  std::string tag = std::string(tag_name) + std::string(run) + ".";
  if (tag_in(environment, tag) == process.id)
    syscall(SYS_pidfd_send_signal, held, SIGKILL, nullptr, 0);
  close(held);
}

bool group_lives(pid_t group) {
  Numbered processes("/proc");
  std::string stat;
  while (std::optional<pid_t> pid = processes.next()) {
    read_file(path_of(*pid, "/stat"), stat);
    if (living_group(stat) == group) return true;
  }
  return false;
}

std::optional<LaunchUsage> usage_of_tree(pid_t pid) {
  static const auto tick_ns = 1'000'000'000 / std::max(1L, sysconf(_SC_CLK_TCK));
  static const auto page_bytes = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  LaunchUsage usage;
  std::vector<pid_t> tree = {pid};
  std::string stat, children;
  for (size_t i = 0; i < std::min(tree.size(), processes_looked_at); ++i) {
    read_file(path_of(tree[i], "/stat"), stat);
    std::optional<StatFields> fields = fields_in(stat);
    if (!fields) {
      if (i == 0) return std::nullopt;
      continue;  // it has just ended
    }
    usage.cpu = usage.cpu + Duration{static_cast<int64_t>(fields->ticks) * tick_ns};
    usage.memory_bytes += fields->pages * page_bytes;
    std::string tasks = path_of(tree[i], "/task");
    Numbered threads(tasks);
    while (std::optional<pid_t> thread = threads.next()) {
      read_file(tasks + "/" + std::to_string(*thread) + "/children", children);
      add_numbers(children, tree);
    }
  }
  return usage;
}

bool process_lives(pid_t pid) {
  std::string stat;
  read_file(path_of(pid, "/stat"), stat);
  return living_group(stat) != 0;
}

}  // namespace pawl
