#include "pawl/testing/scenario/scenario_runner.h"

#include <algorithm>
#include <map>

#include "pawl/base/json.h"
#include "pawl/definition/definition.h"
#include "pawl/model/item_list.h"
#include "pawl/partition/query.h"
#include "pawl/testing/scenario/partition_rig.h"
#include "pawl/testing/scenario/scenario_expect.h"
#include "pawl/testing/scenario/scenario_text.h"
#include "pawl/wire/workflow_codec.h"

namespace pawl {
namespace {

constexpr const char* malformed = "this step cannot be read; see scenario_runner.h";

uint64_t* limit_named(Limits& limits, std::string_view name) {
  const std::pair<std::string_view, uint64_t*> names[] = {
      {"open_executions_max", &limits.open_executions_max},
      {"name_space_open_executions_max", &limits.name_space_open_executions_max},
      {"name_spaces_max", &limits.name_spaces_max},
      {"open_bytes_max", &limits.open_bytes_max},
      {"workflows_max", &limits.workflows_max},
      {"definition_bytes_max", &limits.definition_bytes_max},
      {"request_id_bytes_max", &limits.request_id_bytes_max},
      {"labels_bytes_max", &limits.labels_bytes_max},
      {"mapped_items_max", &limits.mapped_items_max},
      {"mapped_output_bytes_max", &limits.mapped_output_bytes_max},
      {"node_reads_bytes_max", &limits.node_reads_bytes_max},
      {"input_bytes_max", &limits.input_bytes_max},
      {"output_bytes_max", &limits.output_bytes_max},
      {"error_bytes_max", &limits.error_bytes_max},
      {"sessions_max", &limits.sessions_max},
      {"session_credit_max", &limits.session_credit_max},
      {"grant_items_max", &limits.grant_items_max},
  };
  for (const auto& [known, place] : names) {
    if (known == name) return place;
  }
  return nullptr;
}

std::vector<std::string> split_commas(const std::string& text) {
  std::vector<std::string> parts(1);
  for (char c : text) {
    if (c == ',') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

std::optional<FailureKind> failure_kind(std::string_view text) {
  for (int kind = 0; kind <= static_cast<int>(FailureKind::declined); ++kind) {
    if (text == name(static_cast<FailureKind>(kind))) return static_cast<FailureKind>(kind);
  }
  return std::nullopt;
}

// "cpu=2000,gpu=1"
std::vector<std::pair<std::string, std::string>> split_pairs(const std::string& text) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const std::string& pair : split_commas(text)) {
    size_t at = pair.find('=');
    if (at != std::string::npos) pairs.emplace_back(pair.substr(0, at), pair.substr(at + 1));
  }
  return pairs;
}

class Runner {
 public:
  std::string run(std::string_view text) {
    for (const ScenarioStep& step : scenario_steps(text)) {
      std::string wrong = take(step);
      if (wrong.empty() && rig_ != nullptr) wrong = rig_->problem();
      if (!wrong.empty())
        return "line " + std::to_string(step.line) + ": " + step.text + ": " + wrong;
    }
    if (refused()) return "at the end: the last step was refused: " + reply_.message;
    return rig_ == nullptr ? "a scenario without a step" : "";
  }

 private:
  using Verb = std::string (Runner::*)(const ScenarioStep&);

  static Verb verb(const std::string& word) {
    static const std::map<std::string, Verb> verbs = {
        {"limit", &Runner::limit},       {"workflow", &Runner::workflow},
        {"worker", &Runner::worker},     {"close", &Runner::session},
        {"renew", &Runner::session},     {"submit", &Runner::submit},
        {"succeed", &Runner::succeed},   {"fail", &Runner::fail},
        {"keep", &Runner::keep},         {"report", &Runner::report},
        {"evaluate", &Runner::evaluate}, {"cancel", &Runner::cancel},
        {"redrive", &Runner::letters},   {"discard", &Runner::letters},
        {"advance", &Runner::advance},   {"checkpoint", &Runner::checkpoint},
        {"restart", &Runner::restart},   {"refused", &Runner::expect_refused},
        {"replied", &Runner::replied},   {"forget", &Runner::forget},
        {"queue", &Runner::queue},       {"again", &Runner::again},
        {"return", &Runner::give_back},
    };
    auto found = verbs.find(word);
    return found == verbs.end() ? nullptr : found->second;
  }

  bool refused() const { return reply_.code != Code::ok; }

