#include "pawl/isolate/process_runner.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

#include "pawl/base/check.h"
#include "pawl/isolate/environment.h"
#include "pawl/isolate/output_capture.h"
#include "pawl/isolate/progress_lines.h"

namespace pawl {
namespace {

constexpr size_t read_bytes = 64 * 1024;  // a pipe's capacity
constexpr uint32_t descriptors_each = 4;
constexpr uint32_t descriptors_reserved = 256;
constexpr uint64_t descriptors_min = 64;  // with fewer not even one process is sure to start
constexpr uint32_t slots_max = 32'768;
constexpr Duration linger_first = Duration::milliseconds(1);
constexpr Duration linger_sweep = Duration::milliseconds(20);  // then look for escaped processes
constexpr Duration linger_max = Duration::seconds(5);  // unkillable: told as ended all the same
constexpr size_t looked_at_a_turn = 256;               // processes: some milliseconds
constexpr int64_t search_pause = 4;                    // times what the search took
constexpr int clean_searches = 2;  // so many that found nothing: it has left nothing
constexpr Duration progress_pause = Duration::milliseconds(100);

void close_fd(int& fd) {
  if (fd >= 0) close(fd);
  fd = -1;
}

bool is_transient(int error) {
  return error == EAGAIN || error == EMFILE || error == ENFILE || error == ENOMEM;
}

std::string describe(const Spawned& spawned, const std::string& program, const std::string& path,
                     const std::string& directory) {
  std::string why = std::strerror(spawned.error);
  switch (spawned.step) {
    case SpawnStep::create:
      return "cannot create a process: " + why;
    case SpawnStep::prepare:
      return "cannot prepare the process: " + why;
    case SpawnStep::directory:
      return "cannot enter directory \"" + directory + "\": " + why;
    case SpawnStep::limits:
      return "cannot set the node's limits: " + why;
    case SpawnStep::program:
      break;
  }
  if (spawned.error == ENOENT && access(path.c_str(), F_OK) == 0) {
    return "cannot run \"" + program + "\": the interpreter it names is not there";
  }
  if (spawned.error == ENOENT) return "no such program: \"" + program + "\"";
  return "cannot run \"" + program + "\": " + why;
}

}  // namespace

enum class Role : uint8_t { exit, out, err, progress };

struct ProcessRunner::Channel final : FdWatcher {
  void ready(uint32_t) override;
  ProcessRunner* runner = nullptr;
  Child* child = nullptr;
  Role role = Role::exit;
  int fd = -1;
};

struct ProcessRunner::Child {
  uint64_t id = 0;
  pid_t pid = -1;
  std::atomic<int32_t>* group_slot = nullptr;
  Channel exit;
  Channel streams[3];  // out, err, progress
  OutputCapture out;
  OutputCapture err;
  ProgressLines progress;
  bool watched = false;  // its pipes are registered with the loop
  bool reaped = false;
  bool forced = false;  // we ended it: look for escaped processes
  Instant reaped_at;
  Instant timer = Instant::never();  // its place in timers_
  Instant run_end = Instant::never();
  Instant heartbeat_end = Instant::never();
  Instant kill_at = Instant::never();
  Instant linger_at = Instant::never();
  Instant progress_at = Instant::never();
  Instant progress_sent{std::numeric_limits<int64_t>::min()};
  Duration heartbeat;
  Duration linger = linger_first;
  std::vector<pid_t> escaped;  // found outside the group, killed, and not dead yet
  int searches = 0;            // that began after it had ended
  int clean_in_a_row = 0;
  bool searched_for = false;        // it stands in search_wanted_ or searched_for_
  std::optional<ProcessEnd> cause;  // why we ended it
  OomMark oom_mark;                 // when it was to start
  ProcessEnded ended;

