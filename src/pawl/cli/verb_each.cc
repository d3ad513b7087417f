#include <unistd.h>

#include <algorithm>

#include "pawl/adapter/linux_loop/linux_clock.h"
#include "pawl/base/json.h"
#include "pawl/cli/each_job.h"
#include "pawl/cli/each_outputs.h"
#include "pawl/cli/guests.h"
#include "pawl/cli/inputs.h"
#include "pawl/cli/progress_view.h"
#include "pawl/cli/reach.h"
#include "pawl/cli/report.h"
#include "pawl/cli/verbs.h"
#include "pawl/cli/watch.h"
#include "pawl/model/limits.h"

namespace pawl::cli {
namespace {

constexpr uint32_t failures_shown_max = 10;
constexpr size_t item_columns_max = 200;

Result<EachJob> job_of(const Arguments& given) {
  EachJob job = split_each(given.positionals());
  if (job.command.empty()) {
    return Error{Code::invalid_argument,
                 "a command is missing; usage: pawl each 'gzip -k {}' ::: *.log"};
  }
  if (!job.items_given) {
    std::string file = given.value("arg-file").value_or("-");
    if (file == "-" && isatty(0) == 1) {
      return Error{Code::invalid_argument,
                   "no items: give them behind ::: , or one per line on standard input"};
    }
    PAWL_ASSIGN(std::string text, read_text(file, Limits{}.input_bytes_max));
    job.items = items_of(text, given.has("null") ? ItemEnd::nul : ItemEnd::line);
  } else if (given.has("arg-file")) {
    return Error{Code::invalid_argument, "--arg-file and ::: cannot be given together"};
  }
  if (job.items.size() > mapped_items_max) {
    return Error{Code::resource_exhausted,
                 "at most " + with_commas(mapped_items_max) + " items (mapped_items_max)"};
  }
  PAWL_TRY(check_texts(job));
  PAWL_TRY(check_line(job));
  return job;
}

Result<EachOptions> options_of(const Arguments& given) {
  EachOptions options;
  PAWL_ASSIGN(uint64_t retries, number_of(given, "retries", 0, 0));
  if (retries >= attempts_max) {
    return Error{Code::invalid_argument, "--retries: fewer than " + std::to_string(attempts_max)};
  }
  options.attempts = retries + 1;
  if (std::optional<std::string> timeout = given.value("timeout")) {
    PAWL_ASSIGN(options.timeout, duration_text(*timeout, "--timeout"));
  }
  PAWL_ASSIGN(options.directory, current_directory());
  return options;
}

// Anybody may call a workflow `each`; ours is one node with items.
bool is_ours(const ExecutionDetail& detail) {
  return detail.nodes.size() == 1 && detail.nodes[0].id == "each" && detail.nodes[0].mapped &&
         detail.nodes[0].type == NodeType::process;
}

// With --resume everything else about the work has been said when it was submitted.
Status check_resume(const Arguments& given) {
  auto wrong = [](const std::string& what) {
    return Error{Code::invalid_argument,
                 what +
                     ": --resume goes on with a `pawl each` as it was typed then, and takes "
                     "nothing but its id: pawl each --resume e17"};
  };
  for (const char* option : {"retries", "timeout", "null", "arg-file", "dry-run", "traceparent"}) {
    if (given.has(option)) return wrong("--" + std::string(option) + " beside --resume");
  }
  const std::vector<std::string>& words = given.positionals();
  for (size_t i = 0; i < words.size(); ++i) {
    if (i > 0 || !execution_from_text(words[i]))
      return wrong("\"" + tame(words[i]) + "\" beside --resume");
  }
  return {};
}

// The newest `each`, however it ended: an older one is not what was meant.
Result<ExecutionDetail> newest(Session& session) {
  if (session.station().remote())
    return Error{Code::failed_precondition,
                 "a server has the `each` of everybody: `pawl list` shows them, and `pawl each "
                 "--resume e17` goes on with one"};
  ListExecutions query;
  query.limit = 1000;
  while (true) {
    PAWL_ASSIGN(ExecutionList page, session.client().executions(query));
    for (const ExecutionSummary& one : page.executions) {
      if (one.workflow != "each") continue;
      PAWL_ASSIGN(ExecutionDetail detail, session.client().execution(one.id));
      if (is_ours(detail)) return detail;
    }
    if (page.executions.size() < query.limit) break;
    query.before = page.executions.back().id;
  }
  return Error{Code::not_found, "no `pawl each` in " + session.state()};
}

Result<ExecutionDetail> named(Session& session, ExecutionId id) {
  PAWL_ASSIGN(ExecutionDetail detail, session.client().execution(id));
  if (is_ours(detail)) return detail;
  return Error{Code::failed_precondition, to_text(id) +
                                              " is no `pawl each`; go on with it: pawl resume " +
                                              to_text(id) + session.place_option()};
}

Result<ExecutionId> to_resume(Session& session, const Arguments& given) {
  const std::vector<std::string>& words = given.positionals();
  PAWL_ASSIGN(ExecutionDetail detail,
              words.empty() ? newest(session) : named(session, execution_from_text(words.front())));
  ExecutionId id = detail.summary.id;
  if (detail.summary.status == ExecutionStatus::parked) {
    PAWL_ASSIGN(uint64_t count, session.client().redrive({id, "", std::nullopt}));
    session.say(to_text(id) + ": " + with_commas(count) + " failed items are tried again");
  }
  return id;
}

class EachRun {
 public:
  EachRun(Session& session, const Arguments& given, ExecutionId execution)
      : session_(session), given_(given), execution_(execution) {}