  std::string take(const ScenarioStep& step) {
    const std::string& word = step.words.front();
    if (word == "limit" && rig_ != nullptr) return "limits come first";
    if (refused() && word != "refused")
      return "the step before was refused: " + std::string(name(reply_.code)) + " " +
             reply_.message;
    if (word != "limit" && rig_ == nullptr) rig_ = std::make_unique<PartitionRig>(limits_);
    if (Verb known = verb(word)) {
      std::string wrong = (this->*known)(step);
      if (rig_ != nullptr) seen_.add(rig_->take_effects(), rig_->state());
      return wrong;
    }
    return expectation(step, *rig_, seen_);
  }

  std::string limit(const ScenarioStep& step) {
    if (step.words.size() != 3) return malformed;
    uint64_t* place = limit_named(limits_, step.words[1]);
    auto number = scenario_number(step.words[2]);
    if (place == nullptr || !number) return malformed;
    *place = *number;
    return "";
  }

  std::string workflow(const ScenarioStep& step) {
    Loaded loaded = load_definition(step.block, "workflow");
    if (!loaded.ok()) return to_text(loaded.problems.front());
    reply_ = rig_->command(RegisterWorkflow{encode(loaded.workflow)});
    workflows_[loaded.workflow.name] = {WorkflowId{reply_.number}, loaded.workflow.input_defaults};
    return "";
  }

  std::string worker(const ScenarioStep& step) {
    WorkerSpec spec;
    spec.credit = 1;
    spec.lease = Duration::hours(1000);
    if (auto credit = step.value("credit"))
      spec.credit = static_cast<uint32_t>(scenario_number(*credit).value_or(0));
    if (auto slots = step.value("slots"))
      spec.slots = static_cast<uint32_t>(scenario_number(*slots).value_or(1));
    if (auto functions = step.value("functions")) spec.functions = split_commas(*functions);
    std::sort(spec.functions.begin(), spec.functions.end());
    if (auto lease = step.value("lease"))
      spec.lease = scenario_duration(*lease).value_or(Duration{});
    if (auto types = step.value("types")) {
      spec.node_types = 0;
      for (const std::string& type : split_commas(*types)) {
        for (NodeType t : {NodeType::process, NodeType::function, NodeType::transform}) {
          if (type == name(t)) spec.node_types |= 1u << static_cast<unsigned>(t);
        }
      }
    }
    if (auto queues = step.value("queues")) spec.queues = split_commas(*queues);
    if (auto zone = step.value("zone")) spec.zone = *zone;
    if (auto name = step.value("name")) spec.name = *name;
    if (auto weight = step.value("weight"))
      spec.weight = static_cast<uint32_t>(scenario_number(*weight).value_or(0));
    for (const auto& [name, value] : split_pairs(step.value("labels").value_or("")))
      spec.labels.push_back({name, value});
    for (const auto& [name, value] : split_pairs(step.value("capacity").value_or("")))
      spec.capacity.push_back({name, scenario_number(value).value_or(0)});
    reply_ = rig_->command(OpenSession{spec});
    return "";
  }

  std::string queue(const ScenarioStep& step) {
    if (step.words.size() < 2) return malformed;
    ConfigureQueue change;
    change.name = step.words[1];
    auto number = [&](const char* name) -> std::optional<uint64_t> {
      auto value = step.value(name);
      return value ? scenario_number(*value) : std::nullopt;
    };
    change.concurrency_max = number("concurrency");
    change.rate_permille = number("rate_permille");
    change.burst = number("burst");
    change.waiting_max = number("waiting");
    if (auto aging = step.value("aging")) change.aging = scenario_duration(*aging);
    if (auto paused = step.value("paused")) change.paused = *paused == "true";
    for (int i = 0; i <= static_cast<int>(last_strategy); ++i) {
      if (step.value("strategy") == name(static_cast<Strategy>(i)))
        change.strategy = static_cast<Strategy>(i);
    }
    reply_ = rig_->command(change);
    return "";
  }

  std::string session(const ScenarioStep& step) {
    auto id = step.words.size() == 2 ? scenario_number(std::string_view(step.words[1]).substr(1))
                                     : std::nullopt;
    if (!id) return malformed;
    if (step.words[0] == "close") {
      reply_ = rig_->command(CloseSession{SessionId{*id}, "closed"});
    } else {
      reply_ = rig_->command(RenewSession{SessionId{*id}});
    }
    return "";
  }

