#include "pawl/cli/watch.h"

#include <unistd.h>

#include <algorithm>
#include <map>

#include "pawl/adapter/linux_loop/linux_clock.h"
#include "pawl/base/json.h"
#include "pawl/cli/progress_view.h"

namespace pawl::cli {
namespace {

// Its program has, and not its worker alone.
bool says_something(const AttemptProgress& progress) {
  return progress.permille > 0 || !progress.message.empty();
}

void take_progress(ProgressView& view, const ExecutionDetail& detail, const ProgressList& running) {
  for (const auto& [one, worker] : running.tasks) {
    if (one.task.node >= detail.nodes.size() || !says_something(one)) continue;
    view.say(detail.nodes[one.task.node].id, one.permille, one.message);
  }
}

class LiveDisplay final : public Display {
 public:
  explicit LiveDisplay(Console& console) : console_(console) {}

  Duration interval() const override { return Duration::milliseconds(100); }

  void look(ExecutionDetail detail, const ProgressList& running, Instant now) override {
    take_progress(view_, detail, running);
    view_.update(std::move(detail), now);
    Console::Size size = console_.size();
    console_.show(view_.lines(now, console_.err_style(), size.columns, size.rows));
  }

  void end() override { console_.clear(); }

 private:
  Console& console_;
  ProgressView view_;
};

class PlainDisplay final : public Display {
 public:
  explicit PlainDisplay(Console& console) : console_(console) {}

  Duration interval() const override { return Duration::seconds(1); }

  void look(ExecutionDetail detail, const ProgressList& running, Instant now) override {
    take_progress(view_, detail, running);
    std::string name = to_text(detail.summary.id);
    view_.update(std::move(detail), now);
    for (const std::string& line : view_.changes()) console_.err(name + " " + line + "\n");
  }

  void end() override {}

 private:
  Console& console_;
  ProgressView view_;
};

class JsonDisplay final : public Display {
 public:
  explicit JsonDisplay(Console& console) : console_(console) {}

  Duration interval() const override { return Duration::seconds(1); }

  void look(ExecutionDetail detail, const ProgressList& running, Instant) override {
    for (const NodeDetail& node : detail.nodes) {
      if (node.status == NodeStatus::waiting) continue;
      JsonWriter json;
      json.begin_object().key("event").string("node");
      json.key("execution").string(to_text(detail.summary.id)).key("node").string(node.id);
      json.key("status").string(name(node.status)).key("total").number(node.tasks.total);
      json.key("running").number(node.tasks.running).key("succeeded").number(node.tasks.succeeded);
      json.key("failed").number(failing(node.tasks));
      json.key("error");
      node.error.empty() ? json.null() : json.string(node.error);
      tell("node " + node.id, json.end_object().take());
    }
    for (const auto& [one, worker] : running.tasks) {
      if (one.task.node >= detail.nodes.size() || !says_something(one)) continue;
      const std::string& node = detail.nodes[one.task.node].id;
      JsonWriter json;
      json.begin_object().key("event").string("progress");
      json.key("execution").string(to_text(detail.summary.id)).key("node").string(node);
      json.key("item").number(uint64_t{one.task.item});
      json.key("permille").number(uint64_t{one.permille}).key("message").string(one.message);
      tell("progress " + node + std::to_string(one.task.item), json.end_object().take());
    }
    console_.flush();
  }

  void end() override { console_.flush(); }

 private:
  void tell(const std::string& what, std::string line) {
    std::string& told = told_[what];
    if (told == line) return;
    console_.out(line + "\n");
    told = std::move(line);
  }

  Console& console_;
  std::map<std::string, std::string> told_;
};

class NoDisplay final : public Display {
 public:
  Duration interval() const override { return Duration::forever(); }
  void look(ExecutionDetail, const ProgressList&, Instant) override {}
  void end() override {}
};

std::optional<Error> look(Session& session, Display& display, ExecutionId execution, Instant now,
                          ExecutionDetail* keep) {
  Result<ExecutionDetail> detail = session.client().execution(execution);
  if (!detail.ok()) return detail.error();
  Result<ProgressList> running = session.client().progress(execution);
  if (!running.ok()) return running.error();
  if (keep != nullptr) *keep = *detail;
  display.look(std::move(*detail), *running, now);
  return std::nullopt;
}

}  // namespace

std::unique_ptr<Display> make_display(Console& console, DisplayKind kind) {
  if (kind == DisplayKind::none) return std::make_unique<NoDisplay>();
  if (kind == DisplayKind::machines) return std::make_unique<JsonDisplay>(console);
  if (console.live()) return std::make_unique<LiveDisplay>(console);
  return std::make_unique<PlainDisplay>(console);
}

Watched watch(Session& session, Display& display, ExecutionId execution) {
  LinuxClock clock;
  Client& client = session.client();
  Watched watched;
  Ticket settled = client.start(AwaitExecution{execution});
  Instant next_look = clock.monotonic() + Duration::milliseconds(50);  // short ones need none
  while (!client.done(settled) && session.interrupts().count() == 0) {
    Instant now = clock.monotonic();
    if (now >= next_look) {
      watched.error = look(session, display, execution, now, nullptr);
      next_look = clock.monotonic() + display.interval();
      if (watched.error) break;
    }
    client.pump(std::min(next_look - now, Duration::milliseconds(100)));
  }
  if (!watched.error && client.done(settled)) {
    Result<Settlement> settlement = client.take_as<Settlement>(settled);
    if (settlement.ok()) {
      watched.error = look(session, display, execution, clock.monotonic(), &watched.detail);
    } else {
      watched.error = settlement.error();
    }
  } else {
    client.forget(settled);
    if (!watched.error) watched.end = WatchEnd::interrupted;
  }
  if (watched.error) watched.end = WatchEnd::lost;
  display.end();
  return watched;
}

int leave(Session& session, ExecutionId execution, const std::string& again) {
  Station& station = session.station();
  std::string id = to_text(execution);
  const std::string& state = session.place_option();
  if (!station.holds()) {
    std::string where = station.remote() ? "at " + session.state()
                                         : "in process " + std::to_string(station.holder());
    session.say(id + " goes on " + where + "; `pawl " + again + state +
                "` watches it again, `pawl cancel " + id + state + "` ends it");
    session.close();
    return exit_interrupted;
  }
  session.say("stopping what runs; Ctrl-C again kills it at once");
  station.stop();
  while (!station.stopped()) {
    session.client().pump(Duration::milliseconds(50));
    if (session.interrupts().count() > 1) {
      session.console().clear();
      _exit(exit_interrupted);  // the guardian kills what still runs; the log needs no farewell
    }
  }
  int code = session.close(exit_interrupted);
  session.say("stopped; nothing finished is lost. Go on with: pawl " + again + state);
  return code;
}

}  // namespace pawl::cli