  // `base`: of its output files, below the root; empty: there are none.
  Child(uint64_t number, const ProcessRunnerOptions& options, const std::string& base)
      : id(number), out(capture(options, base, ".out")), err(capture(options, base, ".err")) {
    ended.id = number;
  }
  static OutputCapture capture(const ProcessRunnerOptions& options, const std::string& base,
                               const char* stream) {
    if (base.empty()) return {"", options.output_file_bytes_max};
    std::string path = base + stream;
    return {options.output_root + "/" + path, options.output_file_bytes_max, options.copies, path};
  }
  ~Child() {
    close_fd(exit.fd);
    for (Channel& stream : streams) close_fd(stream.fd);
  }
  bool streams_closed() const {
    return streams[0].fd < 0 && streams[1].fd < 0 && streams[2].fd < 0;
  }
};

void ProcessRunner::Channel::ready(uint32_t) {
  if (role == Role::exit) return runner->on_exit(*child);
  runner->on_output(*child, *this);
  if (child->reaped) runner->settle(*child);
}

ProcessRunner::ProcessRunner(LinuxLoop& loop, Clock& clock, ProcessRunnerOptions options,
                             Sink<ProcessNews>& news)
    : loop_(loop), clock_(clock), options_(std::move(options)), news_(news) {}

Result<std::unique_ptr<ProcessRunner>> ProcessRunner::create(LinuxLoop& loop, Clock& clock,
                                                             ProcessRunnerOptions options,
                                                             Sink<ProcessNews>& news) {
  std::unique_ptr<ProcessRunner> runner(new ProcessRunner(loop, clock, std::move(options), news));
  PAWL_TRY(runner->open());
  loop.add(*runner);
  return runner;
}

Status ProcessRunner::open() {
  PAWL_TRY(open_descriptors());
  uint64_t mark = 0;
  if (getrandom(&mark, sizeof mark, 0) != sizeof mark) {
    return Error{Code::unavailable, "process runner: no random numbers from the kernel"};
  }
  run_ = std::to_string(getpid()) + "-" + std::to_string(mark);
  oom_kills_ = std::make_unique<OomKills>(options_.oom_files);
  scratch_.resize(read_bytes);
  environment_ = std::make_unique<ProcessEnvironment>(options_.environment);
  programs_ = std::make_unique<ProgramFinder>(std::string(environment_->get("PATH")));
  if (options_.guardian.empty()) return {};
  PAWL_ASSIGN(guardian_, Guardian::start(options_.guardian, run_, slots_));
  return {};
}

// The descriptors 0 to 3 must be taken here, so that none of ours collides with those of a child;
// and the soft limit is raised to the hard one (children get the old one back).
Status ProcessRunner::open_descriptors() {
  do {
    null_fd_ = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  } while (null_fd_ >= 0 && null_fd_ <= 3);
  if (null_fd_ < 0) {
    return Error{Code::unavailable, std::string("cannot open /dev/null: ") + std::strerror(errno)};
  }
  close_range(3, ~0u, CLOSE_RANGE_CLOEXEC);  // what whoever started us left open stays with us
  getrlimit(RLIMIT_NOFILE, &open_files_);
  rlimit raised{open_files_.rlim_max, open_files_.rlim_max};
  if (setrlimit(RLIMIT_NOFILE, &raised) != 0) raised = open_files_;
  rlimit processes{};
  getrlimit(RLIMIT_NPROC, &processes);
  uint64_t files = raised.rlim_cur;
  if (files < descriptors_min)
    return Error{Code::unavailable, std::to_string(files) +
                                        " open files are too few to run anything (" +
                                        std::strerror(EMFILE) + "); allow at least " +
                                        std::to_string(descriptors_min) + " (ulimit -n)"};
  uint64_t by_files =
      files > descriptors_reserved ? (files - descriptors_reserved) / descriptors_each : 1;
  uint64_t by_processes = std::max<uint64_t>(1, processes.rlim_cur / 2);
  slots_ = static_cast<uint32_t>(std::min<uint64_t>({by_files, by_processes, slots_max}));
  return {};
}

std::optional<LaunchUsage> ProcessRunner::usage(uint64_t id) const {
  auto child = children_.find(id);
  if (child == children_.end() || child->second->reaped) return std::nullopt;
  return usage_of_tree(child->second->pid);
}

ProcessRunner::~ProcessRunner() {
  loop_.remove(*this);
  for (auto& [id, child] : children_) {
    kill(-child->pid, SIGKILL);
    if (!child->reaped) waitpid(child->pid, nullptr, 0);
    if (child->exit.fd >= 0) loop_.unwatch(child->exit.fd);
    for (Channel& stream : child->streams) {
      if (child->watched && stream.fd >= 0) loop_.unwatch(stream.fd);
    }
  }
  children_.clear();
  guardian_.reset();
  close_fd(null_fd_);
}

// --- starting ---

void ProcessRunner::start(uint64_t id, ProcessCommand command) {
  bool keeps = !options_.output_root.empty() && !command.output_path.empty();
  auto owned = std::make_unique<Child>(id, options_, keeps ? command.output_path : std::string());
  Child& child = *owned;
  bool fresh = children_.emplace(id, std::move(owned)).second;
  PAWL_CHECK(fresh, "a process with this number is running already");
  if (children_.size() > slots_) {
    return refuse(child, ProcessEnd::declined,
                  "more than " + std::to_string(slots_) +
                      " processes at once; raise `ulimit -n` or lower --jobs");
  }
  std::string error;
  Spawned spawned = launch(child, command, error);
  if (spawned.error != 0) {
    bool full = spawned.step == SpawnStep::create && is_transient(spawned.error);
    return refuse(child, full ? ProcessEnd::declined : ProcessEnd::not_started, std::move(error));
  }
  Instant now = clock_.monotonic();
  child.pid = spawned.pid;
  child.exit.fd = spawned.pidfd;
  if (Status watched = loop_.watch(spawned.pidfd, EPOLLIN, child.exit); !watched.ok()) {
    kill(-child.pid, SIGKILL);
    waitpid(child.pid, nullptr, 0);
    return refuse(child, ProcessEnd::declined, watched.error().message);
  }
  young_.emplace_back(now + options_.watch_after, id);
  if (command.run_timeout.ns > 0) child.run_end = now + command.run_timeout;
  child.heartbeat = command.heartbeat_timeout;
  if (child.heartbeat.ns > 0) child.heartbeat_end = now + child.heartbeat;
  schedule(child);
}

void ProcessRunner::refuse(Child& child, ProcessEnd end, std::string error) {
  child.ended.end = end;
  child.ended.error = std::move(error);
  finish(child);
}

bool ProcessRunner::resolve(const ProcessCommand& command, std::vector<std::string>& words,
                            std::string& path, std::string& error) {
  words = command.argv;
  if (command.shell && words.size() == 1) {
    if (auto plain = plain_words(words[0])) {
      words = std::move(*plain);
    } else {
      words = {"/bin/sh", "-c", command.argv[0]};
    }
  }
  if (words.empty() || words[0].empty()) {
    error = "the command is empty";
    return false;
  }
  auto own = std::find_if(command.environment.rbegin(), command.environment.rend(),
                          [](const auto& variable) { return variable.first == "PATH"; });
  const std::string& directory = command.directory.empty() ? options_.directory : command.directory;
  path = own == command.environment.rend() ? programs_->find(words[0], directory)
                                           : ProgramFinder(own->second).find(words[0], directory);
  if (path.empty()) error = "no such program: \"" + words[0] + "\" (looked in PATH)";
  return !path.empty();
}

Spawned ProcessRunner::launch(Child& child, ProcessCommand& command, std::string& error) {
  Spawned spawned;
  std::vector<std::string> words;
  std::string path;
  if (!resolve(command, words, path, error)) {
    spawned.error = ENOENT;
    spawned.step = SpawnStep::program;
    return spawned;
  }
  std::vector<char*> argv = {nullptr};  // room for /bin/sh
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  command.environment.emplace_back("PAWL_PROGRESS", "3");
  const std::string& directory = command.directory.empty() ? options_.directory : command.directory;

  int child_ends[3] = {-1, -1, -1};
  for (size_t i = 0; i < 3; i++) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
      spawned.error = errno;
      break;
    }
    child_ends[i] = ends[1];
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    child.streams[i] = Channel();
    child.streams[i].fd = ends[0];
  }
  SpawnRequest request;
  request.path = path.c_str();
  request.argv = argv.data() + 1;
  request.environment = environment_->with(
      command.environment, std::string(tag_name) + run_ + "." + std::to_string(child.id));
  request.directory = directory.empty() ? nullptr : directory.c_str();
  request.in = null_fd_;
  request.out = child_ends[0];
  request.err = child_ends[1];
  request.progress = child_ends[2];
  request.limits = command.limits;
  request.open_files = open_files_;
  request.group_slot = child.group_slot = guardian_ ? guardian_->take_slot() : nullptr;
  child.oom_mark = oom_kills_->mark(clock_.monotonic());
  if (spawned.error == 0) spawned = spawner_.spawn(request);
  for (int& fd : child_ends) close_fd(fd);
  constexpr Role roles[3] = {Role::out, Role::err, Role::progress};
  for (size_t i = 0; i < 3; i++) {
    child.streams[i].runner = this;
    child.streams[i].child = &child;
    child.streams[i].role = roles[i];
  }
  child.exit.runner = this;
  child.exit.child = &child;
  if (spawned.error == 0) return spawned;
  error = describe(spawned, words[0], path, directory);
  if (spawned.step == SpawnStep::program) programs_->forget(words[0]);
  return spawned;
}

