#include "pawl/worker/expressions.h"

#include <gtest/gtest.h>

#include <deque>
#include <set>

#include "pawl/testing/hand_background.h"
#include "pawl/testing/memory_blob.h"
#include "pawl/testing/sim_evaluator.h"
#include "pawl/worker/payload_desk.h"

namespace pawl {
namespace {

class StillLoop final : public Loop {
 public:
  void add(Actor&) override {}
  void remove(Actor&) override {}
  void wake() override {}
};

class CountingEvaluator final : public Evaluator {
 public:
  explicit CountingEvaluator(Sink<Evaluation>& answers) : inner_(answers) {}
  void start(uint64_t ticket, const std::string& expression,
             std::shared_ptr<const std::string> context, Duration at_most) override {
    ++started;
    inner_.start(ticket, expression, std::move(context), at_most);
  }
  void cancel(uint64_t ticket) override { cancelled.push_back(ticket); }
  Status check(const std::string& expression) override { return inner_.check(expression); }
  int started = 0;
  std::vector<uint64_t> cancelled;

 private:
  SimEvaluator inner_;
};

class Kept final : public Sink<ExpressionValues> {
 public:
  void put(ExpressionValues value) override { answers.push_back(std::move(value)); }
  std::vector<ExpressionValues> answers;
};

class ExpressionsTest : public testing::Test {
 protected:
  Grant grant(ItemIndex begin, ItemIndex end) {
    auto workflow = std::make_shared<Workflow>();
    workflow->nodes.emplace_back();
    workflow->nodes[0].for_each = make_expression(".input");
    auto run = std::make_shared<RunContext>();
    run->workflow = workflow;
    run->input = Payload::inline_json(R"({"n":4})");
    run->items_count = 100;
    Grant made;
    made.range = {ExecutionId{1}, 0, begin, end};
    made.context = run;
    return made;
  }
  std::optional<ItemValues> values(const Grant& of, const std::vector<Expression>& wanted) {
    std::vector<const Expression*> pointers;
    for (const Expression& one : wanted) pointers.push_back(&one);
    return expressions_.values(++id_, of, pointers, later_);
  }

