#include <algorithm>
#include <map>

#include "pawl/api/json_codec.h"
#include "pawl/base/json.h"
#include "pawl/cli/inputs.h"
#include "pawl/cli/reach.h"
#include "pawl/cli/report.h"
#include "pawl/cli/verbs.h"

namespace pawl::cli {
namespace {

constexpr Duration look_every = Duration::milliseconds(100);
constexpr uint32_t streams_page = 10'000;

class LogPrinter {
 public:
  LogPrinter(Session& session, ExecutionDetail detail, Subject subject, bool as_json)
      : session_(session),
        detail_(std::move(detail)),
        subject_(std::move(subject)),
        as_json_(as_json) {}

  void see(ExecutionDetail detail) { detail_ = std::move(detail); }

  // Whether the subject names something that exists.
  Status check() const {
    if (subject_.node.empty()) return {};
    for (const NodeDetail& node : detail_.nodes) {
      if (node.id != subject_.node) continue;
      if (!subject_.item || *subject_.item < std::max<uint64_t>(node.tasks.total, 1)) return {};
      uint64_t last = std::max<uint64_t>(node.tasks.total, 1) - 1;
      return Error{Code::not_found, node.id + " has items 0 to " + std::to_string(last) + ", not " +
                                        std::to_string(*subject_.item)};
    }
    return Error{Code::not_found, to_text(detail_.summary.id) + " has no node " + subject_.node};
  }

  // What has been written since the last call.
  Status print_files() {
    ListLogs page{detail_.summary.id, subject_.node, subject_.item, "", streams_page};
    do {
      PAWL_ASSIGN(LogList list, session_.client().logs(page));
      for (const LogFile& file : list.logs) PAWL_TRY(print_rest(file));
      page.after = list.next;
    } while (!page.after.empty());
    session_.console().flush();
    return {};
  }

  // Results that were small enough to leave no file.
  Status print_records() {
    for (const NodeDetail& node : detail_.nodes) {
      if (!subject_.node.empty() && node.id != subject_.node) continue;
      if (node.type != NodeType::process) continue;
      ItemIndex begin = subject_.item.value_or(0);
      ItemIndex end = subject_.item ? begin + 1 : static_cast<ItemIndex>(node.tasks.total);
      for (ItemIndex item = begin; item < end; ++item) PAWL_TRY(print_record(node, item));
    }
    return {};
  }

 private:
  void print(const LogKey& stream, const LogPart& part) {
    if (as_json_) return print_json(stream, part);
    head(stream);
    session_.console().out(part.content());
  }

  // A line for each part: the members of `log_part`, and whose it is.
  void print_json(const LogKey& stream, const LogPart& part) {
    JsonWriter line;
    line.begin_object().key("node").string(stream.node).key("item").number(uint64_t{stream.item});
    line.key("stream").string(name(stream.stream));
    std::string members = to_json(CallResult(part));
    for (JsonItems items(members); items.next();)
      line.key(json_unquote(items.key())).raw(items.value());
    line.end_object();
    session_.console().out(line.take() + "\n");
  }

  void head(const LogKey& stream) {
    if (shown_ == stream) return;
    bool mapped = false;
    for (const NodeDetail& node : detail_.nodes) mapped |= node.id == stream.node && node.mapped;
    const Style& style = session_.console().out_style();
    std::string line = "==> " + task_name(stream.node, stream.item, stream.item + 1, mapped) +
                       ", attempt " + std::to_string(stream.attempt) + ", " + name(stream.stream) +
                       " <==";
    session_.console().out((shown_ ? "\n" : "") + style.paint(Colour::dim, line) + "\n");
    shown_ = stream;
  }

  Status print_rest(const LogFile& file) {
    LogKey stream{detail_.summary.id, file.node, file.item, file.attempt, file.stream};
    uint64_t& at = printed_[stream];
    while (at < file.size) {
      PAWL_ASSIGN(LogPart part, session_.client().log({stream.execution, stream.node, stream.item,
                                                       stream.attempt, stream.stream, at}));
      if (part.next == at) break;  // half a character
      print(stream, part);
      at = part.next;
    }
    return {};
  }

  Status print_record(const NodeDetail& node, ItemIndex item) {
    PAWL_ASSIGN(TaskDetail task, session_.client().task({detail_.summary.id, node.id, item}));
    LogKey stream{detail_.summary.id, node.id, item, task.attempts, LogStream::out};
    if (!task.output || task.output->is_absent() || printed_.contains(stream)) return {};
    PAWL_ASSIGN(std::string text, session_.client().text(*task.output));
    LogPart whole;
    whole.attempt = stream.attempt;
    whole.text = for_people(text) + "\n";
    whole.next = whole.text.size();
    whole.over = true;
    print(stream, whole);
    return {};
  }

  Session& session_;
  ExecutionDetail detail_;
  Subject subject_;
  bool as_json_;
  std::map<LogKey, uint64_t> printed_;  // bytes
  std::optional<LogKey> shown_;         // whose head stands last
};

Result<Subject> subject_of(const Arguments& given) {
  std::string text = given.positionals().front();
  if (given.positionals().size() > 1) text += "/" + given.positionals()[1];  // e17 count[3]
  return parse_subject(text);
}

// As it is written, until the execution has settled.
Status follow(Session& session, const Arguments& given, LogPrinter& printer, ExecutionId id) {
  while (true) {
    if (session.station().holds()) {
      session.say("nothing runs in " + session.state() + " now: this is all there is");
      return {};
    }
    Client& client = session.client();
    Ticket settled = client.start(AwaitExecution{id});
    Status printed;
    while (printed.ok() && !client.done(settled) && session.interrupts().count() == 0) {
      printed = printer.print_files();
      client.pump(look_every);
    }
    if (session.interrupts().count() > 0) return {};
    if (printed.ok()) {
      Result<Settlement> end = client.take_as<Settlement>(settled);
      if (end.ok()) return {};
      printed = end.error();
    }
    PAWL_TRY(go_on(session, given, Purpose::look, printed.error()));
  }
}

int logs(Session& session, const Arguments& given) {
  Result<Subject> subject = subject_of(given);
  if (!subject.ok()) return session.fail(subject.error());
  ExecutionId id{subject->execution};
  Result<ExecutionDetail> detail = session.client().execution(id);
  if (!detail.ok()) return session.fail(detail.error());
  LogPrinter printer(session, *detail, *subject, Session::wants_json(given));
  if (Status there = printer.check(); !there.ok()) return session.fail(there.error());
  if (given.has("follow")) {
    Status followed = follow(session, given, printer, id);
    if (session.interrupts().count() > 0) return exit_interrupted;
    if (!followed.ok()) return session.fail(followed.error());
    detail = session.client().execution(id);
    if (!detail.ok()) return session.fail(detail.error());
    printer.see(std::move(*detail));
  }
  if (Status printed = printer.print_files(); !printed.ok()) return session.fail(printed.error());
  Status rest = printer.print_records();
  return rest.ok() ? exit_ok : session.fail(rest.error());
}

}  // namespace

int verb_logs(Session& session, const Arguments& given) {
  Status opened = Session::check_output(given);
  if (opened.ok()) opened = session.open(given, Purpose::look);
  if (!opened.ok()) return session.fail(opened.error());
  return session.close(logs(session, given));
}

}  // namespace pawl::cli
