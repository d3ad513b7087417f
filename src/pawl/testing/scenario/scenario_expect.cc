#include "pawl/testing/scenario/scenario_expect.h"

#include <algorithm>

#include "pawl/partition/query.h"

namespace pawl {

std::optional<NodeIndex> scenario_node(const Execution& execution, const std::string& id) {
  for (NodeIndex i = 0; i < execution.nodes.size(); ++i) {
    if (execution.definition(i).id == id) return i;
  }
  return std::nullopt;
}

std::optional<TaskRange> scenario_range(const State& state, const ScenarioTarget& target) {
  const Execution* execution = state.executions.find(target.execution);
  auto node = execution ? scenario_node(*execution, target.node) : std::nullopt;
  if (!node) return std::nullopt;
  if (target.first) return TaskRange{execution->id, *node, *target.first, target.last + 1};
  return TaskRange{execution->id, *node, 0, execution->nodes[*node].items_count};
}

namespace {

std::string words_of(const State& state, const TaskRange& range) {
  const Execution& execution = *state.executions.find(range.execution);
  const Node& node = execution.definition(range.node);
  std::string text = to_text(range.execution) + "/" + node.id;
  if (!node.mapped() || range.begin == range.end) return text;
  text += "[" + std::to_string(range.begin);
  if (range.size() > 1) text += ".." + std::to_string(range.end - 1);
  return text + "]";
}

const char* purpose_name(EvaluationPurpose purpose) {
  switch (purpose) {
    case EvaluationPurpose::condition:
      return "condition";
    case EvaluationPurpose::items:
      return "items";
    case EvaluationPurpose::output:
      break;
  }
  return "output";
}

}  // namespace

void ScenarioEffects::add(const std::vector<Effect>& effects, const State& state) {
  for (const Effect& effect : effects) {
    if (const auto* dispatch = std::get_if<Dispatch>(&effect)) {
      const Grant& grant = dispatch->grant;
      dispatched.push_back(words_of(state, grant.range) + "#" + std::to_string(grant.attempt) +
                           "@w" + std::to_string(grant.session.value));
    } else if (const auto* recall = std::get_if<TakeBack>(&effect)) {
      for (const HeldAttempts& one : recall->attempts)
        recalled.push_back(words_of(state, one.range) + "@w" +
                           std::to_string(recall->session.value));
    } else if (const auto* stop = std::get_if<Stop>(&effect)) {
      stopped.push_back(words_of(state, stop->attempts.range));
    } else if (const auto* evaluate = std::get_if<Evaluate>(&effect)) {
      std::string where = to_text(evaluate->context->execution);
      if (evaluate->purpose != EvaluationPurpose::output)
        where += "/" + evaluate->context->definition().id;
      asked.push_back(where + ":" + purpose_name(evaluate->purpose));
    } else if (const auto* end = std::get_if<Settled>(&effect)) {
      settled.push_back(to_text(end->execution) + ":" + name(end->status));
    }
  }
}

namespace {

constexpr const char* malformed = "this step cannot be read; see scenario_runner.h";

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text.empty() ? "nothing" : text;
}

// An expected dispatch may leave the attempt and the worker open.
bool fits(const std::string& expected, const std::string& seen) {
  auto part = [](const std::string& word, char mark) -> std::string {
    size_t at = word.find(mark);
    return at == std::string::npos ? ""
                                   : word.substr(at + 1, word.find_first_of("#@", at + 1) - at - 1);
  };
  auto task = [](const std::string& word) { return word.substr(0, word.find_first_of("#@")); };
  auto same = [&](char mark) {
    return part(expected, mark).empty() || part(expected, mark) == part(seen, mark);
  };
  return task(expected) == task(seen) && same('#') && same('@');
}

std::string compare(const ScenarioStep& step, std::vector<std::string>& seen) {
  std::vector<std::string> expected(step.words.begin() + 1, step.words.end());
  std::vector<std::string> now = std::exchange(seen, {});
  bool equal = std::equal(expected.begin(), expected.end(), now.begin(), now.end(), fits);
  return equal ? "" : "it was " + joined(now);
}

// One thing that an answer says about itself, and what the step says about it.
class Claims {
 public:
  // Claims begin with word `first`.
  Claims(const ScenarioStep& step, size_t first) : step_(step), first_(first) {}

  void status(const std::string& is) {
    if (step_.words.size() < 3 || step_.words[2] != is) note("it is " + is);
  }
  void number(const char* key, uint64_t is) {
    auto wanted = step_.value(key, first_);
    if (wanted && *wanted != std::to_string(is))
      note(std::string(key) + " is " + std::to_string(is));
  }
  void text(const char* key, const std::string& is) {
    auto wanted = step_.after(key);
    if (wanted && is.find(*wanted) == std::string::npos) note(std::string(key) + " is " + is);
  }
  void output(const Payload& is) {
    auto wanted = step_.after("output");
    std::string text = is.is_blob() ? "a blob" : is.text();
    if (wanted && *wanted != text) note("the output is " + text);
  }
  void duration(const char* key, Duration is) {
    auto wanted = step_.value(key, first_);
    if (!wanted) return;
    size_t dots = wanted->find("..");
    auto low = scenario_duration(wanted->substr(0, dots));
    auto high = dots == std::string::npos ? low : scenario_duration(wanted->substr(dots + 2));
    if (!low || !high) return note(malformed);
    if (is < *low || is > *high) note(std::string(key) + " is " + std::to_string(is.ns) + " ns");
  }
  void counts(const TaskCounts& is) {
    number("total", is.total);
    number("ready", is.ready);
    number("running", is.running);
    number("backing_off", is.backing_off);
    number("parked", is.parked);
    number("succeeded", is.succeeded);
    number("failed", is.failed);
    number("cancelled", is.cancelled);
  }
  const std::string& wrong() const { return wrong_; }