  StillLoop loop_;
  MemoryBlob blob_;
  Mailbox<Evaluation> evaluations_{loop_};
  CountingEvaluator evaluator_{evaluations_};
  Expressions expressions_{evaluator_, evaluations_, blob_, loop_};
  Kept later_;
  uint64_t id_ = 0;
};

TEST_F(ExpressionsTest, PlainPathsAndLiteralsAreThereAtOnce) {
  auto got = values(grant(7, 9), {make_expression(".input.n"), make_expression(".item"),
                                  make_expression("[1, 2]")});
  ASSERT_TRUE(got.has_value());
  ASSERT_EQ(got->size(), 2u);
  EXPECT_EQ((*got)[1].value(), (Values{{".input.n", "4"}, {".item", "8"}, {"[1, 2]", "[1, 2]"}}));
  EXPECT_EQ(evaluator_.started, 0);
}

TEST_F(ExpressionsTest, WhatIsComposedOfPathsAndJsonIsThereAtOnce) {
  const Expression text = make_expression(R"x("\(.input.n) and \(.item)")x");
  const Expression list = make_expression("[(.input.n),12345678901234567890]");
  auto got = values(grant(7, 9), {text, list});
  ASSERT_TRUE(got.has_value());
  EXPECT_EQ((*got)[1].value(),
            (Values{{text.text, R"("4 and 8")"}, {list.text, "[4,12345678901234567890]"}}));
  EXPECT_EQ(evaluator_.started, 0);
}

class Silent final : public Evaluator {
 public:
  void start(uint64_t ticket, const std::string&, std::shared_ptr<const std::string>,
             Duration) override {
    tickets.push_back(ticket);
  }
  void cancel(uint64_t) override {}
  Status check(const std::string&) override { return {}; }
  std::vector<uint64_t> tickets;
};

TEST_F(ExpressionsTest, WhatIsJqAmongWhatIsComposedIsFilledIn) {
  Silent evaluator;
  Expressions expressions(evaluator, evaluations_, blob_, loop_);
  const Expression own = make_expression(R"({"i":(.item),"n":(.item + 1)})");
  const Expression shared = make_expression("[(.input.n),(.input.n + 1)]");
  EXPECT_FALSE(expressions.values(1, grant(7, 9), {&own, &shared}, later_).has_value());
  ASSERT_EQ(evaluator.tickets.size(), 3u);
  for (uint64_t ticket : evaluator.tickets)
    evaluations_.put({ticket, "[" + std::to_string(10 * ticket) + "]"});
  expressions.turn();
  ASSERT_EQ(later_.answers.size(), 1u);
  EXPECT_EQ(later_.answers[0].items[1].value(),
            (Values{{own.text, R"({"i":8,"n":20})"}, {shared.text, "[4,30]"}}));
}

TEST_F(ExpressionsTest, WhatDoesNotReadTheItemIsEvaluatedOncePerNodeRun) {
  Grant one = grant(0, 50);
  Grant two = one;
  two.range.begin = 50;
  two.range.end = 100;
  Expression sum = make_expression(".input.n + 1");
  EXPECT_FALSE(values(one, {sum}).has_value());
  EXPECT_FALSE(values(two, {sum, sum}).has_value()) << "asked for, not there yet";
  expressions_.turn();
  ASSERT_EQ(later_.answers.size(), 2u);
  EXPECT_EQ(later_.answers[1].items[49].value().at(sum.text), "5");
  EXPECT_TRUE(values(one, {sum}).has_value());
  EXPECT_EQ(evaluator_.started, 1);
}

TEST_F(ExpressionsTest, WhatReadsTheItemIsEvaluatedForEach) {
  Expression sum = make_expression(".item + 10");
  EXPECT_FALSE(values(grant(3, 6), {sum, make_expression(".input.n + 1")}).has_value());
  expressions_.turn();
  ASSERT_EQ(later_.answers.size(), 1u);
  EXPECT_EQ(later_.answers[0].id, 1u);
  EXPECT_EQ(later_.answers[0].items[2].value().at(sum.text), "15");
  EXPECT_EQ(evaluator_.started, 4);
}

TEST_F(ExpressionsTest, OneItemsErrorIsItsOwnAndNamesTheExpression) {
  Grant mixed = grant(0, 2);
  auto run = std::make_shared<RunContext>(*mixed.context);
  run->items = Payload::inline_json(encode_items(R"([1,"x"])"));
  run->items_count = 2;
  mixed.context = run;
  EXPECT_FALSE(values(mixed, {make_expression(".item + 1")}).has_value());
  expressions_.turn();
  ASSERT_EQ(later_.answers.size(), 1u);
  EXPECT_EQ(later_.answers[0].items[0].value().at(".item + 1"), "2");
  ASSERT_FALSE(later_.answers[0].items[1].ok());
  EXPECT_NE(later_.answers[0].items[1].error().message.find("${ .item + 1 }"), std::string::npos);
}

TEST_F(ExpressionsTest, ASharedErrorFailsAllAndIsAskedForAgain) {
  Grant all = grant(0, 2);
  Expression bad = make_expression(".input | length | nonsense");
  for (int attempt = 1; attempt <= 2; ++attempt) {
    EXPECT_FALSE(values(all, {bad}).has_value());
    expressions_.turn();
    ASSERT_EQ(later_.answers.size(), static_cast<size_t>(attempt));
    EXPECT_FALSE(later_.answers.back().items[0].ok());
    EXPECT_FALSE(later_.answers.back().items[1].ok());
    EXPECT_EQ(evaluator_.started, attempt);
  }
}

TEST_F(ExpressionsTest, WhatHasNoExpressionsHoldsNoContext) {
  Grant constant = grant(3, 5);
  auto got = values(constant, {});
  ASSERT_TRUE(got.has_value());
  ASSERT_EQ(got->size(), 2u);
  EXPECT_TRUE((*got)[1].value().empty());
  EXPECT_EQ(constant.context.use_count(), 1);
}

// A store that sends for what is read, and has it when it is told so.
class SendingStore final : public PayloadStore {
 public:
  Status put(const BlobRef& ref, ByteView bytes) override { return kept.put(ref, bytes); }
  Result<Bytes> get(const BlobRef& ref) override {
    if (!here.contains(ref)) {
      sent_for.insert(ref);
      return on_its_way(ref);
    }
    return kept.get(ref);
  }
  Result<Bytes> part(const BlobRef& ref, uint64_t offset, uint64_t size) override {
    return kept.part(ref, offset, size);
  }
  std::optional<uint64_t> arrivals() const override { return here.size(); }
  void bring() { here.insert(sent_for.begin(), sent_for.end()); }

