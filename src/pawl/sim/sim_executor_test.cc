// The simulated executor under the contract of port/executor.h.
#include "pawl/sim/sim_executor.h"

#include "pawl/base/check.h"
#include "pawl/base/json.h"
#include "pawl/port/mailbox.h"
#include "pawl/testing/contract/executor_contract.h"
#include "pawl/testing/memory_blob.h"

namespace pawl::sim {
namespace {

// Of a workflow whose one node behaves so, as far as the suite looks.
Given given(Behaviour behaviour) {
  JsonWriter out;
  out.begin_object().key("nodes").begin_object().key("node").begin_object();
  const bool hangs = behaviour == Behaviour::wait || behaviour == Behaviour::stubborn;
  out.key("status").string(hangs ? "cancelled" : "succeeded");
  if (behaviour == Behaviour::seven) {
    out.key("outputs").begin_object();
    for (int item = 1'000; item < 1'500; ++item) out.key(std::to_string(item)).raw("7");
    out.end_object();
  }
  if (behaviour == Behaviour::fail) {
    out.key("failures").begin_object();
    for (int item = 1'000; item <= 40'000; item += 1'000)
      out.key(std::to_string(item)).raw(R"({"0":"exit_code"})");
    out.end_object();
  }
  Given made;
  made.name = workflow_name(behaviour);
  made.expected = out.end_object().end_object().end_object().take();
  return made;
}

Plan plan(uint32_t slots, uint32_t ahead) {
  Plan plan;
  plan.slots = slots;
  plan.launches_ahead = ahead;
  plan.launch_items_max = 500;
  plan.habits.crash_worker = plan.habits.repeat_old_report = 0;
  plan.habits.progress = 1000;
  for (Behaviour one : {Behaviour::null, Behaviour::seven, Behaviour::fail, Behaviour::progress,
                        Behaviour::wait, Behaviour::stubborn})
    plan.given.push_back(given(one));
  return plan;
}

// By dice a polite word is not heard; here the first one is.
Random whoever_hears() {
  uint64_t seed = 0;
  while (Random(seed).chance(300)) ++seed;
  return Random(seed);
}

class SimHarness final : public ExecutorHarness {
 public:
  SimHarness(uint32_t slots, uint32_t ahead) : plan_(plan(slots, ahead)) {}
  Executor& executor() override { return executor_; }
  Node node(Behaviour) override {
    Node node;
    node.type = NodeType::function;
    return node;
  }
  std::vector<ExecutorNews> wait() override {
    std::vector<ExecutorNews> batch;
    while (news_.empty()) PAWL_CHECK(universe_.step(), "it would wait for ever");
    news_.take_all(batch);
    return batch;
  }

 private:
  const Plan plan_;
  const bool healed_ = false;
  Universe universe_;
  WallJump jump_;
  SimProcess process_{universe_, jump_, Random(7)};
  Judges judges_{universe_, Limits(), 1, nullptr};
  MemoryBlob blob_;
  Mailbox<ExecutorNews> news_{process_};
  JudgedNews judged_{universe_, judges_, news_};
  SimExecutor executor_{{universe_, process_, nullptr, blob_, plan_, healed_, [](ExecutionId) {}},
                        news_,
                        judged_,
                        whoever_hears(),
                        [] {}};
};

std::unique_ptr<ExecutorHarness> at_once() {
  return std::make_unique<SimHarness>(100, 0);
}
std::unique_ptr<ExecutorHarness> ahead() {
  return std::make_unique<SimHarness>(2, 20);
}
INSTANTIATE_TEST_SUITE_P(Simulated, ExecutorContract, testing::Values(&at_once));
INSTANTIATE_TEST_SUITE_P(SimulatedAhead, ExecutorContract, testing::Values(&ahead));

}  // namespace
}  // namespace pawl::sim
