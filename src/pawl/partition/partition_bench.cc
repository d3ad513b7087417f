// Pure steps of one partition in one thread, as an engine gives them: groups of up to
// 1,024 commands, one schedule() each. No log, no encoding, no waiting. And what waiting
// work costs in memory.
//
//   partition_bench [thousands of tasks, 1000 by default]

#include <malloc.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "pawl/partition/partition.h"
#include "pawl/wire/workflow_codec.h"

namespace pawl {
namespace {

constexpr size_t group_commands = 1024;

Workflow one_node(const char* name, const char* for_each) {
  Node node;
  node.id = "a";
  node.type = NodeType::function;
  node.function = "work";
  if (for_each != nullptr) node.for_each = make_expression(for_each);
  Workflow workflow;
  workflow.name = name;
  workflow.nodes.push_back(std::move(node));
  PAWL_CHECK(finish(workflow).ok(), "the bench's workflow is valid");
  return workflow;
}

class Engine {
 public:
  Engine() : partition_(Limits{}) {
    partition_.resume(out_);
    partition_.begin_group({}, {});
    partition_.start_epoch(1, {7, 7}, out_);
  }

  void worker(uint32_t credit) {
    WorkerSpec spec;
    spec.credit = credit;
    spec.lease = Duration::hours(1000);
    spec.functions = {"work"};
    give(OpenSession{spec});
    commit();
  }

  WorkflowId add(const Workflow& workflow) {
    give(RegisterWorkflow{encode(workflow)});
    uint64_t number = std::get<Answer>(out_.effects.back()).reply.number;
    commit();
    return WorkflowId{number};
  }

  void give(const Command& command) {
    partition_.step(command, 1, ++dice_, out_);
    if (++given_ == group_commands) commit();
  }

  // What the log and the outside would have taken.
  void commit() {
    partition_.schedule(++dice_, out_);
    for (Effect& effect : out_.effects) {
      if (auto* dispatch = std::get_if<Dispatch>(&effect))
        grants.push_back(std::move(dispatch->grant));
      if (const auto* answer = std::get_if<Answer>(&effect))
        PAWL_CHECK(answer->reply.code == Code::ok, answer->reply.message.c_str());
    }
    out_.events.clear();
    out_.effects.clear();
    given_ = 0;
    now_ = now_ + Duration::microseconds(500);
    partition_.begin_group(now_, {});
  }

  const State& state() const { return partition_.state(); }
  std::vector<Grant> grants;

 private:
  Partition partition_;
  StepOutput out_;
  Instant now_;
  uint64_t dice_ = 0;
  size_t given_ = 0;
};

Command submission(WorkflowId workflow) {
  SubmitExecution submit;
  submit.workflow = workflow;
  submit.input = Payload::inline_json(R"({"n":12345})");
  return submit;
}

// One report after the other in the same command, so that making commands is not what is measured.
class Success {
 public:
  Success() { report().reports.emplace_back().succeeded = true; }
  const Command& of(const Grant& grant, ItemIndex begin, ItemIndex end) {
    report().session = grant.session;
    AttemptReport& one = report().reports.front();
    one.range = {grant.range.execution, grant.range.node, begin, end};
    one.attempt = grant.attempt;
    one.nonce = grant.nonce;
    return command_;
  }

 private:
  ReportAttempts& report() { return std::get<ReportAttempts>(command_); }
  Command command_ = ReportAttempts{};
};

class Stopwatch {
 public:
  void print(const char* what, double commands) const {
    std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin_;
    std::printf("%-44s %8.2f M commands/s  %6.0f ns each\n", what, commands / took.count() / 1e6,
                took.count() * 1e9 / commands);
  }

 private:
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

// Submit, grant and report single-task executions, so that as many are always open as fit.
void single_tasks(size_t count) {
  Engine engine;
  WorkflowId workflow = engine.add(one_node("single", nullptr));
  engine.worker(1 << 20);
  Command submit = submission(workflow);
  Success success;
  Stopwatch watch;
  for (size_t submitted = 0; submitted < count;) {
    for (size_t i = 0; i < group_commands && submitted < count; ++i, ++submitted)
      engine.give(submit);
    engine.commit();
    std::vector<Grant> grants = std::exchange(engine.grants, {});
    for (const Grant& grant : grants) engine.give(success.of(grant, 0, 1));
  }
  engine.commit();
  watch.print("single-task executions: submit, report", 2.0 * static_cast<double>(count));
  PAWL_CHECK(engine.state().counts.succeeded == count, "every execution ended");
}

// `per_report` items in each report of a mapped node.
void mapped_items(size_t count, ItemIndex per_report) {
  Engine engine;
  WorkflowId workflow = engine.add(one_node("mapped", std::to_string(count).c_str()));
  engine.worker(1 << 14);
  engine.give(submission(workflow));
  engine.commit();
  Success success;
  Stopwatch watch;
  size_t commands = 0;
  // The output of so many items is built outside: here it ends with the last report.
  while (!engine.grants.empty()) {
    std::vector<Grant> grants = std::exchange(engine.grants, {});
    for (const Grant& grant : grants) {
      for (ItemIndex at = grant.range.begin; at < grant.range.end; at += per_report, ++commands)
        engine.give(success.of(grant, at, std::min(grant.range.end, at + per_report)));
    }
    engine.commit();
  }
  std::string what = "mapped node, reports of " + std::to_string(per_report) + " item(s)";
  watch.print(what.c_str(), static_cast<double>(commands));
}

size_t used() {
  return mallinfo2().uordblks;
}

void memory(size_t count) {
  auto each = static_cast<double>(count);
  {
    size_t before = used();
    Engine engine;
    WorkflowId workflow = engine.add(one_node("mapped", std::to_string(count).c_str()));
    engine.give(submission(workflow));
    engine.commit();
    std::printf("%-44s %8.2f bytes each\n", "queued items of a mapped node",
                static_cast<double>(used() - before) / each);
  }
  Engine engine;
  WorkflowId workflow = engine.add(one_node("single", nullptr));
  size_t before = used();
  Command submit = submission(workflow);
  for (size_t i = 0; i < count; ++i) engine.give(submit);
  engine.commit();
  std::printf("%-44s %8.2f bytes each\n", "queued single-task executions",
              static_cast<double>(used() - before) / each);
  std::printf("%-44s %8.2f bytes each\n", "... of which the partition knows",
              static_cast<double>(engine.state().open_bytes) / each);
}

}  // namespace
}  // namespace pawl

int main(int argc, char** argv) {
  size_t count = 1000 * (argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1000);
  pawl::single_tasks(count);
  pawl::mapped_items(count, 1);
  pawl::mapped_items(count, 64);
  pawl::memory(count);
}
