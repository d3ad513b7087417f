#include "pawl/testing/scenario/random_life.h"

#include <algorithm>

#include "pawl/testing/random_workflow.h"
#include "pawl/wire/workflow_codec.h"

namespace pawl {
namespace {

RandomWorkflowPlan workflow_plan(const RandomLifePlan& plan) {
  RandomWorkflowPlan shape;
  shape.nodes_max = plan.nodes_max;
  shape.items_max = plan.items_max;
  shape.evaluated_permille = 300;
  shape.placed_permille = 300;
  return shape;
}

bool evaluating(const NodeRun& run) {
  return run.status == NodeStatus::evaluating_condition ||
         run.status == NodeStatus::evaluating_items;
}

ReportEvaluation answer_to(const Execution& execution, NodeIndex node, Random& dice) {
  ReportEvaluation answer;
  answer.execution = execution.id;
  answer.node = node;
  answer.succeeded = true;
  if (execution.evaluating_output) {
    answer.purpose = EvaluationPurpose::output;
  } else if (execution.nodes[node].status == NodeStatus::evaluating_items) {
    answer.purpose = EvaluationPurpose::items;
    answer.items_count = static_cast<uint32_t>(dice.below(6));
  }
  if (answer.purpose != EvaluationPurpose::items)
    answer.value = Payload::inline_json(dice.chance(700) ? "true" : "false");
  return answer;
}

// Every evaluation that is open, in order.
std::vector<ReportEvaluation> open_evaluations(const State& state, Random& dice) {
  std::vector<ReportEvaluation> answers;
  for (const Execution* e = state.executions.next({1}); e != nullptr;
       e = state.executions.next({e->id.value + 1})) {
    if (e->evaluating_output) answers.push_back(answer_to(*e, 0, dice));
    for (NodeIndex node = 0; node < e->nodes.size(); ++node) {
      if (evaluating(e->nodes[node])) answers.push_back(answer_to(*e, node, dice));
    }
  }
  return answers;
}

}  // namespace

Duration RandomLife::pause() {
  return Duration::milliseconds(static_cast<int64_t>(dice_.chance(300) ? dice_.below(4000) : 0));
}

const Execution* RandomLife::any_execution(const State& state) {
  if (state.last_execution == 0) return nullptr;
  return state.executions.next({dice_.between(1, state.last_execution)});
}

Command RandomLife::submit(const State& state) {
  SubmitExecution submit;
  submit.workflow = WorkflowId{dice_.between(1, state.last_workflow)};
  if (dice_.chance(300)) submit.request_id = "r" + std::to_string(dice_.below(4));
  submit.input = Payload::inline_json(random_input(dice_, workflow_plan(plan_)));
  submit.payload_hash = {dice_.below(2), 1};
  if (dice_.chance(200)) submit.trace = Trace{{dice_.next() | 1, 7}, 9, 1};
  return submit;
}

Command RandomLife::open_session(bool everything) {
  WorkerSpec spec;
  spec.credit = static_cast<uint32_t>(dice_.between(1, 12));
  spec.lease = Duration::seconds(static_cast<int64_t>(dice_.between(2, 60)));
  spec.functions = {"work"};
  offer_anything(spec, dice_, everything);
  if (dice_.chance(300)) spec.certificate = "pawl:worker/default/w1";
  return OpenSession{spec};
}

AttemptReport RandomLife::success(const TaskRange& range, const OpenRange& open) {
  AttemptReport report;
  report.range = range;
  report.attempt = open.attempt;
  report.nonce = open.nonce;
  report.succeeded = true;
  if (dice_.chance(500)) {
    for (ItemIndex item = range.begin; item < range.end; ++item)
      report.outputs.push_back(Payload::inline_json(std::to_string(dice_.below(1000))));
  }
  return report;
}

Command RandomLife::report(SessionId session, const TaskRange& range, const OpenRange& open) {
  AttemptReport report = success(range, open);
  if (dice_.chance(350)) {
    report.succeeded = false;
    report.outputs.clear();
    report.kind = static_cast<FailureKind>(dice_.below(10));
    report.exit_code = static_cast<int32_t>(dice_.below(3));
    report.error = "broken";
  }
  if (dice_.chance(200)) {
    old_report_ = report;
    old_session_ = session;
  }
  return ReportAttempts{session, {report}};
}

// Something that a client or a worker in good health does now.
Command RandomLife::work(const State& state) {
  std::vector<ReportEvaluation> evaluations = open_evaluations(state, dice_);
  if (!evaluations.empty() && dice_.chance(400)) {
    ReportEvaluation answer = evaluations[dice_.below(evaluations.size())];
    answer.succeeded = dice_.chance(850);
    if (!answer.succeeded) answer.error = "cannot be evaluated";
    return answer;
  }
  if (!state.granted.empty() && dice_.chance(850)) {
    NodeKey key = ascending(state.granted)[dice_.below(state.granted.size())];
    const NodeWork& node = *state.executions.find(key.execution)->nodes[key.node].work;
    const OpenRange& open = node.open[dice_.below(node.open.size())];
    auto begin = static_cast<ItemIndex>(dice_.between(open.span.begin, open.span.end - 1));
    auto end = static_cast<ItemIndex>(dice_.between(begin + 1, open.span.end));
    if (dice_.chance(60))
      return ReturnAttempts{open.session,
                            {{{key.execution, key.node, begin, end}, open.attempt, open.nonce}}};
    return report(open.session, {key.execution, key.node, begin, end}, open);
  }
  if (!state.sessions.empty() && dice_.chance(300))
    return RenewSession{std::next(state.sessions.begin(),
                                  static_cast<ptrdiff_t>(dice_.below(state.sessions.size())))
                            ->first};
  return Tick{};
}

Command RandomLife::harm(const State& state) {
  const Execution* execution = any_execution(state);
  if (execution == nullptr) return Tick{};
  DeadLetterSelection which;
  which.execution = execution->id;
  which.all_nodes = dice_.chance(500);
  which.node = static_cast<NodeIndex>(dice_.below(execution->nodes.size()));
  which.all_items = dice_.chance(700);
  which.item = static_cast<ItemIndex>(dice_.below(plan_.items_max));
  switch (dice_.below(10)) {
    case 9:
      return random_queue(dice_);
    case 8:
      return ForgetExecution{execution->id};
    case 0:
      return CancelExecution{execution->id, "enough"};
    case 1:
    case 2:
      return CancelTask{{execution->id, which.node, which.item}, "enough"};
    case 3:
    case 4:
      return RedriveDeadLetters{which};
    case 5:
      return DiscardDeadLetters{which};
    case 6:
      return ReportAttempts{old_session_, {old_report_}};
    default:
      return CloseSession{SessionId{dice_.between(1, state.last_session + 1)}, "gone"};
  }
}

// Often under the number that a first partition has given it, which some other may have here.
Command RandomLife::register_some(const State& state) {
  RegisterWorkflow command{encode(random_workflow(dice_, workflow_plan(plan_)))};
  if (dice_.chance(300)) command.id = WorkflowId{dice_.between(1, state.last_workflow + 3)};
  return command;
}

Command RandomLife::next(const State& state) {
  if (state.last_workflow == 0 || dice_.chance(20)) return register_some(state);
  if (state.last_execution < plan_.executions_max && dice_.chance(200)) return submit(state);
  if (state.sessions.size() < plan_.workers_max && dice_.chance(200))
    return open_session(dice_.chance(300));
  return dice_.chance(plan_.harm_permille) ? harm(state) : work(state);
}

std::vector<Command> RandomLife::calm(const State& state) {
  std::vector<Command> commands;
  bool everything = std::any_of(state.sessions.begin(), state.sessions.end(), [](const auto& s) {
    const WorkerSpec& worker = s.second.worker;
    return worker.queues.empty() && worker.capacity.size() == 2 &&
           worker.capacity[0].amount >= 2000 && !worker.labels.empty() && worker.zone == "a";
  });
  if (!everything) commands.push_back(open_session(true));
  commands.push_back(open_queue("default"));
  commands.push_back(open_queue("bulk"));
  for (const auto& [id, session] : state.sessions) commands.push_back(RenewSession{id});
  for (const NodeKey& key : ascending(state.granted)) {
    for (const OpenRange& open : state.executions.find(key.execution)->nodes[key.node].work->open) {
      TaskRange range{key.execution, key.node, open.span.begin, open.span.end};
      commands.push_back(ReportAttempts{open.session, {success(range, open)}});
    }
  }
  for (ReportEvaluation& answer : open_evaluations(state, dice_))
    commands.push_back(std::move(answer));
  for (const Execution* e = state.executions.next({1}); e != nullptr;
       e = state.executions.next({e->id.value + 1})) {
    if (!e->ended_already()) commands.push_back(RedriveDeadLetters{{e->id, true, 0, true, 0}});
  }
  return commands;
}

}  // namespace pawl