// --- output ---

// A program whose output nobody could follow is ended. Of one that has ended already, settle() reads
// what is left in its pipes.
void ProcessRunner::watch_channels(Child& child) {
  if (child.watched) return;
  child.watched = true;
  for (Channel& stream : child.streams) {
    if (stream.fd < 0) continue;
    Status watched = loop_.watch(stream.fd, EPOLLIN, stream);
    if (watched.ok() || child.reaped || child.cause) continue;
    child.ended.error = "its output cannot be followed: " + watched.error().message;
    begin_end(child, ProcessEnd::not_started, StopMode::kill);
  }
}

// One read; the pipe's end closes the channel.
void ProcessRunner::on_output(Child& child, Channel& channel) {
  ssize_t n = read(channel.fd, scratch_.data(), scratch_.size());
  if (n < 0) return;  // EAGAIN, EINTR: epoll will tell
  if (n == 0) {
    if (child.watched) loop_.unwatch(channel.fd);
    return close_fd(channel.fd);
  }
  std::string_view bytes(scratch_.data(), static_cast<size_t>(n));
  switch (channel.role) {
    case Role::out:
      return child.out.append(bytes);
    case Role::err:
      child.err.append(bytes);
      return child.err.keep_file();
    case Role::progress:
      return on_progress(child, bytes);
    case Role::exit:
      break;
  }
}