  MemoryBlob kept;
  std::set<BlobRef> sent_for, here;
};

TEST_F(ExpressionsTest, WhatWaitsForPayloadsIsMadeAgainWhenTheyHaveCome) {
  SendingStore store;
  Expressions expressions(evaluator_, evaluations_, store, loop_);
  const std::string input = R"({"n":4})";
  const BlobRef ref{ExecutionId{1}, 1, input.size(), hash128(input)};
  ASSERT_TRUE(store.put(ref, input).ok());
  Grant one = grant(3, 5);
  auto run = std::make_shared<RunContext>(*one.context);
  run->input = Payload::blob(ref);
  one.context = run;
  Expression plain = make_expression(".input.n");
  Expression sum = make_expression(".input.n + .item");
  Expression item = make_expression(".item + 1");  // needs nothing that is away
  EXPECT_FALSE(expressions.values(1, one, {&item, &plain}, later_).has_value());
  EXPECT_FALSE(expressions.values(2, one, {&sum}, later_).has_value());
  EXPECT_FALSE(expressions.values(3, one, {&plain}, later_).has_value());
  expressions.turn();
  EXPECT_TRUE(later_.answers.empty()) << "it is on its way";
  store.bring();
  EXPECT_EQ(store.sent_for.size(), 1u);
  expressions.turn();
  expressions.turn();
  ASSERT_EQ(later_.answers.size(), 3u);
  for (ExpressionValues& answer : later_.answers) {
    const Values& last = answer.items[1].value();
    const Values wanted[] = {
        {{item.text, "5"}, {plain.text, "4"}}, {{sum.text, "8"}}, {{plain.text, "4"}}};
    EXPECT_EQ(last, wanted[answer.id - 1]);
  }
  EXPECT_EQ(evaluator_.started, 4) << "what was at hand is evaluated once";
}

TEST_F(ExpressionsTest, ItemsThatExceedWhatIsKeptAreEachEvaluatedOnce) {
  constexpr ItemIndex count = 18;
  constexpr uint64_t block = 64 << 10;
  std::string list = "[";
  for (ItemIndex i = 0; i < count; ++i)
    list += (i > 0 ? ",\"" : "\"") + std::string(500'000, 'x') + '"';
  const std::string items = encode_items(list + "]");
  const std::string other(20 * block, '1');
  const BlobRef items_ref{ExecutionId{1}, 1, items.size(), hash128(items)};
  const BlobRef other_ref{ExecutionId{1}, 2, other.size(), hash128(other)};
  ASSERT_TRUE(blob_.put(items_ref, items).ok());
  ASSERT_TRUE(blob_.put(other_ref, other).ok());
  HandBackground::Calls calls;
  PayloadDesk desk(blob_, loop_, std::make_unique<HandBackground>(calls),
                   {.kept_bytes_max = 20 * block, .block_bytes = block});
  Expressions expressions(evaluator_, evaluations_, desk, loop_);
  Grant all = grant(1, count);
  auto run = std::make_shared<RunContext>(*all.context);
  run->items = Payload::blob(items_ref);
  run->items_count = count;
  all.context = run;
  Grant first = all;
  first.range = {ExecutionId{1}, 0, 0, 1};
  const Expression length = make_expression(".item | length");
  uint64_t steps = 0;
  auto step = [&] {
    make_next(calls);
    expressions.turn();
    expressions.turn();
  };
  auto until_told = [&](size_t answers) {
    while (later_.answers.size() < answers && !calls.empty() && ++steps < 10'000) step();
  };
  EXPECT_FALSE(expressions.values(1, first, {&length}, later_).has_value());
  until_told(1);
  EXPECT_FALSE(desk.get(other_ref).ok());
  step();
  EXPECT_TRUE(desk.get(other_ref).ok());  // it is kept instead of the list
  EXPECT_FALSE(expressions.values(2, all, {&length}, later_).has_value());
  until_told(2);
  ASSERT_EQ(later_.answers.size(), 2u) << "after " << steps << " reads";
  for (const Result<Values>& item : later_.answers[1].items)
    EXPECT_EQ(item.value().at(length.text), "500000");
  EXPECT_EQ(evaluator_.started, static_cast<int>(count));
  EXPECT_LT(steps, 3 * items.size() / block);
}

TEST_F(ExpressionsTest, WhatIsGivenUpIsCancelledAndNotTold) {
  Expression own = make_expression(".item + 1");
  Expression shared = make_expression(".input.n + 1");
  const Grant mine = grant(0, 3);
  EXPECT_FALSE(values(mine, {own, shared}).has_value());
  EXPECT_FALSE(values(mine, {shared}).has_value());
  expressions_.give_up(1, later_);
  EXPECT_EQ(evaluator_.cancelled, (std::vector<uint64_t>{1, 2, 3}))
      << "one waits for the shared one";
  expressions_.give_up(2, later_);
  EXPECT_EQ(evaluator_.cancelled.size(), 4u);
  expressions_.give_up(2, later_);
  EXPECT_FALSE(values(mine, {shared}).has_value());
  expressions_.turn();
  ASSERT_EQ(later_.answers.size(), 1u);
  EXPECT_EQ(later_.answers[0].id, 3u);
  EXPECT_EQ(later_.answers[0].items[2].value().at(shared.text), "5");
  EXPECT_EQ(evaluator_.started, 5);
}

TEST_F(ExpressionsTest, AContextIsLetGoWhenItsNodeRunIsOver) {
  std::weak_ptr<const RunContext> first;
  {
    Grant one = grant(0, 1);
    first = one.context;
    EXPECT_TRUE(values(one, {make_expression(".item")}).has_value());
  }
  EXPECT_FALSE(first.expired());
  Grant next = grant(0, 1);
  EXPECT_TRUE(values(next, {make_expression(".item")}).has_value());
  EXPECT_TRUE(first.expired());
}

}  // namespace
}  // namespace pawl
