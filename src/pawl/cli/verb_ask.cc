#include <algorithm>

#include "pawl/api/json_codec.h"
#include "pawl/base/json.h"
#include "pawl/cli/history_text.h"
#include "pawl/cli/inputs.h"
#include "pawl/cli/progress_view.h"
#include "pawl/cli/report.h"
#include "pawl/cli/table.h"
#include "pawl/cli/verbs.h"

namespace pawl::cli {
namespace {

constexpr size_t running_shown_max = 20;

Status open_for_asking(Session& session, const Arguments& given) {
  PAWL_TRY(Session::check_output(given));
  return session.open(given, Purpose::look);
}

// The execution that the first positional names; without one, the newest.
Result<ExecutionId> execution_of(Session& session, const Arguments& given) {
  if (!given.positionals().empty()) {
    PAWL_ASSIGN(Subject subject, parse_subject(given.positionals().front()));
    return ExecutionId{subject.execution};
  }
  ListExecutions query;
  query.limit = 1;
  PAWL_ASSIGN(ExecutionList list, session.client().executions(query));
  if (list.executions.empty()) {
    return Error{Code::not_found, "there are no executions in " + session.state()};
  }
  return list.executions.front().id;
}

std::string took(const ExecutionSummary& one) {
  return one.ended.ns > one.started.ns ? in_words(Duration{one.ended.ns - one.started.ns}) : "";
}

int list(Session& session, const Arguments& given) {
  Result<uint64_t> limit = number_of(given, "limit", 50, 1);
  if (!limit.ok()) return session.fail(limit.error());
  ListExecutions query;
  query.limit = static_cast<uint32_t>(std::min<uint64_t>(*limit, 10'000));
  Result<ExecutionList> page = session.client().executions(query);
  if (!page.ok()) return session.fail(page.error());
  Console& console = session.console();
  if (Session::wants_json(given)) {
    console.out(to_json(CallResult(*page)) + "\n");
    return exit_ok;
  }
  if (page->executions.empty()) {
    session.say("no executions yet in " + session.state());
    return exit_ok;
  }
  const Style& style = console.out_style();
  Table table({"ID", "WORKFLOW", "STATUS", "TASKS", "FAILED", "STARTED", "TOOK"});
  for (const ExecutionSummary& one : page->executions) {
    table.row({to_text(one.id), tame(one.workflow),
               style.paint(colour_of(one.status), name(one.status)),
               with_commas(finished(one.tasks)) + "/" + with_commas(one.tasks.total),
               with_commas(failing(one.tasks)), local_time(one.started), took(one)});
  }
  console.out(table.text());
  return exit_ok;
}

std::string node_output(Client& client, const NodeDetail& node) {
  if (node.output.is_absent()) return {};
  if (node.output.size() > 200) return bytes_in_words(node.output.size());
  Result<std::string> text = client.text(node.output);
  return text.ok() ? tame(*text) : "";
}

// What its workers say of the tasks that have run for a moment.
Status show_running(Session& session, const ExecutionDetail& detail) {
  if (detail.summary.tasks.running == 0) return {};
  PAWL_ASSIGN(ProgressList running, session.client().progress(detail.summary.id));
  if (running.tasks.empty()) return {};
  const Style& style = session.console().out_style();
  Table table({"RUNNING", "WORKER", "ATTEMPT", "SINCE", "CPU", "MEMORY", "PROGRESS"});
  size_t shown = std::min(running.tasks.size(), running_shown_max);
  for (size_t i = 0; i < shown; ++i) {
    const auto& [one, worker] = running.tasks[i];
    if (one.task.node >= detail.nodes.size()) continue;
    const NodeDetail& node = detail.nodes[one.task.node];
    bool said = one.permille > 0 || !one.message.empty();
    std::string progress = said ? std::to_string(one.permille / 10) + "% " + tame(one.message) : "";
    table.row({task_name(node.id, one.task.item, one.task.item + 1, node.mapped), tame(worker),
               std::to_string(one.attempt),
               one.usage.running.ns > 0 ? in_words(one.usage.running) : "",
               one.usage.memory_bytes > 0 ? in_words(one.usage.cpu) : "",
               one.usage.memory_bytes > 0 ? bytes_in_words(one.usage.memory_bytes) : "",
               clip(progress, 60, style)});
  }
  session.console().out("\n" + table.text());
  if (shown < running.tasks.size())
    session.console().out("and " + with_commas(running.tasks.size() - shown) + " more\n");
  return {};
}

// One task: what it is, how it went, and its message for machines.
int show_task(Session& session, const Arguments& given, const Subject& subject) {
  const ExecutionId execution{subject.execution};
  Result<ExecutionDetail> detail = session.client().execution(execution);
  if (!detail.ok()) return session.fail(detail.error());
  auto node = std::find_if(detail->nodes.begin(), detail->nodes.end(),
                           [&](const NodeDetail& one) { return one.id == subject.node; });
  if (node != detail->nodes.end() && node->mapped && !subject.item)
    return session.fail(Error{Code::invalid_argument,
                              "node \"" + subject.node + "\" has " +
                                  with_commas(node->tasks.total) + " items; name one: pawl show '" +
                                  to_text(execution) + "/" + subject.node + "[0]'"});
  Result<TaskDetail> task =
      session.client().task({execution, subject.node, subject.item.value_or(0), true});
  if (!task.ok()) return session.fail(task.error());
  Console& console = session.console();
  if (Session::wants_json(given)) {
    console.out(to_json(CallResult(*task)) + "\n");
    return exit_ok;
  }
  std::string name_of = given.positionals().front();
  console.out(console.out_style().paint(Colour::bold, tame(name_of)) + "  " + name(task->status) +
              "\n");
  console.out("attempts " + with_commas(task->attempts) +
              (task->failures > 0 ? ", failures " + with_commas(task->failures) : "") + "\n");
  if (task->cause) console.out("last failure: " + tame(in_words(*task->cause)) + "\n");
  if (task->retry_in.ns > 0) console.out("tried again in " + in_words(task->retry_in) + "\n");
  if (task->message) {
    Result<std::string> message = session.client().text(*task->message);
    if (!message.ok()) return session.fail(message.error());
    console.out("message: " + tame(*message) + "\n");
  }
  if (!task->output || task->output->is_absent()) return exit_ok;
  Result<std::string> output = session.client().text(*task->output);
  if (!output.ok()) return session.fail(output.error());
  console.out("\noutput:\n" + for_people(*output) + "\n");
  return exit_ok;
}

int show(Session& session, const Arguments& given) {
  if (!given.positionals().empty()) {
    Result<Subject> subject = parse_subject(given.positionals().front());
    if (subject.ok() && !subject->node.empty()) return show_task(session, given, *subject);
  }
  Result<ExecutionId> id = execution_of(session, given);
  if (!id.ok()) return session.fail(id.error());
  Result<ExecutionDetail> detail = session.client().execution(*id);
  if (!detail.ok()) return session.fail(detail.error());
  Console& console = session.console();
  if (Session::wants_json(given)) {
    console.out(execution_state_json(*detail) + "\n");
    return exit_ok;
  }
  const Style& style = console.out_style();
  const ExecutionSummary& all = detail->summary;
  console.out(style.paint(Colour::bold, to_text(all.id)) + " " + tame(all.workflow) +
              (all.version.empty() ? "" : " (" + tame(all.version) + ")") + "  " +
              style.paint(colour_of(all.status), name(all.status)) + "\n");
  console.out("started " + local_time(all.started) +
              (all.ended.ns != 0 ? ", took " + took(all) : "") + "\n");
  if (!all.trace_id.empty()) console.out("trace " + all.trace_id + "\n");
  if (!all.error.empty()) console.out("error: " + tame(all.error) + "\n");
  if (!all.labels.empty() && all.labels != "{}") console.out("labels: " + all.labels + "\n");
  Result<std::string> input = session.client().text(detail->input);
  if (input.ok()) console.out("input: " + clip(tame(*input), 200, style) + "\n\n");
  Table table({"", "NODE", "STATUS", "TASKS", "RUNNING", "FAILED", "ATTEMPTS", "OUTPUT OR ERROR"});
  for (const NodeDetail& node : detail->nodes) {
    std::string last = node.error.empty() ? node_output(session.client(), node) : tame(node.error);
    NodeStatus shown = shown_status(node);
    table.row({status_sign(shown, style), node.id, in_words(shown),
               with_commas(finished(node.tasks)) + "/" + with_commas(node.tasks.total),
               with_commas(node.tasks.running), with_commas(failing(node.tasks)),
               std::to_string(node.attempts), clip(last, 60, style)});
  }
  console.out(table.text());
  if (Status shown = show_running(session, *detail); !shown.ok())
    return session.fail(shown.error());
  if (!detail->output.is_absent()) {
    Result<std::string> output = session.client().text(detail->output);
    if (!output.ok()) return session.fail(output.error());
    console.out("\noutput:\n" + for_people(*output) + "\n");
  }
  return exit_ok;
}

int history(Session& session, const Arguments& given) {
  Result<ExecutionId> id = execution_of(session, given);
  if (!id.ok()) return session.fail(id.error());
  Result<uint64_t> limit = number_of(given, "limit", 10'000, 1);
  if (!limit.ok()) return session.fail(limit.error());
  Result<ExecutionDetail> detail = session.client().execution(*id);
  if (!detail.ok()) return session.fail(detail.error());
  uint32_t entries = static_cast<uint32_t>(std::min<uint64_t>(*limit, 1'000'000));
  Result<History> story = session.client().history(*id, entries);
  if (!story.ok()) return session.fail(story.error());
  Console& console = session.console();
  if (Session::wants_json(given)) {
    console.out(to_json(CallResult(*story)) + "\n");
    return exit_ok;
  }
  Table table({"TIME", "AT", "WHAT"});
  for (const HistoryEntry& entry : story->entries) {
    table.row(
        {local_time(entry.wall), std::to_string(entry.position), event_line(entry.event, *detail)});
  }
  console.out(table.text());
  if (story->truncated) session.say("there is more; --limit N shows it");
  return story->status.ok() ? exit_ok : session.fail(story->status.error());
}

bool waits_for_work(const WhyList& list) {
  for (const Why& reason : list.reasons)
    if (reason.code == WhyCode::no_worker) return true;
  return false;
}

int why(Session& session, const Arguments& given) {
  Result<Subject> subject = parse_subject(given.positionals().front());
  if (!subject.ok()) return session.fail(subject.error());
  Result<WhyList> answer =
      session.client().why({ExecutionId{subject->execution}, subject->node, subject->item});
  if (!answer.ok()) return session.fail(answer.error());
  Console& console = session.console();
  if (Session::wants_json(given)) {
    console.out(to_json(CallResult(*answer)) + "\n");
    return exit_ok;
  }
  // Opened for this question alone: nobody works here, and that is all that a worker could mend.
  bool unheld = session.station().holds() && waits_for_work(*answer);
  if (unheld)
    console.out(to_text(ExecutionId{subject->execution}) + ": no process holds " + session.state() +
                ", so nothing runs\n  go on with: pawl resume " +
                to_text(ExecutionId{subject->execution}) + session.place_option() + "\n");
  for (const Why& reason : answer->reasons) {
    if (unheld && reason.code == WhyCode::no_worker) continue;
    console.out(console.out_style().paint(Colour::bold, reason.subject) + ": " +
                tame(reason.reason) + "\n");
    if (!reason.remedy.empty()) console.out("  " + tame(reason.remedy) + "\n");
  }
  return exit_ok;
}

int asked(Session& session, const Arguments& given, int (*answer)(Session&, const Arguments&)) {
  if (Status opened = open_for_asking(session, given); !opened.ok()) {
    return session.fail(opened.error());
  }
  return session.close(answer(session, given));
}

}  // namespace

int verb_list(Session& session, const Arguments& given) {
  return asked(session, given, list);
}
int verb_show(Session& session, const Arguments& given) {
  return asked(session, given, show);
}
int verb_history(Session& session, const Arguments& given) {
  return asked(session, given, history);
}
int verb_why(Session& session, const Arguments& given) {
  return asked(session, given, why);
}

}  // namespace pawl::cli