// All that is in the pipes now. A pipe holds no more than two reads; somebody who still
// writes is being killed.
void ProcessRunner::drain(Child& child) {
  for (Channel& stream : child.streams) {
    for (int reads = 0; stream.fd >= 0 && reads < 3; reads++) {
      uint64_t before = child.out.bytes() + child.err.bytes();
      on_output(child, stream);
      if (stream.role != Role::progress && before == child.out.bytes() + child.err.bytes()) break;
    }
  }
}

void ProcessRunner::on_progress(Child& child, std::string_view bytes) {
  if (!child.progress.append(bytes)) return;
  Instant now = clock_.monotonic();
  if (child.heartbeat_end != Instant::never()) child.heartbeat_end = now + child.heartbeat;
  Instant due = child.progress_sent + progress_pause;
  bool any = !child.progress.words.empty();
  if (any && due <= now) {
    send_progress(child);
  } else if (any && !child.reaped) {
    child.progress_at = due;
  }
  if (!child.reaped) schedule(child);
}

void ProcessRunner::send_progress(Child& child) {
  child.progress_at = Instant::never();
  child.progress_sent = clock_.monotonic();
  for (ProgressLine& word : child.progress.words)
    news_.put(ProcessProgress{child.id, word.permille, std::move(word.message)});
  child.progress.words.clear();
}

// --- ending ---

