#include "pawl/cli/report.h"

#include <sys/stat.h>

#include <algorithm>

#include "pawl/base/json.h"
#include "pawl/cli/progress_view.h"

namespace pawl::cli {
namespace {

constexpr uint32_t failures_shown_max = 10;
constexpr size_t line_columns = 72;  // of JSON for people: what fits stays on one line

void indent_into(std::string_view json, size_t depth, std::string& text) {
  JsonKind kind = json_kind(json);
  bool object = kind == JsonKind::object;
  bool short_enough = depth > 0 && json.size() + 2 * depth <= line_columns;
  if (short_enough || (!object && kind != JsonKind::array) || json_count(json) == 0) {
    text += json_compact(json);
    return;
  }
  bool first = true;
  text += object ? "{" : "[";
  for (JsonItems items(json); items.next();) {
    text += (first ? "\n" : ",\n") + std::string(2 * depth + 2, ' ');
    first = false;
    if (object) text += std::string(items.key()) + ": ";
    indent_into(items.value(), depth + 1, text);
  }
  text += "\n" + std::string(2 * depth, ' ') + (object ? "}" : "]");
}

std::string what_failed(const Cause& cause) {
  if (cause.kind == FailureKind::exit_code) return "exit code " + std::to_string(cause.exit_code);
  if (cause.kind == FailureKind::signal) {
    return "killed by signal " + std::to_string(cause.exit_code);
  }
  std::string text = name(cause.kind);
  std::replace(text.begin(), text.end(), '_', ' ');
  return text;
}

bool mapped(const ExecutionDetail& detail, const std::string& node) {
  for (const NodeDetail& one : detail.nodes) {
    if (one.id == node) return one.mapped;
  }
  return false;
}

void tell_failure(Session& session, const ExecutionDetail& detail, const DeadLetter& letter) {
  const Style& style = session.console().err_style();
  bool whole_node = letter.range.begin == letter.range.end;
  std::string task = task_name(letter.node, letter.range.begin, letter.range.end,
                               !whole_node && mapped(detail, letter.node));
  std::string cause = whole_node ? letter.cause.error : in_words(letter.cause);
  std::string line =
      "  " + style.paint(Colour::red, style.unicode ? "✗" : "!") + " " + task + ": " + tame(cause);
  if (letter.attempts > 1) line += " (" + std::to_string(letter.attempts) + " attempts)";
  session.console().err(line + "\n");
  for (const char* suffix : {"err", "out"}) {
    std::string file = output_file(session.output_folder(letter.range.execution), letter.node,
                                   letter.range.begin, letter.attempts, suffix);
    if (file.empty()) continue;
    session.console().err(style.paint(Colour::dim, "      its output: " + file) + "\n");
    break;
  }
}

void tell_failures(Session& session, const ExecutionDetail& detail) {
  ListDeadLetters query;
  query.execution = detail.summary.id;
  query.limit = failures_shown_max + 1;
  Result<DeadLetterList> list = session.client().dead_letters(query);
  if (!list.ok()) return;
  size_t shown = std::min<size_t>(list->letters.size(), failures_shown_max);
  for (size_t i = 0; i < shown; ++i) tell_failure(session, detail, list->letters[i]);
  std::string id = to_text(detail.summary.id);
  std::string state = session.place_option();
  if (list->letters.size() > shown) {
    session.console().err("    and more: pawl dead-letters list " + id + state + "\n");
  }
  if (detail.summary.status == ExecutionStatus::parked) {
    session.console().err("  try again:  pawl dead-letters redrive " + id + state +
                          " && pawl resume " + id + state +
                          "\n  or give up: pawl dead-letters discard " + id + state + "\n");
  }
}

std::string summary_of(const ExecutionDetail& detail, const Style& style) {
  const ExecutionSummary& all = detail.summary;
  std::string line = style.paint(Colour::bold, to_text(all.id)) + " " + tame(all.workflow) + " " +
                     style.paint(colour_of(all.status), name(all.status));
  if (all.ended.ns > all.started.ns)
    line += " in " + in_words(Duration{all.ended.ns - all.started.ns});
  line += ": " + with_commas(all.tasks.succeeded) +
          (all.tasks.succeeded == 1 ? " task done" : " tasks done");
  if (failing(all.tasks) > 0) line += ", " + with_commas(failing(all.tasks)) + " failed";
  if (all.tasks.cancelled > 0) line += ", " + with_commas(all.tasks.cancelled) + " cancelled";
  if (!all.error.empty()) line += " (" + tame(all.error) + ")";
  return line;
}

}  // namespace

std::string in_words(const Cause& cause) {
  std::string text = what_failed(cause);
  std::string line = cause.error.substr(0, cause.error.find('\n'));
  if (line.starts_with(text)) return line;  // it says so itself
  return line.empty() ? text : text + ": " + line;
}

std::string task_name(const std::string& node, ItemIndex begin, ItemIndex end, bool mapped) {
  if (!mapped) return node;
  std::string text = node + "[" + std::to_string(begin);
  if (end > begin + 1) text += ".." + std::to_string(end - 1);
  return text + "]";
}

std::string indented(std::string_view json) {
  std::string text;
  indent_into(json, 0, text);
  return text;
}

std::string for_people(std::string_view json) {
  return json_kind(json) == JsonKind::string ? json_unquote(json) : indented(json);
}

std::string output_file(const std::string& folder, const std::string& node, ItemIndex item,
                        AttemptNumber attempt, const char* suffix) {
  if (folder.empty()) return {};
  std::string path =
      folder + node + "/" + std::to_string(item) + "." + std::to_string(attempt) + "." + suffix;
  struct stat info {};
  return stat(path.c_str(), &info) == 0 ? path : std::string();
}

int exit_code_of(ExecutionStatus status) {
  return status == ExecutionStatus::succeeded ? exit_ok : exit_failed;
}

int report(Session& session, const ExecutionDetail& detail) {
  Console& console = session.console();
  console.err(summary_of(detail, console.err_style()) + "\n");
  ExecutionStatus status = detail.summary.status;
  if (status == ExecutionStatus::parked || status == ExecutionStatus::failed) {
    tell_failures(session, detail);
  }
  if (status == ExecutionStatus::succeeded && !detail.output.is_absent()) {
    Result<std::string> output = session.client().text(detail.output);
    if (!output.ok()) return session.fail(output.error());
    console.out(for_people(*output) + "\n");
  }
  console.flush();
  return exit_code_of(status);
}

int report_json(Session& session, const ExecutionDetail& detail) {
  const ExecutionSummary& all = detail.summary;
  Result<std::string> output = session.client().text(detail.output);
  if (!output.ok()) return session.fail(output.error());
  JsonWriter json;
  json.begin_object().key("event").string("settled").key("execution").string(to_text(all.id));
  json.key("status").string(name(all.status));
  json.key("error");
  all.error.empty() ? json.null() : json.string(all.error);
  json.key("output").raw(*output).key("failures").begin_array();
  ListDeadLetters query;
  query.execution = all.id;
  Result<DeadLetterList> letters = session.client().dead_letters(query);
  if (letters.ok()) {
    for (const DeadLetter& letter : letters->letters) {
      json.begin_object().key("node").string(letter.node);
      json.key("begin").number(uint64_t{letter.range.begin});
      json.key("end").number(uint64_t{letter.range.end});
      json.key("attempts").number(uint64_t{letter.attempts});
      json.key("cause").string(in_words(letter.cause)).end_object();
    }
  }
  session.console().out(json.end_array().end_object().take() + "\n");
  session.console().flush();
  return exit_code_of(all.status);
}

}  // namespace pawl::cli