  // The exit code; an interrupt has closed the session then.
  int run() {
    while (true) {
      Ticket settled = session_.client().start(AwaitExecution{execution_});
      Result<ExecutionDetail> detail = until_settled(settled);
      session_.console().clear();
      if (detail.ok() && !interrupted_) return tell_end(*detail);
      if (detail.ok()) {
        session_.client().forget(settled);
        return leave_it();
      }
      Status back = go_on(session_, given_, Purpose::work, detail.error());
      if (session_.opened() && over()) return leave_it();
      if (!back.ok()) return session_.fail(back.error());
    }
  }

 private:
  bool over() const { return session_.interrupts().count() > 0 || session_.console().abandoned(); }

  // The verb that goes on with it, and prints the outputs.
  std::string again() const { return "each --resume " + to_text(execution_); }

  int leave_it() {
    bool interrupted = session_.interrupts().count() > 0;
    int code = leave(session_, execution_, again());
    bool unwritable = !interrupted && !session_.console().written().ok();
    return code == exit_interrupted && unwritable ? exit_failed : code;
  }

  Result<ExecutionDetail> until_settled(Ticket settled) {
    LinuxClock clock;
    Client& client = session_.client();
    Instant next_look = clock.monotonic() + Duration::milliseconds(100);
    while (!client.done(settled) && !over()) {
      Instant now = clock.monotonic();
      if (now >= next_look) {
        PAWL_TRY(look(now));
        next_look = clock.monotonic() + Duration::milliseconds(100);
      } else {
        client.pump(std::min(next_look - now, Duration::milliseconds(100)));
      }
    }
    interrupted_ = over();
    if (!interrupted_) {
      PAWL_ASSIGN([[maybe_unused]] Settlement end, client.take_as<Settlement>(settled));
      PAWL_TRY(look(clock.monotonic()));
    }
    return client.execution(execution_);
  }

  Status look(Instant now) {
    PAWL_ASSIGN(ExecutionDetail detail, session_.client().execution(execution_));
    if (detail.nodes.empty()) return {};
    if (!outputs_ && detail.nodes[0].tasks.total > 0) {
      outputs_.emplace(session_, execution_, detail.nodes[0].id,
                       static_cast<ItemIndex>(detail.nodes[0].tasks.total),
                       given_.has("unordered") ? OutputOrder::completion : OutputOrder::items);
    }
    view_.update(std::move(detail), now);
    if (outputs_) PAWL_TRY(outputs_->print_new());
    session_.console().flush();
    if (!given_.has("quiet")) {
      Console::Size size = session_.console().size();
      session_.console().show(
          view_.lines(now, session_.console().err_style(), size.columns, size.rows));
    }
    return {};
  }

  std::string item_text(const ExecutionDetail& detail, ItemIndex item) {
    if (input_.empty()) {
      Result<std::string> text = session_.client().text(detail.input);
      input_ = text.ok() ? std::move(*text) : "{}";
    }
    auto value = json_find(input_, {"items", std::to_string(item)});
    if (value && json_kind(*value) == JsonKind::object) value = json_find(*value, {"item"});
    const Style& style = session_.console().err_style();
    return value ? clip(tame(json_unquote(*value)), item_columns_max, style) : "";
  }

  int tell_end(const ExecutionDetail& detail) {
    const ExecutionSummary& all = detail.summary;
    bool good = all.status == ExecutionStatus::succeeded && all.tasks.cancelled == 0;
    if (!good) tell_failure(detail);
    std::string typed = "pawl " + again() + session_.place_option();
    if (all.status == ExecutionStatus::parked)
      session_.console().err("  try them again: " + typed + "\n");
    else if (!session_.console().written().ok())
      session_.say("the outputs, from the beginning: " + typed);
    return good ? exit_ok : exit_failed;
  }