 private:
  void note(const std::string& what) { wrong_ += (wrong_.empty() ? "" : "; ") + what; }

  const ScenarioStep& step_;
  size_t first_;
  std::string wrong_;
};

std::string expect_execution(const ScenarioStep& step, const ExecutionDetail& detail) {
  Claims claims(step, 3);
  claims.status(name(detail.summary.status));
  claims.text("error", detail.summary.error);
  claims.output(detail.output);
  return claims.wrong();
}

std::string expect_node(const ScenarioStep& step, const NodeDetail& node) {
  Claims claims(step, 3);
  claims.status(name(node.status));
  claims.counts(node.tasks);
  claims.number("attempts", node.attempts);
  claims.text("error", node.error);
  claims.output(node.output);
  return claims.wrong();
}

std::string expect_task(const ScenarioStep& step, const TaskDetail& task) {
  Claims claims(step, 3);
  claims.status(name(task.status));
  claims.number("attempts", task.attempts);
  claims.number("failures", task.failures);
  claims.duration("retry_in", task.retry_in);
  claims.text("error", task.cause ? task.cause->error : "");
  claims.output(task.output.value_or(Payload{}));
  return claims.wrong();
}

std::string expect(const ScenarioStep& step, const State& state, const ScenarioTarget& target) {
  if (target.first) {
    QueryResult task = answer(state, GetTask{target.execution, target.node, *target.first});
    if (const Error* error = std::get_if<Error>(&task)) return error->message;
    return expect_task(step, std::get<TaskDetail>(task));
  }
  QueryResult result = answer(state, GetExecution{target.execution});
  if (const Error* error = std::get_if<Error>(&result)) return error->message;
  const auto& detail = std::get<ExecutionDetail>(result);
  if (target.node.empty()) return expect_execution(step, detail);
  for (const NodeDetail& node : detail.nodes) {
    if (node.id == target.node) return expect_node(step, node);
  }
  return malformed;
}

std::string expect_why(const ScenarioStep& step, const State& state, const ScenarioTarget& target) {
  QueryResult result = answer(state, Explain{target.execution, target.node, target.first});
  if (const Error* error = std::get_if<Error>(&result)) return error->message;
  std::vector<std::string> codes;
  std::string said;
  for (const Why& why : std::get<WhyList>(result).reasons) {
    codes.emplace_back(name(why.code));
    said += why.subject + ": " + why.reason + ". " + why.remedy + "\n";
  }
  auto colon = std::find(step.words.begin(), step.words.end(), ":");
  if (!std::equal(step.words.begin() + 2, colon, codes.begin(), codes.end()))
    return "it is " + joined(codes) + "\n" + said;
  auto text = step.after(":");
  return !text || said.find(*text) != std::string::npos ? "" : "it says\n" + said;
}

std::string expect_letters(const ScenarioStep& step, const State& state,
                           const ScenarioTarget& target) {
  QueryResult result = answer(state, ListDeadLetters{target.execution});
  if (const Error* error = std::get_if<Error>(&result)) return error->message;
  std::vector<std::string> found;
  for (const DeadLetter& letter : std::get<DeadLetterList>(result).letters)
    found.push_back(words_of(state, letter.range));
  std::vector<std::string> wanted(step.words.begin() + 2, step.words.end());
  return wanted == found ? "" : "they are " + joined(found);
}

std::string expect_overview(const ScenarioStep& step, const State& state) {
  Overview overview = std::get<Overview>(answer(state, GetOverview{}));
  Claims claims(step, 1);
  claims.number("ready", overview.ready);
  claims.number("running", overview.running);
  claims.number("parked", overview.parked);
  claims.number("open", overview.counts.open());
  claims.number("workers", overview.workers);
  return claims.wrong();
}

std::string expect_next(const ScenarioStep& step, const PartitionRig& rig) {
  Instant next = rig.next_timer();
  std::string text = next == Instant::never()
                         ? "never"
                         : std::to_string((next - rig.state().now).whole_milliseconds()) + "ms";
  bool same =
      step.words.size() == 2 &&
      (next == Instant::never() ? step.words[1] == "never"
                                : scenario_duration(step.words[1]) == next - rig.state().now);
  return same ? "" : "it is " + text;
}

}  // namespace

std::string expectation(const ScenarioStep& step, PartitionRig& rig, ScenarioEffects& seen) {
  const std::string& word = step.words.front();
  if (word == "dispatched") return compare(step, seen.dispatched);
  if (word == "asked") return compare(step, seen.asked);
  if (word == "recalled") return compare(step, seen.recalled);
  if (word == "stopped") return compare(step, seen.stopped);
  if (word == "settled") return compare(step, seen.settled);
  if (word == "overview") return expect_overview(step, rig.state());
  if (word == "next") return expect_next(step, rig);
  auto target = step.words.size() > 1 ? scenario_target(step.words[1]) : std::nullopt;
  if (!target) return malformed;
  if (word == "expect") return expect(step, rig.state(), *target);
  if (word == "why") return expect_why(step, rig.state(), *target);
  if (word == "letters") return expect_letters(step, rig.state(), *target);
  return malformed;
}

}  // namespace pawl
