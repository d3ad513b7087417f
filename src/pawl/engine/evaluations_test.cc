#include "pawl/engine/evaluations.h"

#include <gtest/gtest.h>

#include <deque>

#include "pawl/testing/hand_background.h"
#include "pawl/testing/memory_blob.h"
#include "pawl/testing/still_world.h"

namespace pawl {
namespace {

class Recorder final : public Evaluator {
 public:
  void start(uint64_t ticket, const std::string& expression,
             std::shared_ptr<const std::string> context, Duration) override {
    tickets.push_back(ticket);
    asked = expression + " of " + std::to_string(context->size());
  }
  void cancel(uint64_t ticket) override { cancelled.push_back(ticket); }
  Status check(const std::string&) override { return {}; }

  std::vector<uint64_t> tickets, cancelled;
  std::string asked;
};

class EvaluationsTest : public testing::Test {
 protected:
  Evaluate effect(EvaluationPurpose purpose, const std::string& expression, Payload input) {
    auto workflow = std::make_shared<Workflow>();
    workflow->nodes.emplace_back();
    workflow->nodes[0].id = "a";
    auto run = std::make_shared<RunContext>();
    run->execution = ExecutionId{17};
    run->workflow = workflow;
    run->input = std::move(input);
    return {purpose, make_expression(expression), run};
  }
  Payload large() {
    BlobRef ref{ExecutionId{17}, 1, list_.size(), hash128(list_)};
    EXPECT_TRUE(blob_.put(ref, list_).ok());
    return Payload::blob(ref);
  }
  void make_call() { make_next(calls_); }

  TurnLoop loop_;
  ManualClock clock_;
  MemoryBlob blob_;
  Recorder evaluator_;
  HandBackground::Calls calls_;
  const std::string list_ = "[\"" + std::string(payload_inline_max, 'x') + "\",2]";
  Evaluations evaluations_{evaluator_, blob_,    clock_,
                           loop_,      Limits(), std::make_unique<HandBackground>(calls_)};
};

TEST_F(EvaluationsTest, WhatIsSmallIsDoneAtOnce) {
  evaluations_.start(effect(EvaluationPurpose::condition, ".input", Payload::inline_json("7")));
  std::vector<ReportEvaluation> done = evaluations_.take_done();
  ASSERT_EQ(done.size(), 1u);
  EXPECT_EQ(done[0].value.text(), "true");
  EXPECT_TRUE(calls_.empty());
}

TEST_F(EvaluationsTest, WhatIsComposedOfPathsAndJsonIsDoneAtOnce) {
  evaluations_.start(effect(EvaluationPurpose::items, R"([(.input),12345678901234567890])",
                            Payload::inline_json("123456789012345678")));
  std::vector<ReportEvaluation> done = evaluations_.take_done();
  ASSERT_EQ(done.size(), 1u);
  ASSERT_EQ(done[0].items_count, 2u);
  EXPECT_EQ(items_at(done[0].value.text(), 0), "123456789012345678");
  EXPECT_EQ(items_at(done[0].value.text(), 1), "12345678901234567890");
}

TEST_F(EvaluationsTest, ManyPartsAreReadInTheBackground) {
  std::string list = "[(.input)";
  for (int i = 0; i < 100; ++i) list += ",(.input)";
  evaluations_.start(effect(EvaluationPurpose::items, list + "]", Payload::inline_json("7")));
  EXPECT_TRUE(evaluations_.take_done().empty());
  make_call();
  std::vector<ReportEvaluation> done = evaluations_.take_done();
  ASSERT_EQ(done.size(), 1u);
  EXPECT_EQ(done[0].items_count, 101u);
}

TEST_F(EvaluationsTest, OnlyWhatIsJqIsAskedOfTheEvaluator) {
  const std::string composed = R"({"id":(.input),"n":(.input | length)})";
  evaluations_.start(
      effect(EvaluationPurpose::output, composed, Payload::inline_json("123456789012345678")));
  ASSERT_EQ(evaluator_.tickets.size(), 1u);
  evaluations_.finish({evaluator_.tickets[0], std::string("[123456789012345680]")});
  std::vector<ReportEvaluation> done = evaluations_.take_done();
  ASSERT_EQ(done.size(), 1u);
  EXPECT_EQ(done[0].value.text(), R"({"id":123456789012345678,"n":123456789012345680})");
}

TEST_F(EvaluationsTest, AComposedResultIsLargeWithWhatPathsBring) {
  evaluations_.start(effect(EvaluationPurpose::output, "[(.input),(.input | length)]", large()));
  make_call();
  EXPECT_TRUE(evaluations_.take_done().empty());
  ASSERT_EQ(evaluator_.tickets.size(), 1u);
  evaluations_.finish({evaluator_.tickets[0], std::string("[2]")});
  EXPECT_TRUE(evaluations_.take_done().empty()) << "it is stored in the background";
  make_call();
  std::vector<ReportEvaluation> done = evaluations_.take_done();
  ASSERT_EQ(done.size(), 1u);
  EXPECT_EQ(blob_.get(done[0].value.ref()).value(), "[" + list_ + ",2]");
}

TEST_F(EvaluationsTest, LargePayloadsAreReadAndStoredInTheBackground) {
  evaluations_.start(effect(EvaluationPurpose::items, ".input", large()));
  EXPECT_TRUE(evaluations_.take_done().empty());
  EXPECT_EQ(blob_.count(), 1u);
  make_call();
  EXPECT_TRUE(evaluations_.has_done());
  std::vector<ReportEvaluation> done = evaluations_.take_done();
  ASSERT_EQ(done.size(), 1u);
  EXPECT_EQ(done[0].items_count, 2u);
  EXPECT_EQ(items_at(blob_.get(done[0].value.ref()).value(), 1), "2");
}

TEST_F(EvaluationsTest, TheEvaluatorIsAskedOnceTheDocumentIsMade) {
  evaluations_.start(effect(EvaluationPurpose::output, ".input | reverse", large()));
  EXPECT_TRUE(evaluator_.tickets.empty());
  make_call();
  EXPECT_TRUE(evaluations_.take_done().empty());
  ASSERT_EQ(evaluator_.tickets.size(), 1u);
  EXPECT_EQ(evaluator_.asked, ".input | reverse of " + std::to_string(list_.size() + 10));
  evaluations_.finish({evaluator_.tickets[0], list_});
  EXPECT_TRUE(evaluations_.take_done().empty()) << "a large result is stored in the background";
  make_call();
  std::vector<ReportEvaluation> done = evaluations_.take_done();
  ASSERT_EQ(done.size(), 1u);
  EXPECT_EQ(blob_.get(done[0].value.ref()).value(), list_);
}

TEST_F(EvaluationsTest, WhatIsGivenUpIsCancelledAndLeavesNothingBehind) {
  evaluations_.start(effect(EvaluationPurpose::condition, ".input + 1", Payload::inline_json("7")));
  evaluations_.start(effect(EvaluationPurpose::items, ".input", large()));
  evaluations_.give_up(ExecutionId{18});
  EXPECT_TRUE(evaluator_.cancelled.empty());
  evaluations_.give_up(ExecutionId{17});
  EXPECT_EQ(evaluator_.cancelled.front(), evaluator_.tickets.front());
  evaluations_.finish({evaluator_.tickets[0], std::string("8")});
  make_call();
  EXPECT_EQ(blob_.count(), 2u);
  EXPECT_TRUE(evaluations_.take_done().empty());
  make_call();
  EXPECT_EQ(blob_.count(), 1u);
}

}  // namespace
}  // namespace pawl
