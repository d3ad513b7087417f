#include <gtest/gtest.h>

#include "pawl/testing/scenario/partition_rig.h"

namespace pawl {
namespace {

class WhyRunningTest : public testing::Test {
 protected:
  WhyRunningTest() {
    Workflow workflow;
    workflow.name = "w";
    Node node;
    node.id = "n";
    node.timeout.run = Duration::minutes(2);
    workflow.nodes = {node};
    WorkerSpec spec;
    spec.name = "big";
    spec.zone = "eu-1";
    spec.lease = Duration::seconds(9);
    EXPECT_EQ(rig.command(OpenSession{spec}).code, Code::ok);
    id = rig.submit(rig.add(std::move(workflow)));
  }
  Why why() { return std::get<WhyList>(rig.ask(Explain{id, "n", {}})).reasons.at(0); }
  static bool has(const Why& why, const std::string& words) {
    return why.reason.find(words) != std::string::npos;
  }

  PartitionRig rig;
  ExecutionId id;
};

TEST_F(WhyRunningTest, ItSaysWhereSinceWhenAndWhatWouldEndIt) {
  rig.advance(Duration::seconds(2));
  Why running = why();
  EXPECT_EQ(running.code, WhyCode::running);
  for (const char* words : {"it is running, attempt 1, on worker big in zone eu-1, which got it 2 "
                            "s ago because no other could "
                            "take it then",
                            "its lease has 7 s left", "timeout.run allows it 2 min",
                            "queue default places by least_loaded"})
    EXPECT_TRUE(has(running, words)) << words << " is not in: " << running.reason;
  EXPECT_EQ(running.remedy,
            "wait until it ends; `pawl cancel e1/n` ends it; another worker gets it once "
            "this one is lost or sends it back");
}

TEST_F(WhyRunningTest, OfAWorkerThatIsSilentItSaysSo) {
  rig.advance(Duration::seconds(7));
  EXPECT_TRUE(has(why(), "has not been heard from lately: in 2 s its lease is over"));
}

}  // namespace
}  // namespace pawl
