// Runs processes on a loop: starts them without fork, reads their output in bounded memory,
// enforces their timeouts, tells how they ended, and leaves nothing of them running.
//
//   auto runner = ProcessRunner::create(loop, clock, options, news).value();
//   runner->start(7, {.argv = {"gzip", "-k", "a.log"}, .output_path = "e17/pack/0.1"});
//   ...
//   news receives ProcessEnded{.id = 7, .end = ProcessEnd::exited, .code = 0, ...}
//
// Contract:
//  * One ProcessEnded per start(), possibly during start() itself; progress only before it.
//  * When it comes, the process, its process group, and (where it was ended by force, or held its
//    output open) whatever descended from it with its mark (process_table.h) are gone.
//  * After run_timeout, heartbeat_timeout or stop(terminate) the group gets SIGTERM, and SIGKILL
//    when `kill_grace` has passed. After stop(kill): SIGKILL at once.
//  * SIGKILL from elsewhere counts as out of memory if the kernel has counted an OOM kill in the
//    program's life, in its cgroup where that can be told (oom_kills.h).
//  * Programs get stdin from /dev/null, descriptor 3 for progress lines ("0.42 message",
//    PAWL_PROGRESS=3), and no other descriptor. Progress is passed on at most 10 times a second: the
//    newest progress_words_max lines of each time, and what is left before the end.
//  * If this process dies, however it dies, everything is killed within moments (guardian.h).
//
// A process that has run for `watch_after` is young no more: only then its pipes are registered
// with the loop (a short one is read once, when it ends), and after `file_after` its output goes to
// files even if it is small, so that it can be followed.
//
// Threading: the loop's thread, which must live as long as the processes (PR_SET_PDEATHSIG).
#pragma once

#include <sys/resource.h>

#include <cstdint>
#include <deque>
#include <limits>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "pawl/adapter/linux_loop/linux_loop.h"
#include "pawl/base/result.h"
#include "pawl/isolate/environment.h"
#include "pawl/isolate/guardian.h"
#include "pawl/isolate/oom_kills.h"
#include "pawl/isolate/process.h"
#include "pawl/isolate/process_table.h"
#include "pawl/isolate/program.h"
#include "pawl/isolate/spawn.h"
#include "pawl/port/clock.h"
#include "pawl/port/executor.h"
#include "pawl/port/output_store.h"
#include "pawl/port/sink.h"

namespace pawl {

struct ProcessRunnerOptions {
  std::vector<std::string> environment;  // NAME=value: the client's
  std::string directory;                 // the client's; empty: this process's
  std::string output_root;               // empty: no files
  // Where what goes to files is also put. The files then last no longer than their attempt.
  OutputCopies* copies = nullptr;
  uint64_t output_file_bytes_max = 64ull << 20;  // per stream
  Duration kill_grace = Duration::seconds(2);
  Duration watch_after = Duration::milliseconds(5);
  Duration file_after = Duration::milliseconds(250);
  std::vector<std::string> guardian;  // command; empty: none (then only leaders die with us)
  OomFiles oom_files{};
};

class ProcessRunner final : public Actor {
 public:
  static Result<std::unique_ptr<ProcessRunner>> create(LinuxLoop& loop, Clock& clock,
                                                       ProcessRunnerOptions options,
                                                       Sink<ProcessNews>& news);
  ~ProcessRunner() override;  // kills what runs; nothing is put any more

  // How many processes may run at once under this process's limits (4 descriptors each).
  uint32_t max_slots() const { return slots_; }
  uint64_t running() const { return children_.size(); }
  // How often the machine's processes were looked through for what had escaped from its group: once
  // for all that end together, not once for each.
  uint64_t searches() const { return searches_; }
  std::optional<LaunchUsage> usage(uint64_t id) const;  // nothing: it has ended

  void start(uint64_t id, ProcessCommand command);
  void stop(uint64_t id, StopMode mode);  // unknown or ended: nothing happens

  bool turn() override;
  Instant deadline() const override;

 private:
  struct Child;
  struct Channel;
  using Timer = std::pair<Instant, uint64_t>;

  ProcessRunner(LinuxLoop& loop, Clock& clock, ProcessRunnerOptions options,
                Sink<ProcessNews>& news);
  Status open();
  Status open_descriptors();

  Spawned launch(Child& child, ProcessCommand& command, std::string& error);
  bool resolve(const ProcessCommand& command, std::vector<std::string>& words, std::string& path,
               std::string& error);
  void refuse(Child& child, ProcessEnd end, std::string error);

  void on_exit(Child& child);
  void on_output(Child& child, Channel& channel);
  void on_progress(Child& child, std::string_view bytes);
  void drain(Child& child);
  void watch_channels(Child& child);
  void settle(Child& child);
  void finish(Child& child);
  void judge(Child& child, int code, int status);

  void begin_end(Child& child, ProcessEnd cause, StopMode mode);
  void on_timer(Child& child);
  void schedule(Child& child);
  void send_progress(Child& child);
  bool search();

  LinuxLoop& loop_;
  Clock& clock_;
  ProcessRunnerOptions options_;
  Sink<ProcessNews>& news_;
  std::string run_;  // the mark of our processes
  uint32_t slots_ = 0;
  rlimit open_files_{};  // as it was before we raised it
  int null_fd_ = -1;
  std::unique_ptr<OomKills> oom_kills_;
  Spawner spawner_;
  std::unique_ptr<ProgramFinder> programs_;
  std::unique_ptr<Guardian> guardian_;
  std::unique_ptr<ProcessEnvironment> environment_;
  std::unordered_map<uint64_t, std::unique_ptr<Child>> children_;
  std::set<Timer> timers_;
  std::deque<Timer> young_;             // by the time their pipes are to be watched
  std::deque<Timer> maturing_;          // by the time their output goes to files
  std::optional<TaggedSearch> search_;  // for what has escaped from the groups of searched_for_
  std::vector<uint64_t> searched_for_;
  std::vector<uint64_t> search_wanted_;  // those that ended since it began
  uint64_t searches_ = 0;
  Instant search_began_;
  Instant search_at_{std::numeric_limits<int64_t>::min()};  // the next one, not before
  std::string scratch_;
};

}  // namespace pawl
