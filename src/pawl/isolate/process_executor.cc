#include "pawl/isolate/process_executor.h"

#include <unistd.h>

#include <csignal>
#include <cstring>
#include <iterator>

#include "pawl/base/check.h"
#include "pawl/isolate/process_output.h"
#include "pawl/worker/failure.h"

namespace pawl {
namespace {

constexpr size_t error_bytes_max = 1024;

// The last line that says something.
std::string last_line(const ProcessOutput& err) {
  std::string_view text = err.whole_in_head() ? err.head : err.tail;
  size_t end = text.find_last_not_of(" \t\r\n");
  if (end == std::string_view::npos) return {};
  text = text.substr(0, end + 1);
  size_t begin = text.find_last_of('\n');
  if (begin != std::string_view::npos) text.remove_prefix(begin + 1);
  return std::string(text.substr(0, error_bytes_max));
}

std::string seconds(Duration duration) {
  int64_t ms = duration.whole_milliseconds();
  return ms % 1000 == 0 ? std::to_string(ms / 1000) + " s" : std::to_string(ms) + " ms";
}

struct Cause {
  FailureKind kind;
  std::string error;
};

std::string size_words(uint64_t bytes) {
  constexpr const char* units[] = {" bytes", "KiB", "MiB", "GiB", "TiB"};
  size_t unit = 0;
  for (; unit + 1 < std::size(units) && bytes > 0 && bytes % 1024 == 0; ++unit) bytes /= 1024;
  return std::to_string(bytes) + units[unit];
}

std::string cpu_limit(const ProcessLimits& limits) {
  return "limits.cpu (" + std::to_string(limits.cpu_seconds) + "s)";
}

// Limits of the node that may be the reason, where nobody says that they are.
std::string suspects(const ProcessEnded& ended, const ProcessLimits& limits) {
  std::string text;
  bool absent = ended.error.starts_with("no such program");
  if (limits.memory_bytes > 0 && !absent)
    text = "limits.memory (" + size_words(limits.memory_bytes) + ")";
  bool killed = ended.end == ProcessEnd::signalled && ended.code == SIGKILL;
  if (limits.cpu_seconds > 0 && killed) text += (text.empty() ? "" : ", ") + cpu_limit(limits);
  return text.empty() ? text : "; set: " + text;
}

Cause cause_of(const ProcessEnded& ended, const Node& node) {
  const Timeouts& timeout = node.timeout;
  const ProcessLimits& limits = node.process.limits;
  bool cpu_used = limits.cpu_seconds > 0 &&
                  (ended.end == ProcessEnd::signalled ? ended.code == SIGXCPU
                                                      : ended.code == 128 + SIGXCPU);  // by a shell
  std::string words = last_line(ended.err);
  std::string said = words.empty() ? words : ": " + words;
  switch (ended.end) {
    case ProcessEnd::exited:
      return {FailureKind::exit_code, "exit code " + std::to_string(ended.code) +
                                          (cpu_used ? ": used up " + cpu_limit(limits) : "") +
                                          said};
    case ProcessEnd::signalled:
      if (cpu_used) return {FailureKind::signal, "used up " + cpu_limit(limits) + said};
      return {FailureKind::signal, "killed by signal " + std::to_string(ended.code) + " (" +
                                       strsignal(ended.code) + ")" + suspects(ended, limits) +
                                       said};
    case ProcessEnd::out_of_memory:
      return {FailureKind::out_of_memory, "killed by the kernel: out of memory" + said};
    case ProcessEnd::run_timeout:
      return {FailureKind::timeout,
              "ran longer than " + seconds(timeout.run) + " (timeout.run)" + said};
    case ProcessEnd::heartbeat_timeout:
      return {FailureKind::timeout, "no progress line on $PAWL_PROGRESS for " +
                                        seconds(timeout.heartbeat) + " (timeout.heartbeat)" + said};
    case ProcessEnd::stopped:
      return {FailureKind::declined, "stopped"};
    case ProcessEnd::not_started:
      return {FailureKind::spawn, ended.error + suspects(ended, limits)};
    case ProcessEnd::declined:
      return {FailureKind::declined, ended.error};
  }
  return {FailureKind::exit_code, "ended"};
}

}  // namespace

ProcessExecutor::ProcessExecutor(LinuxLoop& loop, Clock& clock, const ProcessRunnerOptions& options,
                                 Renderer& renderer, PayloadStore& payloads,
                                 Sink<ExecutorNews>& news, uint64_t output_bytes_max)
    : loop_(loop),
      clock_(clock),
      directory_(options.directory),
      copies_(options.copies),
      renderer_(renderer),
      payloads_(payloads),
      news_(news),
      output_bytes_max_(output_bytes_max),
      rendered_(loop) {
  loop_.add(*this);
  if (copies_ != nullptr) copies_->tell(&loop_);
}

Result<std::unique_ptr<ProcessExecutor>> ProcessExecutor::create(
    LinuxLoop& loop, Clock& clock, ProcessRunnerOptions options, Renderer& renderer,
    PayloadStore& payloads, Sink<ExecutorNews>& news, uint64_t output_bytes_max) {
  std::unique_ptr<ProcessExecutor> executor(
      new ProcessExecutor(loop, clock, options, renderer, payloads, news, output_bytes_max));
  PAWL_ASSIGN(executor->runner_, ProcessRunner::create(loop, clock, std::move(options), *executor));
  return executor;
}

ProcessExecutor::~ProcessExecutor() {
  if (copies_ != nullptr) copies_->tell(nullptr);
  loop_.remove(*this);
}

void ProcessExecutor::start(Launch launch) {
  PAWL_CHECK(launch.grant.range.size() == 1, "a process runs one item");
  uint64_t id = launch.id;
  auto [place, fresh] = runs_.emplace(id, Run{std::move(launch.grant), Phase::rendering, {}, {}});
  PAWL_CHECK(fresh, "this launch is running already");
  auto command = renderer_.command(id, place->second.grant, rendered_);
  if (command.has_value()) run(id, std::move(*command));
}

bool ProcessExecutor::turn() {
  rendered_.take_all(batch_);
  for (RenderedCommand& rendered : batch_) run(rendered.launch, std::move(rendered.command));
  release_held();
  return false;
}

void ProcessExecutor::release_held() {
  while (!held_.empty() && (held_.front().copied <= copies_->settled() ||
                            held_.front().until <= clock_.monotonic())) {
    news_.put(std::move(held_.front().finished));
    held_.pop_front();
  }
}

void ProcessExecutor::run(uint64_t launch, Result<ProcessCommand> command) {
  auto place = runs_.find(launch);
  if (place == runs_.end()) return;  // stopped meanwhile
  if (!command.ok())
    return fail(launch, failure_of(command.error(), FailureKind::expression), 0,
                command.error().message);
  Run& run = place->second;
  run.phase = Phase::running;
  complete(*command, run.grant);
  run.files = command->output_files;
  run.directory = command->directory.empty() ? directory_ : command->directory;
  runner_->start(launch, std::move(*command));
}

void ProcessExecutor::complete(ProcessCommand& command, const Grant& grant) const {
  const RunContext& context = *grant.context;
  const Node& node = context.definition();
  TaskKey task = grant.range.at(grant.range.begin);
  std::string execution = to_text(task.execution);
  std::string item = std::to_string(task.item);
  std::string attempt = std::to_string(grant.attempt);
  command.run_timeout = node.timeout.run;
  command.heartbeat_timeout = node.timeout.heartbeat;
  command.output_path = execution + "/" + node.id + "/" + item + "." + attempt;
  auto& environment = command.environment;
  environment.emplace_back("PAWL_EXECUTION", std::move(execution));
  environment.emplace_back("PAWL_NODE", node.id);
  environment.emplace_back("PAWL_ITEM", std::move(item));
  environment.emplace_back("PAWL_ATTEMPT", std::move(attempt));
  environment.emplace_back("PAWL_IDEMPOTENCY_KEY", idempotency_key(context.cluster, task));
  if (context.trace.id == Hash128{}) return;  // granted by a server that does not know of traces
  uint64_t span = span_of(context.cluster, task, grant.attempt);
  environment.emplace_back("TRACEPARENT", traceparent(context.trace, span));
}

void ProcessExecutor::stop(uint64_t launch, StopMode mode) {
  auto place = runs_.find(launch);
  if (place == runs_.end()) return;
  if (place->second.phase == Phase::running) return runner_->stop(launch, mode);
  fail(launch, FailureKind::declined, 0, "stopped");
}

void ProcessExecutor::put(ProcessNews news) {
  if (auto* end = std::get_if<ProcessEnded>(&news)) return ended(std::move(*end));
  auto& progress = std::get<ProcessProgress>(news);
  const Grant& grant = runs_.at(progress.id).grant;
  news_.put(Progressed{progress.id,
                       {grant.range.at(grant.range.begin), grant.attempt, progress.permille,
                        std::move(progress.message)}});
}

void ProcessExecutor::ended(ProcessEnded ended) {
  std::string files[] = {ended.out.path, ended.err.path};
  bool copied = copies_ != nullptr && !(files[0].empty() && files[1].empty());
  if (copied) runs_.at(ended.id).copied = copies_->hurry();
  judge(std::move(ended));
  for (const std::string& file : files) {
    if (copied && !file.empty()) unlink(file.c_str());
  }
}

void ProcessExecutor::judge(ProcessEnded ended) {
  const Run& run = runs_.at(ended.id);
  const Node& node = run.grant.context->definition();
  if (ended.end != ProcessEnd::exited || ended.code != 0) {
    Cause cause = cause_of(ended, node);
    return fail(ended.id, cause.kind, ended.code, std::move(cause.error));
  }
  DeclaredOutput declared{node.process.output, run.files, run.directory, output_bytes_max_};
  auto json = declared_output(declared, std::move(ended.out));
  if (!json.ok())
    return fail(ended.id, failure_of(json.error(), FailureKind::output), 0, json.error().message);
  TaskKey task = run.grant.range.at(run.grant.range.begin);
  auto payload = make_payload(std::move(*json), task, run.grant.attempt, payloads_);
  if (!payload.ok())
    return fail(ended.id, failure_of(payload.error(), FailureKind::output), 0,
                payload.error().message);
  AttemptReport success;
  success.succeeded = true;
  if (!payload->is_absent()) success.outputs.push_back(std::move(*payload));
  report(ended.id, std::move(success));
}

void ProcessExecutor::fail(uint64_t launch, FailureKind kind, int32_t code, std::string error) {
  AttemptReport failure;
  failure.kind = kind;
  failure.exit_code = code;
  failure.error = std::move(error);
  report(launch, std::move(failure));
}

void ProcessExecutor::report(uint64_t launch, AttemptReport report) {
  auto run = runs_.extract(launch);
  const Grant& grant = run.mapped().grant;
  report.range = grant.range;
  report.attempt = grant.attempt;
  report.nonce = grant.nonce;
  Finished finished;
  finished.launch = launch;
  finished.reports.push_back(std::move(report));
  uint64_t copied = run.mapped().copied;
  if (copied == 0 || copied <= copies_->settled()) return news_.put(std::move(finished));
  held_.push_back({copied, clock_.monotonic() + copies_patience, std::move(finished)});
}

}  // namespace pawl