// The group is killed while its dead leader still holds the group's number, so that the number
// cannot have become somebody else's; and judged while /proc still knows it.
void ProcessRunner::on_exit(Child& child) {
  kill(-child.pid, SIGKILL);
  siginfo_t info{};
  const auto its = static_cast<id_t>(child.exit.fd);
  int got = waitid(P_PIDFD, its, &info, WEXITED | WNOWAIT);
  judge(child, got == 0 ? info.si_code : CLD_EXITED, got == 0 ? info.si_status : -1);
  waitid(P_PIDFD, its, &info, WEXITED);
  loop_.unwatch(child.exit.fd);
  close_fd(child.exit.fd);
  child.reaped = true;
  child.run_end = child.heartbeat_end = child.kill_at = child.progress_at = Instant::never();
  drain(child);
  settle(child);
}

void ProcessRunner::judge(Child& child, int code, int status) {
  ProcessEnded& ended = child.ended;
  ended.code = status;
  ended.end = code == CLD_EXITED ? ProcessEnd::exited : ProcessEnd::signalled;
  if (child.cause.has_value()) {
    ended.end = *child.cause;
  } else if (ended.end == ProcessEnd::signalled && status == SIGKILL) {
    if (oom_kills_->any_since(child.oom_mark, child.pid)) ended.end = ProcessEnd::out_of_memory;
  }
}

// Is anything of it left? Almost always not, and then this is one system call.
void ProcessRunner::settle(Child& child) {
  if (child.searched_for) return;
  Instant now = clock_.monotonic();
  if (child.linger_at == Instant::never()) child.reaped_at = now;
  Duration lingered = now - child.reaped_at;
  bool suspicious = child.forced || (!child.streams_closed() && lingered >= linger_sweep);
  bool group_gone = kill(-child.pid, 0) != 0 ||
                    (lingered >= linger_first && !group_lives(child.pid));  // zombies nobody reaps
  std::erase_if(child.escaped, [](pid_t pid) { return !process_lives(pid); });
  bool unkillable = !group_gone || !child.escaped.empty();
  if (lingered >= linger_max && (unkillable || !suspicious || child.searches >= clean_searches))
    return finish(child);
  if (group_gone && suspicious && child.escaped.empty() && child.clean_in_a_row < clean_searches) {
    child.linger_at = now;
    child.searched_for = true;
    search_wanted_.push_back(child.id);
    return;
  }
  bool clean =
      suspicious ? group_gone && child.escaped.empty() : group_gone && child.streams_closed();
  if (clean) return finish(child);
  watch_channels(child);
  child.linger_at = now + child.linger;
  child.linger = std::min(child.linger + child.linger, linger_sweep);
  schedule(child);
}

// One search for all that ended before it began, a part of it in each turn, and then a pause: whatever
// the machine runs and however many programs are ended, most time is for other work, and the longer
// a search takes, the more programs share the next. What is found has escaped from its group: it is
// killed, and looked for again (a dying process shows no mark long before it is dead). True: there is
// more to look at.
bool ProcessRunner::search() {
  if (!search_) {
    if (search_wanted_.empty() || clock_.monotonic() < search_at_) return false;
    search_began_ = clock_.monotonic();
    search_.emplace(run_);
    searches_++;
    searched_for_.swap(search_wanted_);
  }
  if (search_->step(looked_at_a_turn)) return true;
  std::vector<uint64_t> ids = std::move(searched_for_);
  searched_for_.clear();
  for (uint64_t id : ids) {
    Child& child = *children_.at(id);
    child.searched_for = false;
    child.searches++;
    child.clean_in_a_row++;
  }
  for (const TaggedProcess& process : search_->found()) {
    auto of = children_.find(process.id);
    if (of == children_.end() || of->second->searches == 0 || of->second->searched_for) continue;
    kill_tagged(process, run_);
    of->second->escaped.push_back(process.pid);
    of->second->clean_in_a_row = 0;
  }
  search_.reset();
  Instant now = clock_.monotonic();
  search_at_ = now + Duration{(now - search_began_).ns * search_pause};
  for (uint64_t id : ids) settle(*children_.at(id));
  return false;
}

