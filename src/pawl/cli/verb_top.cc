// pawl top: workers, queues and executions at a glance, kept fresh on a terminal.

#include <sys/epoll.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

#include "pawl/adapter/linux_loop/linux_clock.h"
#include "pawl/cli/progress_view.h"
#include "pawl/cli/reach.h"
#include "pawl/cli/table.h"
#include "pawl/cli/verbs.h"

namespace pawl::cli {
namespace {

constexpr Duration refresh_every = Duration::seconds(1);
constexpr uint32_t executions_shown = 20;

struct Glance {
  Overview overview;
  WorkerList workers;
  QueueList queues;
  ExecutionList executions;
  Instant at;
};

Result<Glance> look(Client& client, Instant now) {
  Glance glance;
  glance.at = now;
  PAWL_ASSIGN(glance.overview, client.overview());
  PAWL_ASSIGN(glance.workers, client.ask_as<WorkerList>(ListWorkers{}));
  PAWL_ASSIGN(glance.queues, client.ask_as<QueueList>(ListQueues{}));
  ListExecutions newest;
  newest.limit = executions_shown;
  PAWL_ASSIGN(glance.executions, client.executions(newest));
  return glance;
}

uint64_t ended(const Glance& glance) {
  const Counts& counts = glance.overview.counts;
  return counts.submitted - counts.open();
}

std::string headline(const Glance& now, const Glance& before) {
  const Overview& all = now.overview;
  std::string text = with_commas(all.counts.open()) + " open executions, " +
                     with_commas(all.ready) + " tasks ready, " + with_commas(all.running) +
                     " running, " + with_commas(all.parked) + " in dead letters";
  if (all.open_bytes_max > 0)
    text +=
        ", holding " + bytes_in_words(all.open_bytes) + " of " + bytes_in_words(all.open_bytes_max);
  int64_t ns = (now.at - before.at).ns;
  if (ns > 0)
    text += ", " +
            rate_in_words(static_cast<double>(ended(now) - ended(before)) * 1e9 /
                          static_cast<double>(ns)) +
            " ended";
  return text;
}

std::string worker_table(const WorkerList& list) {
  Table table({"WORKER", "STATE", "SLOTS", "HELD", "CPU", "MEMORY"});
  for (const WorkerDetail& one : list.workers) {
    bool known = one.usage.memory_bytes > 0;
    table.row({tame(one.worker.name), state_of(one), with_commas(one.worker.slots),
               with_commas(one.outstanding),
               known ? std::to_string(one.usage.cpu_permille / 10) + " %" : "-",
               known ? bytes_in_words(one.usage.memory_bytes) : "-"});
  }
  return list.workers.empty() ? "no worker is connected\n" : table.text();
}

std::string queue_table(const QueueList& list) {
  Table table({"QUEUE", "STATE", "READY", "OLDEST", "GRANTED", "BACKING OFF", "PARKED"});
  for (const QueueDetail& one : list.queues)
    table.row({tame(one.spec.name), one.spec.paused ? "paused" : "open", with_commas(one.ready),
               one.ready > 0 ? in_words(one.oldest) : "-", with_commas(one.granted),
               with_commas(one.backing_off), with_commas(one.parked)});
  return list.queues.empty() ? "" : table.text();
}

std::string execution_table(const ExecutionList& list, const Style& style) {
  Table table({"ID", "WORKFLOW", "STATUS", "TASKS", "RUNNING", "FAILED", "STARTED"});
  for (const ExecutionSummary& one : list.executions)
    table.row(
        {to_text(one.id), tame(one.workflow), style.paint(colour_of(one.status), name(one.status)),
         with_commas(finished(one.tasks)) + "/" + with_commas(one.tasks.total),
         with_commas(one.tasks.running), with_commas(failing(one.tasks)), local_time(one.started)});
  return list.executions.empty() ? "no executions yet\n" : table.text();
}

std::string page(const Glance& now, const Glance& before, const Style& style) {
  std::string queues = queue_table(now.queues);
  return headline(now, before) + "\n\n" + worker_table(now.workers) + "\n" + queues +
         (queues.empty() ? "" : "\n") + execution_table(now.executions, style);
}

// What is typed, key by key and unseen; the terminal is as it was afterwards.
class Keys final : public FdWatcher {
 public:
  explicit Keys(LinuxLoop& loop) : loop_(loop) {
    watching_ = tcgetattr(STDIN_FILENO, &before_) == 0;
    if (!watching_) return;
    termios typing = before_;
    typing.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    watching_ = tcsetattr(STDIN_FILENO, TCSANOW, &typing) == 0 &&
                loop_.watch(STDIN_FILENO, EPOLLIN, *this).ok();
  }
  ~Keys() override {
    if (!watching_) return;
    loop_.unwatch(STDIN_FILENO);
    tcsetattr(STDIN_FILENO, TCSANOW, &before_);
  }
  Keys(const Keys&) = delete;
  Keys& operator=(const Keys&) = delete;

  void ready(uint32_t) override {
    char keys[64];
    ssize_t size = read(STDIN_FILENO, keys, sizeof keys);
    quit_ = quit_ || size <= 0 || std::find(keys, keys + size, 'q') != keys + size;
  }
  bool quit() const { return quit_; }

 private:
  LinuxLoop& loop_;
  termios before_{};
  bool watching_ = false;
  bool quit_ = false;
};

std::vector<std::string> lines_of(const std::string& text, Console& console) {
  Console::Size size = console.size();
  std::vector<std::string> lines;
  for (size_t at = 0; at < text.size() && lines.size() + 1 < size.rows;) {
    size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(
        clip(std::string_view(text).substr(at, end - at), size.columns - 1, console.err_style()));
    at = end + 1;
  }
  return lines;
}

int watch_all(Session& session) {
  LinuxClock clock;
  Console& console = session.console();
  Keys keys(session.station().loop());
  auto over = [&] { return keys.quit() || session.interrupts().count() > 0; };
  Result<Glance> glance = look(session.client(), clock.monotonic());
  std::optional<Glance> before;
  while (!over()) {
    Duration pause = refresh_every;
    if (glance.ok()) {
      console.show(lines_of(page(*glance, before.value_or(*glance), console.err_style()), console));
      before = std::move(*glance);
    } else if (is_out_of_reach(session, glance.error())) {
      console.clear();
      Status back = come_back(session);
      if (!back.ok() && !over()) return session.fail(back.error());
      before.reset();  // a new life counts anew
      pause = {};
    } else if (glance.error().retry_after > Duration{}) {
      pause = glance.error().retry_after;  // asked too often: what is shown stays
    } else {
      break;
    }
    Instant next = clock.monotonic() + pause;
    while (!over() && clock.monotonic() < next) session.client().pump(next - clock.monotonic());
    if (!over()) glance = look(session.client(), clock.monotonic());
  }
  console.clear();
  return glance.ok() || over() ? exit_ok : session.fail(glance.error());
}

int show_once(Session& session) {
  LinuxClock clock;
  Result<Glance> glance = look(session.client(), clock.monotonic());
  if (!glance.ok()) return session.fail(glance.error());
  session.console().out(page(*glance, *glance, session.console().out_style()));
  return exit_ok;
}

}  // namespace

int verb_top(Session& session, const Arguments& given) {
  if (Status opened = session.open(given, Purpose::look); !opened.ok())
    return session.fail(opened.error());
  Console& console = session.console();
  // Whoever holds the directory keeps others from it: then a look must be short.
  bool live =
      console.live() && console.out_terminal() && !given.has("once") && !session.station().holds();
  return session.close(live ? watch_all(session) : show_once(session));
}

}  // namespace pawl::cli
