#include "pawl/sim/sim_executor.h"

#include <algorithm>

#include "pawl/adapter/libjq/interpreter.h"
#include "pawl/base/json.h"
#include "pawl/context/draft.h"
#include "pawl/worker/failure.h"

namespace pawl::sim {
namespace {

constexpr Duration begun_told_after = Duration::milliseconds(100);

constexpr FailureKind failures[] = {
    FailureKind::exit_code, FailureKind::signal,   FailureKind::timeout, FailureKind::out_of_memory,
    FailureKind::output,    FailureKind::function, FailureKind::spawn};

// How long an attempt may run that says nothing after its beginning; 0: for ever.
Duration limit_of(const Timeouts& timeout) {
  if (timeout.run.ns == 0 || timeout.heartbeat.ns == 0)
    return std::max(timeout.run, timeout.heartbeat);
  return std::min(timeout.run, timeout.heartbeat);
}

uint64_t seed_of(uint64_t seed, const TaskKey& task, AttemptNumber attempt) {
  uint64_t mixed = mix64(seed ^ mix64(task.execution.value));
  return mix64(mixed ^ (uint64_t{task.node} << 40 | uint64_t{task.item} << 16 | attempt));
}

// As the evaluator gives it: the random workflows' expressions are a path, with " | ." behind it when
// it is to be evaluated. `jq`: null for these.
Result<std::string> value_of(Context& context, const Expression& expression, ItemIndex item,
                             jq::Interpreter* jq) {
  PAWL_ASSIGN(Draft draft, make_draft(context, expression, item));
  if (draft.is_whole()) return draft.take_value();
  std::shared_ptr<const std::string> document = draft.take_document();
  if (jq != nullptr) {
    jq->read(*document);
    return draft.filled(jq->evaluate(draft.take_program()));
  }
  Expression path = make_expression(expression.text.substr(0, expression.text.find(" | .")));
  auto value = json_find(*document, path.path);
  return value ? json_compact(*value) : std::string("null");
}

std::vector<TemplatePart> parts_of(const Node& node) {
  std::vector<TemplatePart> parts = node.with.parts;
  for (const Template& word : node.process.argv)
    parts.insert(parts.end(), word.parts.begin(), word.parts.end());
  return parts;
}

}  // namespace

SimExecutor::SimExecutor(World world, Sink<ExecutorNews>& news, JudgedNews& judged, Random dice,
                         Callback<void()> crash_worker)
    : world_(world),
      news_(news),
      judged_(judged),
      dice_(dice),
      crash_worker_(std::move(crash_worker)) {
  world_.process.add(*this);
}

SimExecutor::~SimExecutor() {
  world_.process.remove(*this);
}

bool SimExecutor::turn() {
  const uint64_t arrivals = world_.payloads.arrivals().value_or(0);
  if (arrivals == arrivals_seen_) return false;
  arrivals_seen_ = arrivals;
  std::map<uint64_t, Callback<void()>> waiting = std::exchange(waits_for_payloads_, {});
  for (auto& [launch, goes_on] : waiting) goes_on();
  return false;
}

// Everything that the tasks may read, as an executor reads it.
Status SimExecutor::read(const Grant& grant) {
  Context context(grant.context, world_.payloads);
  const Node& node = grant.context->definition();
  Expression whole_input = make_expression(".input");
  for (ItemIndex item = grant.range.begin; item < grant.range.end; ++item) {
    TaskKey task = grant.range.at(item);
    PAWL_ASSIGN(std::string subject,
                node.mapped() ? context.item(item) : context.value(whole_input.path, item));
    if (world_.judges) world_.judges->of(task.execution).found(task, nullptr, subject);
    for (const TemplatePart& part : parts_of(node)) {
      if (!part.expression) continue;
      PAWL_ASSIGN(std::string value,
                  value_of(context, part.expression, item, world_.plan.jq.get()));
      if (world_.judges) world_.judges->of(task.execution).found(task, &part.expression, value);
    }
  }
  return {};
}

void SimExecutor::start(Launch launch) {
  if (running_.size() < world_.plan.slots) return work_on(std::move(launch));
  world_.universe.reached(Sometimes::launched_ahead);
  waiting_.push_back(std::move(launch));
}

bool SimExecutor::withdraw(uint64_t launch) {
  return take_back(launch).has_value();
}

std::optional<Launch> SimExecutor::take_back(uint64_t launch) {
  auto waits = std::find_if(waiting_.begin(), waiting_.end(),
                            [&](const Launch& one) { return one.id == launch; });
  if (waits == waiting_.end()) return std::nullopt;
  Launch taken = std::move(*waits);
  waiting_.erase(waits);
  world_.universe.reached(Sometimes::launch_withdrawn);
  return taken;
}

void SimExecutor::work_on(Launch launch) {
  if (world_.judges) world_.judges->of(launch.grant.range.execution).launched(launch.grant);
  const Grant& grant = launch.grant;
  world_.wrote(grant.range.execution);
  world_.universe.note("launch", grant.range.execution.value,
                       uint64_t{grant.range.node} << 32 | grant.range.begin, grant.attempt);
  uint64_t id = launch.id;
  Running& running = running_[id];
  running.launch = std::move(launch);
  running.ahead = running.launch.grant.range.begin;
  running.since = world_.universe.now();
  if (ahead() > 0) world_.process.after(begun_told_after, [this, id] { tell_begun(id); });
  read_on(id);
}

// Of one that takes long; otherwise its end says so.
void SimExecutor::tell_begun(uint64_t launch) {
  auto it = running_.find(launch);
  if (it == running_.end() || it->second.stopped) return;
  news_.put(Reported{launch, {}, Worked{it->second.since, world_.universe.now()}});
}

void SimExecutor::read_on(uint64_t id) {
  auto it = running_.find(id);
  if (it == running_.end() || it->second.stopped) return;
  Status done = read(it->second.launch.grant);
  if (done.ok()) return go_on(id);
  if (is_on_its_way(done.error())) {
    world_.universe.reached(Sometimes::payload_waited_for);
    waits_for_payloads_[id] = [this, id] { read_on(id); };
    return;
  }
  world_.universe.reached(Sometimes::input_unreadable);
  finish_in(id, Duration::milliseconds(1), unreadable(done.error()));
}

void SimExecutor::go_on(uint64_t id) {
  Running& running = running_.at(id);
  const Habits& habits = world_.plan.habits;
  Random dice(seed_of(world_.plan.seed, running.launch.grant.range.at(running.ahead),
                      running.launch.grant.attempt));
  const bool given = !world_.plan.given.empty();
  running.hangs = given ? hangs(running.launch.grant) : !world_.healed && dice.chance(habits.hang);
  uint64_t spread = static_cast<uint64_t>(habits.longest.ns - habits.shortest.ns);
  Duration time{habits.shortest.ns + static_cast<int64_t>(dice.below(spread + 1) >> dice.below(6))};
  if (world_.universe.now() < slow_until_) time.ns *= slowness;
  if (world_.healed) time = std::min(time, Duration::seconds(1));
  const Duration limit = limit_of(running.launch.grant.context->definition().timeout);
  if (dice.chance(habits.progress)) progress(id);
  if (running.hangs) world_.universe.reached(Sometimes::attempt_hung);
  if (limit.ns > 0 && (running.hangs || (!given && time > limit))) {
    world_.universe.reached(Sometimes::run_timeout);
    return finish_in(id, limit, FailureKind::timeout);
  }
  if (running.hangs) return;
  if (!world_.healed && dice.chance(habits.crash_worker)) {
    world_.process.after(time, [this] {
      world_.universe.reached(Sometimes::worker_crashed_after_effect);
      crash_worker_();
    });
    return;
  }
  if (dice.chance(300)) world_.process.after({time.ns / 2}, [this, id] { report_ahead(id); });
  finish_in(id, time, std::nullopt);
}

void SimExecutor::stop(uint64_t launch, StopMode mode) {
  if (auto taken = take_back(launch)) {
    const TaskRange& range = taken->grant.range;
    auto reports = reports_of(taken->grant, range.begin, range.end, FailureKind::declined);
    return news_.put(Finished{launch, std::move(reports)});
  }
  auto it = running_.find(launch);
  if (it == running_.end() || it->second.stopped) return;
  if (mode == StopMode::terminate && dice_.chance(300)) return;  // it ignores the polite word
  it->second.stopped = true;
  world_.universe.note("stopped", launch, static_cast<uint64_t>(mode));
  finish_in(launch, Duration::milliseconds(static_cast<int64_t>(dice_.below(20))),
            FailureKind::signal);
}

void SimExecutor::heal() {
  for (auto& [id, running] : running_)
    if (running.hangs && world_.plan.given.empty())
      finish_in(id, Duration::milliseconds(100), std::nullopt);
}

void SimExecutor::progress(uint64_t launch) {
  const Grant& grant = running_.at(launch).launch.grant;
  news_.put(Progressed{launch, {grant.range.at(grant.range.begin), grant.attempt, 500, "half"}});
}

void SimExecutor::finish_in(uint64_t launch, Duration delay, std::optional<FailureKind> failure) {
  world_.process.after(delay, [this, launch, failure] { finish(launch, failure); });
}

Status SimExecutor::store_output(const Grant& grant, ItemIndex item, std::string text,
                                 AttemptReport& report) {
  if (text == "null") return {};  // no output says the same
  if (text.size() <= payload_inline_max) {
    report.outputs = {Payload::inline_json(std::move(text))};
    return {};
  }
  BlobRef ref{grant.range.execution, output_blob_sequence(grant.range.at(item), grant.attempt),
              text.size(), hash128(text)};
  PAWL_TRY(world_.payloads.put(ref, text));
  report.outputs = {Payload::blob(ref)};
  return {};
}

// What stops with its machine is declined by the shipped executors (worker/failure.h).
FailureKind SimExecutor::unreadable(const Error& error) const {
  return failure_of(error,
                    world_.plan.given.empty() ? FailureKind::expression : FailureKind::declined);
}

bool SimExecutor::hangs(const Grant& grant) const {
  const Given* given = find_given(world_.plan.given, grant.context->workflow->name);
  return given != nullptr &&
         part_of(*given, grant.context->definition().id, grant.range.begin, 0).hangs;
}

// Whether the values of a transform can be had now; what is missing has been sent for then.
bool SimExecutor::at_hand(const Grant& grant, ItemIndex begin, ItemIndex end) {
  const Node& node = grant.context->definition();
  if (world_.plan.given.empty() || node.type != NodeType::transform) return true;
  Context context(grant.context, world_.payloads);
  bool all = true;
  for (ItemIndex item = begin; item < end; ++item) {
    auto value = value_of(context, node.transform, item, world_.plan.jq.get());
    all &= value.ok() || !is_on_its_way(value.error());
  }
  return all;
}

Result<std::string> SimExecutor::play(const Grant& grant, ItemIndex item, AttemptReport& report) {
  const Node& node = grant.context->definition();
  const Given* given = find_given(world_.plan.given, grant.context->workflow->name);
  PAWL_CHECK(given != nullptr, "what runs was given");
  size_t failed = 0;
  if (world_.judges) {
    const TaskModel* task =
        world_.judges->of(report.range.execution).model().task(grant.range.at(item));
    PAWL_CHECK(task != nullptr, "what runs was granted");
    failed = task->failed.size();
  }
  Part part = part_of(*given, node.id, item, failed);
  if (part.failure) {
    report.kind = *part.failure;
    return Error{Code::invalid_argument, "as its file says"};
  }
  if (node.type != NodeType::transform) return part.output;
  Context context(grant.context, world_.payloads);
  auto value = value_of(context, node.transform, item, world_.plan.jq.get());
  if (!value.ok())
    report.kind = value.error().code == Code::invalid_argument ? FailureKind::expression
                                                               : unreadable(value.error());
  return value;
}

AttemptReport SimExecutor::report_of(const Grant& grant, ItemIndex item,
                                     std::optional<FailureKind> failure, std::string& output) {
  AttemptReport report;
  report.range = {grant.range.execution, grant.range.node, item, item + 1};
  report.attempt = grant.attempt;
  report.nonce = grant.nonce;
  report.exit_code = 1;
  report.error = "as the dice say";
  Random dice(seed_of(~world_.plan.seed, grant.range.at(item), grant.attempt));
  output = "null";
  if (!failure && !world_.plan.given.empty()) {
    Result<std::string> played = play(grant, item, report);
    if (!played.ok()) return report;
    output = *played;
    report.succeeded = true;
    Status stored = store_output(grant, item, output, report);
    report.succeeded = stored.ok();
    if (!stored.ok()) report.kind = unreadable(stored.error());
    return report;
  }
  if (failure || (!world_.healed && dice.chance(world_.plan.habits.fail))) {
    report.kind = failure.value_or(failures[dice.below(std::size(failures))]);
    return report;
  }
  report.succeeded = true;
  if (dice.chance(100)) return report;
  output = "{\"item\":" + std::to_string(item) + ",\"attempt\":" + std::to_string(grant.attempt) +
           ",\"nonce\":" + std::to_string(grant.nonce % 1'000'000);
  if (dice.chance(world_.plan.habits.large_output))
    output += ",\"text\":\"" + std::string(dice.between(10'000, 100'000), 'x') + "\"";
  output += "}";
  if (Status stored = store_output(grant, item, output, report); !stored.ok()) {
    report.succeeded = false;
    report.kind = failure_of(stored.error(), FailureKind::output);
    output = "null";
  }
  return report;
}

std::vector<AttemptReport> SimExecutor::reports_of(const Grant& grant, ItemIndex begin,
                                                   ItemIndex end,
                                                   std::optional<FailureKind> failure) {
  std::vector<AttemptReport> reports;
  for (ItemIndex item = begin; item < end; ++item) {
    std::string output;
    AttemptReport report = report_of(grant, item, failure, output);
    judged_.says(report, std::move(output));
    bool joins = !reports.empty() && report.succeeded && reports.back().succeeded &&
                 report.outputs.size() == 1 &&
                 reports.back().outputs.size() == reports.back().range.size();
    if (joins) {
      reports.back().range.end = item + 1;
      reports.back().outputs.push_back(report.outputs.front());
    } else {
      reports.push_back(std::move(report));
    }
  }
  return reports;
}

void SimExecutor::report_ahead(uint64_t launch) {
  auto it = running_.find(launch);
  if (it == running_.end() || it->second.stopped) return;
  const Grant& grant = it->second.launch.grant;
  ItemIndex half = grant.range.begin + grant.range.size() / 2;
  if (half == grant.range.begin || !at_hand(grant, grant.range.begin, half)) return;
  world_.universe.reached(Sometimes::reported_ahead);
  it->second.ahead = half;
  Worked worked{it->second.since, world_.universe.now()};
  it->second.since = worked.end;
  news_.put(Reported{launch, reports_of(grant, grant.range.begin, half, std::nullopt), worked});
}

void SimExecutor::finish(uint64_t launch, std::optional<FailureKind> failure) {
  auto it = running_.find(launch);
  if (it == running_.end()) return;
  const Grant& held = it->second.launch.grant;
  if (!failure && !at_hand(held, it->second.ahead, held.range.end)) {
    waits_for_payloads_[launch] = [this, launch] { finish(launch, std::nullopt); };
    return;
  }
  waits_for_payloads_.erase(launch);
  Grant grant = std::move(it->second.launch.grant);
  world_.universe.note("finish", grant.range.execution.value,
                       uint64_t{grant.range.node} << 32 | grant.range.begin, grant.attempt);
  ItemIndex begin = it->second.ahead;
  Worked worked{it->second.since, world_.universe.now()};
  running_.erase(it);
  world_.wrote(grant.range.execution);
  const std::vector<AttemptReport>& told = judged_.told();
  Finished finished{launch, reports_of(grant, begin, grant.range.end, failure), worked};
  if (!told.empty() && !world_.healed && dice_.chance(world_.plan.habits.repeat_old_report))
    finished.reports.push_back(told[dice_.below(told.size())]);
  news_.put(std::move(finished));
  if (waiting_.empty()) return;
  Launch next = std::move(waiting_.front());
  waiting_.pop_front();
  work_on(std::move(next));
}

}  // namespace pawl::sim
