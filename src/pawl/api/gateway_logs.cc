// What programs have written: the engine says who may see it and whether the attempt has ended, the output
// store has the bytes.

#include <algorithm>

#include "pawl/api/gateway.h"
#include "pawl/api/json_fields.h"
#include "pawl/base/json.h"
#include "pawl/definition/nearest.h"

namespace pawl {
namespace {

// Between two looks for a client that waits.
constexpr Duration log_look_every = Duration::milliseconds(100);
constexpr uint32_t logs_listed_max = 10'000;

std::string with_end(std::string line) {
  return line.empty() ? line : std::move(line) + "\n";
}

// A short stdout rides in the result of its task and leaves no file (process_executor.h): a text without
// its last line end, its lines, or the JSON that it was, compact.
std::string printed(std::string_view json) {
  if (std::optional<std::string_view> beside_files = json_find(json, {"stdout"});
      beside_files && json_find(json, {"files"}) && json_count(json) == 2)
    return printed(*beside_files);
  if (json_kind(json) == JsonKind::string) return with_end(json_unquote(json));
  if (json_kind(json) != JsonKind::array) return with_end(std::string(json));
  std::string lines;
  for (JsonItems items(json); items.next();) {
    if (json_kind(items.value()) != JsonKind::string) return with_end(std::string(json));
    lines += json_unquote(items.value()) + "\n";
  }
  return lines;
}

// Puts bytes into a part; what may go on is cut between two characters.
void fill(LogPart& part, Bytes bytes) {
  bool whole = bytes.size() < log_part_max;
  part.over = part.over && whole;
  if (!part.over) bytes.resize(whole_characters(bytes));
  part.next = part.offset + bytes.size();
  bool utf8 = json_unquote(json_quote(bytes)) == bytes;
  (utf8 ? part.text : part.bytes) = std::move(bytes);
}

// What there is to say without the bytes.
Result<LogPart> begin_part(const ReadLog& read, const TaskDetail& task) {
  if (read.attempt > task.attempts)
    return Error{Code::not_found, to_text(read.execution) + "/" + read.node + "[" +
                                      std::to_string(read.item) + "] has had " +
                                      std::to_string(task.attempts) + " attempts"};
  LogPart part;
  part.attempt = read.attempt != 0 ? read.attempt : task.attempts;
  part.offset = part.next = read.offset;
  if (part.attempt == 0)
    part.over = is_terminal(task.status);
  else
    part.over = part.attempt < task.attempts || task.status != TaskStatus::granted;
  return part;
}

}  // namespace

void Gateway::continue_log(uint64_t id, Open& open, TaskDetail task) {
  const auto& read = std::get<ReadLog>(open.call);
  Result<LogPart> part = begin_part(read, task);
  if (!part.ok()) return finish(id, part.error());
  if (part->attempt > 0) {
    std::string path = path_of({read.execution, read.node, read.item, part->attempt, read.stream});
    Result<Bytes> bytes = ports_.outputs.read(path, read.offset, log_part_max);
    bool nothing_kept = !bytes.ok() && bytes.error().code == Code::not_found;
    if (!bytes.ok() && !nothing_kept) return finish(id, bytes.error());
    if (bytes.ok()) fill(*part, std::move(*bytes));
    bool in_result = nothing_kept && read.stream == LogStream::out && task.output &&
                     part->attempt == task.attempts && !task.output->is_absent() &&
                     !task.output->is_blob();
    if (in_result) {  // if it is a program's
      open.log = std::move(*part);
      open.result = std::move(*task.output);
      return ask_engine(id, 0, Query{GetExecution{read.execution}}, open.name_space);
    }
  }
  bool news = part->over || part->next > part->offset;
  if (news || !read.wait || open.hurried || ports_.clock == nullptr)
    return finish(id, std::move(*part));
  open.look_at = ports_.clock->monotonic() + log_look_every;
  looks_.emplace_back(open.look_at, id);
}

void Gateway::finish_log(uint64_t id, Open& open, const ExecutionDetail& detail) {
  const auto& read = std::get<ReadLog>(open.call);
  bool program = std::any_of(detail.nodes.begin(), detail.nodes.end(), [&](const NodeDetail& node) {
    return node.id == read.node && node.type == NodeType::process;
  });
  std::string text = program ? printed(open.result->text()) : "";
  text.erase(0, std::min<uint64_t>(read.offset, text.size()));
  text.resize(std::min<uint64_t>(log_part_max, text.size()));
  fill(*open.log, std::move(text));
  finish(id, std::move(*open.log));
}

void Gateway::look_at_logs() {
  if (looks_.empty()) return;
  Instant now = ports_.clock->monotonic();
  while (!looks_.empty() && looks_.front().first <= now) {
    auto [at, id] = looks_.front();
    looks_.pop_front();
    auto found = open_.find(id);
    if (found == open_.end() || found->second.look_at != at) continue;
    found->second.look_at = Instant::never();
    begin(id, found->second);
  }
}

CallResult Gateway::list_logs(const ListLogs& call, const ExecutionDetail& detail) const {
  LogKey after;
  bool goes_on = !call.after.empty();
  if (goes_on && (!key_from_path(call.after, after) || after.execution != call.execution))
    return Error{Code::invalid_argument,
                 "\"after\" must be the \"next\" of another page of " + to_text(call.execution)};
  const size_t limit = std::clamp(call.limit, 1u, logs_listed_max);
  LogList list;
  std::vector<std::string_view> names;
  bool found = call.node.empty();
  for (const NodeDetail& node : detail.nodes) {
    names.push_back(node.id);
    if (!call.node.empty() && node.id != call.node) continue;
    found = true;
    bool before = goes_on && node.id != after.node;
    if (before) continue;
    Result<std::vector<KeptLog>> kept = ports_.outputs.list(call.execution, node.id);
    if (!kept.ok()) return kept.error();
    for (const KeptLog& one : *kept) {
      if ((call.item && one.key.item != *call.item) || (goes_on && one.key <= after)) continue;
      if (list.logs.size() == limit) {
        const LogFile& last = list.logs.back();
        list.next = path_of({call.execution, last.node, last.item, last.attempt, last.stream});
        return list;
      }
      list.logs.push_back({node.id, one.key.item, one.key.attempt, one.key.stream, one.size});
    }
    goes_on = false;
  }
  if (!found)
    return Error{Code::not_found, to_text(call.execution) + " has no node \"" + call.node + "\"" +
                                      hint(call.node, names)};
  return list;
}

}  // namespace pawl
