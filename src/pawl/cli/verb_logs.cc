#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "pawl/base/json.h"
#include "pawl/cli/inputs.h"
#include "pawl/cli/report.h"
#include "pawl/cli/verbs.h"

namespace pawl::cli {
namespace {

// One stream of one attempt.
struct Stream {
  std::string node;
  ItemIndex item = 0;
  AttemptNumber attempt = 0;
  bool errors = false;

  friend auto operator<=>(const Stream&, const Stream&) = default;
};

// "12.1.err"
std::optional<Stream> stream_of(const std::string& node, std::string_view file) {
  Stream stream;
  stream.node = node;
  auto [first, bad_item] = std::from_chars(file.data(), file.data() + file.size(), stream.item);
  if (bad_item != std::errc()) return std::nullopt;
  file.remove_prefix(static_cast<size_t>(first - file.data()));
  if (!file.starts_with('.')) return std::nullopt;
  file.remove_prefix(1);
  auto [second, bad] = std::from_chars(file.data(), file.data() + file.size(), stream.attempt);
  if (bad != std::errc()) return std::nullopt;
  file.remove_prefix(static_cast<size_t>(second - file.data()));
  if (file != ".out" && file != ".err") return std::nullopt;
  stream.errors = file == ".err";
  return stream;
}

class LogPrinter {
 public:
  LogPrinter(Session& session, ExecutionDetail detail, Subject subject)
      : session_(session), detail_(std::move(detail)), subject_(std::move(subject)) {}

  // Whether the subject names something that exists.
  Status check() const {
    if (subject_.node.empty()) return {};
    for (const NodeDetail& node : detail_.nodes) {
      if (node.id != subject_.node) continue;
      if (!subject_.item || *subject_.item < std::max<uint64_t>(node.tasks.total, 1)) return {};
      return Error{Code::not_found, node.id + " has " + std::to_string(node.tasks.total) +
                                        " items, numbered from 0"};
    }
    return Error{Code::not_found, to_text(detail_.summary.id) + " has no node " + subject_.node};
  }

  // What has been written since the last call.
  void print_files() {
    for (const NodeDetail& node : detail_.nodes) {
      if (!subject_.node.empty() && node.id != subject_.node) continue;
      for (const Stream& stream : streams_of(node.id)) print_rest(stream);
    }
    session_.console().flush();
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
  std::string folder(const std::string& node) const {
    return session_.output_folder(detail_.summary.id) + node + "/";
  }

  std::vector<Stream> streams_of(const std::string& node) const {
    std::vector<Stream> streams;
    if (session_.station().remote()) return streams;
    DIR* directory = opendir(folder(node).c_str());
    if (directory == nullptr) return streams;
    while (const dirent* entry = readdir(directory)) {
      std::optional<Stream> stream = stream_of(node, entry->d_name);
      if (!stream || (subject_.item && stream->item != *subject_.item)) continue;
      streams.push_back(*stream);
    }
    closedir(directory);
    std::sort(streams.begin(), streams.end());
    return streams;
  }

  void head(const Stream& stream) {
    if (shown_ == stream) return;
    bool mapped = false;
    for (const NodeDetail& node : detail_.nodes) mapped |= node.id == stream.node && node.mapped;
    const Style& style = session_.console().out_style();
    std::string line = "==> " + task_name(stream.node, stream.item, stream.item + 1, mapped) +
                       ", attempt " + std::to_string(stream.attempt) +
                       (stream.errors ? ", stderr" : ", stdout") + " <==";
    session_.console().out((shown_ ? "\n" : "") + style.paint(Colour::dim, line) + "\n");
    shown_ = stream;
  }

  void print_rest(const Stream& stream) {
    std::string path = folder(stream.node) + std::to_string(stream.item) + "." +
                       std::to_string(stream.attempt) + (stream.errors ? ".err" : ".out");
    int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return;
    off_t& at = printed_[stream];
    char buffer[64 * 1024];
    for (ssize_t got = 0; (got = pread(fd, buffer, sizeof buffer, at)) > 0; at += got) {
      head(stream);
      session_.console().out({buffer, static_cast<size_t>(got)});
    }
    close(fd);
  }

  Status print_record(const NodeDetail& node, ItemIndex item) {
    PAWL_ASSIGN(TaskDetail task, session_.client().task({detail_.summary.id, node.id, item}));
    Stream stream{node.id, item, task.attempts, false};
    if (!task.output || task.output->is_absent() || printed_.contains(stream)) return {};
    PAWL_ASSIGN(std::string text, session_.client().text(*task.output));
    head(stream);
    session_.console().out(for_people(text) + "\n");
    return {};
  }

  Session& session_;
  ExecutionDetail detail_;
  Subject subject_;
  std::map<Stream, off_t> printed_;  // bytes
  std::optional<Stream> shown_;      // whose head stands last
};

Result<Subject> subject_of(const Arguments& given) {
  std::string text = given.positionals().front();
  if (given.positionals().size() > 1) text += "/" + given.positionals()[1];  // e17 count[3]
  return parse_subject(text);
}

int logs(Session& session, const Arguments& given) {
  Result<Subject> subject = subject_of(given);
  if (!subject.ok()) return session.fail(subject.error());
  ExecutionId id{subject->execution};
  Client& client = session.client();
  Result<ExecutionDetail> detail = client.execution(id);
  if (!detail.ok()) return session.fail(detail.error());
  LogPrinter printer(session, *detail, *subject);
  if (Status there = printer.check(); !there.ok()) return session.fail(there.error());
  if (given.has("follow") && session.station().holds()) {
    session.say("nothing runs in " + session.state() + " now: this is all there is");
  } else if (given.has("follow")) {
    Ticket settled = client.start(AwaitExecution{id});
    while (!client.done(settled) && session.interrupts().count() == 0) {
      printer.print_files();
      client.pump(Duration::milliseconds(100));
    }
    if (session.interrupts().count() > 0) return exit_interrupted;
  }
  printer.print_files();
  if (session.station().remote())
    session.say("results only; what else was written is kept where the server is, in output/" +
                to_text(id) + " of its state directory");
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