  void tell_failure(const ExecutionDetail& detail) {
    Console& console = session_.console();
    std::string pawl = console.err_style().paint(Colour::red, "pawl:") + " ";
    const TaskCounts& tasks = detail.summary.tasks;
    if (detail.summary.status == ExecutionStatus::cancelled) {
      const std::string& why = detail.summary.error;
      console.err(pawl + to_text(execution_) + " was cancelled" +
                  (why.empty() ? "" : ": " + tame(why)) + "; " + with_commas(tasks.succeeded) +
                  " of " + with_commas(tasks.total) + " done\n");
      return;
    }
    std::string counts;
    if (failing(tasks) > 0 || tasks.cancelled == 0)
      counts = with_commas(failing(tasks)) + " of " + with_commas(tasks.total) + " failed";
    if (tasks.cancelled > 0)
      counts += (counts.empty() ? with_commas(tasks.cancelled) + " of " + with_commas(tasks.total)
                                : ", " + with_commas(tasks.cancelled)) +
                " cancelled";
    console.err(pawl + counts + "\n");
    tell_letters(detail, tasks.parked);
    tell_lost(detail, tasks.failed + tasks.cancelled);
  }

  void tell_letters(const ExecutionDetail& detail, uint64_t parked) {
    Console& console = session_.console();
    ListDeadLetters query;
    query.execution = execution_;
    query.limit = failures_shown_max;
    Result<DeadLetterList> letters = session_.client().dead_letters(query);
    uint64_t shown = 0;
    for (size_t i = 0; letters.ok() && i < letters->letters.size(); ++i) {
      const DeadLetter& one = letters->letters[i];
      if (one.range.begin == one.range.end) console.err("  " + tame(one.cause.error) + "\n");
      for (ItemIndex item = one.range.begin; item < one.range.end; ++item) {
        if (shown++ >= failures_shown_max) break;
        console.err("  " + item_text(detail, item) + ": " + tame(in_words(one.cause)) + "\n");
      }
    }
    if (parked > shown) {
      console.err("  and more: pawl dead-letters list " + to_text(execution_) +
                  session_.place_option() + "\n");
    }
  }

  // What nobody can try again: cancelled items, and dead letters that were discarded.
  void tell_lost(const ExecutionDetail& detail, uint64_t count) {
    if (!outputs_) return;
    Console& console = session_.console();
    uint64_t shown = 0;
    for (const LostItem& one : outputs_->lost()) {
      if (shown++ >= failures_shown_max) break;
      std::string why = one.cancelled ? "cancelled" : "given up: " + tame(in_words(one.cause));
      console.err("  " + item_text(detail, one.item) + ": " + why + "\n");
    }
    if (count > failures_shown_max)
      console.err("  and " + with_commas(count - failures_shown_max) + " more\n");
  }

  Session& session_;
  const Arguments& given_;
  ExecutionId execution_;
  ProgressView view_;
  std::optional<EachOutputs> outputs_;
  std::string input_;
  bool interrupted_ = false;
};

Result<ExecutionId> begin(Session& session, const EachJob& job, const EachOptions& options,
                          std::string traceparent) {
  SubmitRequest request;
  request.definition = each_definition(job, options);
  request.file_name = "each";
  request.input_json = each_input(job);
  request.traceparent = std::move(traceparent);
  return submit(session, std::move(request));
}

}  // namespace

int verb_each(Session& session, const Arguments& given) {
  bool resume = given.has("resume");
  if (Status fits = resume ? check_resume(given) : Status(); !fits.ok()) {
    session.fail(fits.error());
    return exit_usage;
  }
  Result<EachJob> job = resume ? EachJob{} : job_of(given);
  if (!job.ok()) {
    session.fail(job.error());
    return exit_usage;
  }
  Result<EachOptions> options = options_of(given);
  if (!options.ok()) return session.fail(options.error());
  if (given.has("dry-run")) {
    for (size_t i = 0; i < job->items.size(); ++i) {
      session.console().out(each_line(*job, i) + "\n");
    }
    return exit_ok;
  }
  if (!resume && job->items.empty()) return exit_ok;
  if (Status opened = session.open(given, Purpose::work); !opened.ok()) {
    return session.fail(opened.error());
  }
  Guests guests(session);
  Result<ExecutionId> id =
      resume ? to_resume(session, given)
             : begin(session, *job, *options, traceparent_of(given.value("traceparent")));
  if (!id.ok()) return session.close(session.fail(id.error()));
  int code = EachRun(session, given, *id).run();
  guests.serve();
  return session.close(code);
}

}  // namespace pawl::cli