  std::string submit(const ScenarioStep& step) {
    if (step.words.size() < 2 || !workflows_.contains(step.words[1])) return malformed;
    const auto& [id, defaults] = workflows_.at(step.words[1]);
    SubmitExecution submit;
    submit.workflow = id;
    std::string input = step.after("input").value_or(defaults.empty() ? "{}" : defaults);
    submit.input = Payload::inline_json(input);
    submit.request_id = step.value("request").value_or("");
    submit.labels = step.value("labels").value_or("");
    submit.name_space = step.value("namespace").value_or(default_namespace);
    if (submit.name_space != default_namespace) {
      const Workflow& same = *rig_->state().workflows.at(id)->workflow;
      reply_ = rig_->command(RegisterWorkflow{encode(same), submit.name_space});
      if (reply_.code != Code::ok) return "";
      submit.workflow = WorkflowId{reply_.number};
    }
    submit.payload_hash = hash128(step.words[1] + " " + input);
    reply_ = rig_->command(submit);
    return "";
  }

  std::optional<TaskRange> range_of(const std::string& word) const {
    auto target = scenario_target(word);
    return target ? scenario_range(rig_->state(), *target) : std::nullopt;
  }

  std::string succeed(const ScenarioStep& step) {
    auto range = step.words.size() > 1 ? range_of(step.words[1]) : std::nullopt;
    if (!range) return malformed;
    std::vector<Payload> outputs;
    if (auto value = step.after("=")) {
      for (ItemIndex item = range->begin; item < range->end; ++item)
        outputs.push_back(Payload::inline_json(*value == "item" ? std::to_string(item) : *value));
    }
    reply_ = rig_->succeed(*range, outputs);
    return "";
  }

  std::string fail(const ScenarioStep& step) {
    auto range = step.words.size() > 1 ? range_of(step.words[1]) : std::nullopt;
    if (!range) return malformed;
    auto kind = failure_kind(step.words.size() > 2 ? step.words[2] : "exit_code");
    if (!kind) return malformed;
    auto code = step.words.size() > 3 ? scenario_number(step.words[3]) : 1;
    reply_ = rig_->fail(*range, *kind, static_cast<int32_t>(code.value_or(1)),
                        step.after(":").value_or("broken"));
    return "";
  }

  std::string give_back(const ScenarioStep& step) {
    if (step.words.size() == 4 && step.words[1] == "nothing") {
      SessionId by{scenario_number(std::string_view(step.words[3]).substr(1)).value_or(0)};
      reply_ = rig_->command(ReturnAttempts{by, {}});
      return "";
    }
    auto range = step.words.size() == 2 ? range_of(step.words[1]) : std::nullopt;
    if (!range) return malformed;
    reply_ = rig_->give_back(*range);
    return "";
  }

  std::string keep(const ScenarioStep& step) {
    auto range = step.words.size() == 4 ? range_of(step.words[1]) : std::nullopt;
    if (!range) return malformed;
    std::vector<Grant> open = rig_->open(*range);
    if (open.size() != 1) return "it has " + std::to_string(open.size()) + " open attempts";
    kept_[step.words[3]] = open.front();
    return "";
  }

  std::string report(const ScenarioStep& step) {
    if (step.words.size() < 2 || !kept_.contains(step.words[1])) return malformed;
    Grant grant = kept_.at(step.words[1]);
    if (auto by = step.value("by"))
      grant.session = SessionId{scenario_number(by->substr(1)).value_or(0)};
    if (auto nonce = step.value("nonce")) grant.nonce = scenario_number(*nonce).value_or(0);
    if (auto attempt = step.value("attempt"))
      grant.attempt = static_cast<AttemptNumber>(scenario_number(*attempt).value_or(0));
    AttemptReport report{grant.range, grant.attempt, grant.nonce, true, {}, {}, 0, {}};
    reply_ = rig_->command(ReportAttempts{grant.session, {report}});
    return "";
  }

  std::string evaluate(const ScenarioStep& step) {
    auto target = step.words.size() > 2 ? scenario_target(step.words[1]) : std::nullopt;
    const Execution* execution =
        target ? rig_->state().executions.find(target->execution) : nullptr;
    if (execution == nullptr) return malformed;
    ReportEvaluation answer;
    answer.execution = target->execution;
    answer.purpose = EvaluationPurpose::output;
    if (!target->node.empty()) {
      auto node = scenario_node(*execution, target->node);
      if (!node) return malformed;
      answer.node = *node;
      answer.purpose = execution->nodes[*node].status == NodeStatus::evaluating_items
                           ? EvaluationPurpose::items
                           : EvaluationPurpose::condition;
    }
    auto value = step.after("=");
    answer.succeeded = value.has_value();
    answer.error = step.after("fails").value_or("");
    answer.value = Payload::inline_json(value.value_or("null"));
    if (value && answer.purpose == EvaluationPurpose::items) take_items(*value, answer);
    reply_ = rig_->command(answer);
    return "";
  }

