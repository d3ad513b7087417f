#include "pawl/testing/scenario/partition_rig.h"

#include <algorithm>
#include <map>

#include "pawl/partition/checkpoint.h"
#include "pawl/partition/snapshot.h"
#include "pawl/partition/stored.h"
#include "pawl/wire/workflow_codec.h"

namespace pawl {

PartitionRig::PartitionRig(const Limits& limits, uint64_t seed, Slot slot)
    : limits_(limits),
      slot_(slot),
      dice_(seed),
      partition_(std::make_unique<Partition>(limits, slot)) {
  start();
}

void PartitionRig::start() {
  StepOutput out;
  partition_->resume(out);
  partition_->begin_group(now_, wall_);
  partition_->start_epoch(++epoch_, {7, 7}, out);
  commit(std::move(out));
}

StepOutput PartitionRig::commit(StepOutput out) {
  partition_->schedule(dice_.next(), out);
  groups_.push_back({groups_.size() + 1, epoch_, now_, wall_, out.events});
  effects_.insert(effects_.end(), out.effects.begin(), out.effects.end());
  return out;
}

std::vector<Reply> PartitionRig::group(const std::vector<Command>& commands) {
  StepOutput out;
  partition_->begin_group(now_, wall_);
  for (size_t i = 0; i < commands.size(); ++i) {
    Status loaded = load_named(partition_->restoring(), view_, commands[i]);
    PAWL_CHECK(loaded.ok(), "what has left memory can be read");
    partition_->step(commands[i], i + 1, dice_.next(), out);
  }
  std::vector<Reply> replies(commands.size());
  for (const Effect& effect : commit(std::move(out)).effects) {
    if (const auto* answer = std::get_if<Answer>(&effect))
      replies.at(answer->ticket - 1) = answer->reply;
  }
  partition_->evict();
  return replies;
}

Reply PartitionRig::command(const Command& command) {
  return group({command}).front();
}

QueryResult PartitionRig::ask(const Query& query) {
  if (const auto* list = std::get_if<ListExecutions>(&query))
    return list_executions(state(), view_, *list);
  Status loaded = load_named(partition_->restoring(), view_, query);
  PAWL_CHECK(loaded.ok(), "what has left memory can be read");
  return answer(state(), query);
}

void PartitionRig::advance(Duration duration) {
  now_ = now_ + duration;
  wall_.ns = saturating_add(wall_.ns, duration.ns);
  command(Tick{});
}

void PartitionRig::checkpoint() {
  ViewBatch batch = checkpoint_rows(partition_->restoring(), groups_.size());
  batch.seal = true;
  view_.submit(std::move(batch));
  view_.complete_one();
  std::optional<Status> sealed = view_.poll();
  PAWL_CHECK(sealed && sealed->ok(), "the view in memory takes every checkpoint");
  partition_->checkpoint_applied();
  partition_->evict();
}

std::unique_ptr<Partition> PartitionRig::recovered(bool from_checkpoint) {
  auto partition = std::make_unique<Partition>(limits_, slot_);
  uint64_t position = 0;
  if (from_checkpoint) {
    Status restored = restore(partition->restoring(), view_);
    PAWL_CHECK(restored.ok(), "a checkpoint that was written can be read");
    position = view_.position();
  }
  for (size_t i = position; i < groups_.size(); ++i) partition->replay(groups_[i]);
  return partition;
}

void PartitionRig::restart() {
  view_.crash(MapView::InFlight::done);
  partition_ = recovered(true);
  start();
}

std::string PartitionRig::problem() {
  if (std::string wrong = inconsistency(state()); !wrong.empty()) return wrong;
  Hash128 live = state_hash(state());
  if (state_hash(recovered(false)->state()) != live) return "replay gives another state";
  if (state_hash(recovered(true)->state()) != live)
    return "the checkpoint and the groups after it give another state";
  return "";
}

WorkflowId PartitionRig::add(Workflow workflow) {
  Status finished = finish(workflow);
  PAWL_CHECK(finished.ok(), "the workflow of a test is valid");
  return WorkflowId{command(RegisterWorkflow{encode(workflow)}).number};
}

SessionId PartitionRig::worker(uint32_t credit, std::vector<std::string> functions) {
  WorkerSpec spec;
  spec.credit = credit;
  spec.lease = Duration::hours(1000);
  spec.functions = std::move(functions);
  std::sort(spec.functions.begin(), spec.functions.end());
  return SessionId{command(OpenSession{spec}).number};
}

ExecutionId PartitionRig::submit(WorkflowId workflow, std::string input) {
  SubmitExecution submit;
  submit.workflow = workflow;
  submit.input = Payload::inline_json(std::move(input));
  return ExecutionId{command(submit).number};
}

std::vector<Grant> PartitionRig::open(const TaskRange& range) const {
  std::vector<Grant> grants;
  const Execution* execution = state().executions.find(range.execution);
  if (execution == nullptr || range.node >= execution->nodes.size()) return grants;
  const NodeWork* work = execution->nodes[range.node].work.get();
  if (work == nullptr) return grants;
  for (const OpenRange& open : work->open) {
    ItemIndex begin = std::max(open.span.begin, range.begin);
    ItemIndex end = std::min(open.span.end, range.end);
    if (begin < end)
      grants.push_back({open.session,
                        {range.execution, range.node, begin, end},
                        open.attempt,
                        open.nonce,
                        nullptr});
  }
  return grants;
}

Reply PartitionRig::report(const TaskRange& range, const AttemptReport& how,
                           const std::vector<Payload>& outputs) {
  Reply reply{Code::aborted, "no attempt of it is open", 0};
  for (const Grant& grant : open(range)) {
    AttemptReport report = how;
    report.range = grant.range;
    report.attempt = grant.attempt;
    report.nonce = grant.nonce;
    if (!outputs.empty())
      report.outputs.assign(outputs.begin() + (grant.range.begin - range.begin),
                            outputs.begin() + (grant.range.end - range.begin));
    reply = command(ReportAttempts{grant.session, {report}});
  }
  return reply;
}

Reply PartitionRig::succeed(const TaskRange& range, const std::vector<Payload>& outputs) {
  AttemptReport how;
  how.succeeded = true;
  return report(range, how, outputs);
}

Reply PartitionRig::fail(const TaskRange& range, FailureKind kind, int32_t code,
                         const std::string& error) {
  AttemptReport how;
  how.kind = kind;
  how.exit_code = code;
  how.error = error;
  return report(range, how, {});
}

Reply PartitionRig::give_back(const TaskRange& range) {
  std::map<SessionId, std::vector<HeldAttempts>> held;
  for (const Grant& grant : open(range))
    held[grant.session].push_back({grant.range, grant.attempt, grant.nonce});
  Reply reply{Code::aborted, "no attempt of it is open", 0};
  for (auto& [session, attempts] : held)
    reply = command(ReturnAttempts{session, std::move(attempts)});
  return reply;
}

std::vector<Effect> PartitionRig::take_effects() {
  return std::exchange(effects_, {});
}

}  // namespace pawl
