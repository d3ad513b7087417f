#include "pawl/wire/workflow_codec.h"

#include <gtest/gtest.h>

#include "pawl/testing/random_workflow.h"

namespace pawl {
namespace {

void expect_same(const Workflow& a, const Workflow& b) {
  EXPECT_EQ(a.name, b.name);
  EXPECT_EQ(a.version, b.version);
  EXPECT_EQ(a.input_defaults, b.input_defaults);
  EXPECT_EQ(a.nodes, b.nodes);
  EXPECT_EQ(a.output, b.output);
  EXPECT_EQ(a.dependents, b.dependents);
}

TEST(WorkflowCodec, RandomWorkflowsComeBack) {
  Random dice{1};
  RandomWorkflowPlan plan{.evaluated_permille = 200, .only_functions = false};
  for (int round = 0; round < 200; ++round) {
    Workflow workflow = random_workflow(dice, plan);
    workflow.input_defaults = R"({"a":1})";
    Bytes bytes = encode(workflow);
    Result<Workflow> back = decode_workflow(bytes);
    ASSERT_TRUE(back.ok()) << back.error().message;
    expect_same(workflow, *back);
    EXPECT_EQ(encode(*back), bytes);
  }
}

TEST(WorkflowCodec, ABaseOfDirectoriesIsKeptAndChangesNothingElse) {
  Random dice{4};
  Workflow workflow = random_workflow(dice, {.only_functions = false});
  Bytes without = encode(workflow);
  EXPECT_LT(without[0], 3) << "as it was written before there was a base";
  workflow.nodes[0].process.base = "/home/ann";
  Bytes with = encode(workflow);
  EXPECT_EQ(with[0], 3);
  Result<Workflow> back = decode_workflow(with);
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(back->nodes[0].process.base, "/home/ann");
  expect_same(workflow, *back);
}

TEST(WorkflowCodec, RefusesWhatIsDamagedNewerOrInvalid) {
  Random dice{2};
  Bytes bytes = encode(random_workflow(dice, {}));
  for (size_t cut = 0; cut < bytes.size(); ++cut)
    EXPECT_EQ(decode_workflow(ByteView(bytes).substr(0, cut)).error().code, Code::data_loss) << cut;
  EXPECT_FALSE(decode_workflow(bytes + "x").ok());
  Bytes newer = bytes;
  newer[0] = workflow_format + 1;
  EXPECT_EQ(decode_workflow(newer).error().code, Code::failed_precondition);
  newer[0] = 0;
  EXPECT_EQ(decode_workflow(newer).error().code, Code::data_loss);
  Workflow cyclic;
  cyclic.nodes.resize(1);
  cyclic.nodes[0].id = "a";
  cyclic.nodes[0].needs = {0};
  EXPECT_EQ(decode_workflow(encode(cyclic)).error().code, Code::invalid_argument);
}

TEST(WorkflowCodec, RandomDamageNeverCrashesAndWhatDecodesIsStable) {
  Random dice{3};
  Bytes good = encode(random_workflow(dice, {.nodes_max = 8, .only_functions = false}));
  int decoded = 0;
  for (int round = 0; round < 5000; ++round) {
    Bytes bytes = good;
    bytes[dice.below(bytes.size())] = static_cast<char>(dice.next());
    Result<Workflow> back = decode_workflow(bytes);
    if (!back.ok()) continue;
    ++decoded;
    Result<Workflow> twice = decode_workflow(encode(*back));
    ASSERT_TRUE(twice.ok());
    expect_same(*back, *twice);
  }
  EXPECT_GT(decoded, 100);
}

}  // namespace
}  // namespace pawl