  // As the shell does with what an evaluator gave.
  void take_items(const std::string& json, ReportEvaluation& answer) const {
    Result<ItemList> items = item_list(json, limits_.mapped_items_max);
    answer.succeeded = items.ok();
    if (!items.ok()) {
      answer.error = items.error().message;
      return;
    }
    answer.items_count = items->count;
    answer.value = Payload::inline_json(std::move(items->encoded));
  }

  std::string cancel(const ScenarioStep& step) {
    auto target = step.words.size() > 1 ? scenario_target(step.words[1]) : std::nullopt;
    if (!target) return malformed;
    if (target->node.empty()) {
      reply_ = rig_->command(CancelExecution{target->execution, "cancelled by the user"});
      return "";
    }
    const Execution* execution = rig_->state().executions.find(target->execution);
    auto node = execution ? scenario_node(*execution, target->node) : std::nullopt;
    if (!node) return malformed;
    reply_ = rig_->command(
        CancelTask{{target->execution, *node, target->first.value_or(0)}, "by the user"});
    return "";
  }

  std::string forget(const ScenarioStep& step) {
    auto target = step.words.size() == 2 ? scenario_target(step.words[1]) : std::nullopt;
    if (!target) return malformed;
    reply_ = rig_->command(ForgetExecution{target->execution});
    return "";
  }

  std::string letters(const ScenarioStep& step) {
    auto target = step.words.size() == 2 ? scenario_target(step.words[1]) : std::nullopt;
    if (!target) return malformed;
    DeadLetterSelection which;
    which.execution = target->execution;
    which.all_nodes = target->node.empty();
    which.all_items = !target->first.has_value();
    which.item = target->first.value_or(0);
    const Execution* execution = rig_->state().executions.find(target->execution);
    if (!which.all_nodes) {
      auto node = execution ? scenario_node(*execution, target->node) : std::nullopt;
      if (!node) return malformed;
      which.node = *node;
    }
    if (step.words[0] == "redrive") {
      reply_ = rig_->command(RedriveDeadLetters{which});
    } else {
      reply_ = rig_->command(DiscardDeadLetters{which});
    }
    return "";
  }

  std::string advance(const ScenarioStep& step) {
    auto duration = step.words.size() == 2 ? scenario_duration(step.words[1]) : std::nullopt;
    if (!duration) return malformed;
    rig_->advance(*duration);
    return "";
  }

  std::string checkpoint(const ScenarioStep&) {
    rig_->checkpoint();
    return "";
  }

  std::string restart(const ScenarioStep&) {
    rig_->take_effects();
    seen_ = {};
    rig_->restart();
    return "";
  }

  std::string expect_refused(const ScenarioStep& step) {
    Reply reply = std::exchange(reply_, Reply{});
    if (reply.code == Code::ok) return "it was not refused";
    retry_after_ = reply.retry_after;
    if (step.words.size() < 2 || step.words[1] != name(reply.code))
      return "it was refused with " + std::string(name(reply.code)) + " " + reply.message;
    auto text = step.after(step.words[1]);
    if (text && reply.message.find(*text) == std::string::npos)
      return "it was refused because " + reply.message;
    return "";
  }

  std::string again(const ScenarioStep& step) {
    size_t dots = step.words.size() == 2 ? step.words[1].find("..") : std::string::npos;
    if (dots == std::string::npos) return malformed;
    auto least = scenario_duration(step.words[1].substr(0, dots));
    auto most = scenario_duration(step.words[1].substr(dots + 2));
    if (!least || !most) return malformed;
    if (*least <= retry_after_ && retry_after_ <= *most) return "";
    return "it may come again in " + std::to_string(retry_after_.whole_milliseconds()) + " ms";
  }

  std::string replied(const ScenarioStep& step) {
    if (step.words.size() == 2 && step.words[1] == std::to_string(reply_.number)) return "";
    return "it replied " + std::to_string(reply_.number);
  }

  Limits limits_;
  Duration retry_after_;  // of the newest refusal
  std::unique_ptr<PartitionRig> rig_;
  std::map<std::string, std::pair<WorkflowId, std::string>> workflows_;
  std::map<std::string, Grant> kept_;
  ScenarioEffects seen_;
  Reply reply_;
};

}  // namespace

std::string run_scenario(std::string_view text) {
  return Runner().run(text);
}

}  // namespace pawl