void ProcessRunner::finish(Child& child) {
  send_progress(child);
  if (child.timer != Instant::never()) timers_.erase({child.timer, child.id});
  for (Channel& stream : child.streams) {
    if (stream.fd >= 0 && child.watched) loop_.unwatch(stream.fd);
    close_fd(stream.fd);
  }
  if (guardian_) guardian_->give_back(child.group_slot);
  ProcessEnded ended = std::move(child.ended);
  bool failed = ended.end != ProcessEnd::exited || ended.code != 0;
  // Otherwise the result carries it, byte for byte.
  if (!child.out.empty() && (failed || !child.out.is_plain_text())) child.out.keep_file();
  ended.out = child.out.finish();
  ended.err = child.err.finish();
  children_.erase(child.id);
  while (!young_.empty() && !children_.contains(young_.front().second)) young_.pop_front();
  news_.put(std::move(ended));
}

// --- time ---

void ProcessRunner::stop(uint64_t id, StopMode mode) {
  auto found = children_.find(id);
  if (found == children_.end() || found->second->reaped) return;
  begin_end(*found->second, ProcessEnd::stopped, mode);
}

void ProcessRunner::begin_end(Child& child, ProcessEnd cause, StopMode mode) {
  if (!child.cause.has_value()) child.cause = cause;
  child.forced = true;
  child.run_end = child.heartbeat_end = Instant::never();
  if (mode == StopMode::kill) {
    kill(-child.pid, SIGKILL);
  } else if (child.kill_at == Instant::never()) {
    kill(-child.pid, SIGTERM);
    kill(-child.pid, SIGCONT);  // a stopped one could not hear it
    child.kill_at = clock_.monotonic() + options_.kill_grace;
  }
  schedule(child);
}

void ProcessRunner::schedule(Child& child) {
  Instant next = std::min(
      {child.run_end, child.heartbeat_end, child.kill_at, child.linger_at, child.progress_at});
  if (next == child.timer) return;
  if (child.timer != Instant::never()) timers_.erase({child.timer, child.id});
  child.timer = next;
  if (next != Instant::never()) timers_.emplace(next, child.id);
}

void ProcessRunner::on_timer(Child& child) {
  Instant now = clock_.monotonic();
  if (child.reaped) return settle(child);
  if (child.progress_at <= now) send_progress(child);
  if (child.kill_at <= now) {
    kill(-child.pid, SIGKILL);
    child.kill_at = Instant::never();
  }
  if (child.run_end <= now) {
    begin_end(child, ProcessEnd::run_timeout, StopMode::terminate);
  } else if (child.heartbeat_end <= now) {
    begin_end(child, ProcessEnd::heartbeat_timeout, StopMode::terminate);
  }
  schedule(child);
}

bool ProcessRunner::turn() {
  Instant now = clock_.monotonic();
  while (!young_.empty() && young_.front().first <= now) {
    uint64_t id = young_.front().second;
    young_.pop_front();
    auto found = children_.find(id);
    if (found == children_.end()) continue;
    watch_channels(*found->second);
    maturing_.emplace_back(now + options_.file_after, id);
  }
  while (!maturing_.empty() && maturing_.front().first <= now) {
    auto found = children_.find(maturing_.front().second);
    maturing_.pop_front();
    if (found != children_.end()) found->second->out.follow();
  }
  while (!timers_.empty() && timers_.begin()->first <= now) {
    Timer timer = *timers_.begin();
    timers_.erase(timers_.begin());
    Child& child = *children_.at(timer.second);
    child.timer = Instant::never();
    on_timer(child);
  }
  return search();
}

Instant ProcessRunner::deadline() const {
  Instant next = timers_.empty() ? Instant::never() : timers_.begin()->first;
  if (!young_.empty()) next = std::min(next, young_.front().first);
  if (!maturing_.empty()) next = std::min(next, maturing_.front().first);
  if (!search_wanted_.empty()) next = std::min(next, search_at_);
  return next;
}

}  // namespace pawl
