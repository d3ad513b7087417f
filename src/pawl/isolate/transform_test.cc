// The transform executor and the renderer, over the simulated evaluator.
#include "pawl/isolate/transform.h"

#include <gtest/gtest.h>

#include "pawl/isolate/attempt_renderer.h"
#include "pawl/testing/memory_blob.h"
#include "pawl/testing/sim_evaluator.h"

namespace pawl {
namespace {

class StillLoop final : public Loop {
 public:
  void add(Actor&) override {}
  void remove(Actor&) override {}
  void wake() override {}
};

template <class T>
class Kept final : public Sink<T> {
 public:
  void put(T value) override { all.push_back(std::move(value)); }
  std::vector<T> all;
};

Template text(std::initializer_list<TemplatePart> parts) {
  return {parts};
}
TemplatePart literal(std::string words) {
  return {std::move(words), {}};
}
TemplatePart expression(const std::string& jq) {
  return {{}, make_expression(jq)};
}

class World : public testing::Test {
 protected:
  Grant grant(const Node& node, ItemIndex begin = 0, ItemIndex end = 1) {
    auto workflow = std::make_shared<Workflow>();
    workflow->nodes.push_back(node);
    auto run = std::make_shared<RunContext>();
    run->execution = ExecutionId{3};
    run->workflow = workflow;
    run->input = Payload::inline_json(R"({"n":4,"name":"it's","list":["a b",1]})");
    run->items = Payload::inline_json(encode_items(R"([1,"x",null,7])"));
    run->items_count = 4;
    Grant made;
    made.range = {ExecutionId{3}, 0, begin, end};
    made.context = run;
    return made;
  }

  StillLoop loop_;
  MemoryBlob blob_;
  Mailbox<Evaluation> evaluations_{loop_};
  SimEvaluator evaluator_{evaluations_};
  Expressions expressions_{evaluator_, evaluations_, blob_, loop_};
};

class Transform : public World {
 protected:
  std::vector<AttemptReport> run(const std::string& jq, ItemIndex begin, ItemIndex end) {
    Node node;
    node.type = NodeType::transform;
    node.transform = make_expression(jq);
    node.for_each = make_expression(".input.list");
    executor_.start({++launch_, grant(node, begin, end)});
    expressions_.turn();
    EXPECT_EQ(news_.all.size(), launch_);
    auto& finished = std::get<Finished>(news_.all.back());
    EXPECT_EQ(finished.launch, launch_);
    return finished.reports;
  }
  Kept<ExecutorNews> news_;
  TransformExecutor executor_{expressions_, blob_, news_};
  uint64_t launch_ = 0;
};

TEST_F(Transform, GivesTheValueOfItsExpression) {
  auto reports = run(".input.n + 1", 0, 1);
  ASSERT_EQ(reports.size(), 1u);
  ASSERT_TRUE(reports[0].succeeded);
  EXPECT_EQ(reports[0].outputs.at(0).text(), "5");
}

TEST_F(Transform, ARangeIsOneReportWithAnOutputPerItem) {
  auto reports = run(".item", 0, 4);
  ASSERT_EQ(reports.size(), 1u);
  ASSERT_EQ(reports[0].outputs.size(), 4u);
  EXPECT_EQ(reports[0].outputs[1].text(), "\"x\"");
  EXPECT_TRUE(reports[0].outputs[2].is_absent());
}

TEST_F(Transform, AnErrorFailsItsItemOnly) {
  auto reports = run(".item + 1", 0, 4);
  ASSERT_EQ(reports.size(), 4u);
  EXPECT_TRUE(reports[0].succeeded);
  EXPECT_EQ(reports[1].kind, FailureKind::expression);
  EXPECT_EQ(reports[1].range, (TaskRange{ExecutionId{3}, 0, 1, 2}));
  EXPECT_FALSE(reports[2].succeeded);
  EXPECT_EQ(reports[3].outputs.at(0).text(), "8");
}

TEST_F(Transform, TimeoutRunEndsAnExpression) {
  Node node;
  node.type = NodeType::transform;
  node.transform = make_expression("def f: f; f");
  auto failure = [&](uint64_t launch) {
    executor_.start({launch, grant(node)});
    expressions_.turn();
    return std::get<Finished>(news_.all.back()).reports.at(0);
  };
  EXPECT_EQ(failure(1).kind, FailureKind::expression) << "the evaluator's own limit";
  node.timeout.run = Duration::milliseconds(70);
  AttemptReport timed = failure(2);
  EXPECT_EQ(timed.kind, FailureKind::timeout);
  EXPECT_NE(timed.error.find("longer than 70 ms"), std::string::npos) << timed.error;
}

TEST_F(Transform, ALargeOutputGoesToTheBlobStore) {
  auto reports = run("[range(20000)]", 0, 1);
  ASSERT_EQ(reports.size(), 1u);
  const Payload& output = reports[0].outputs.at(0);
  ASSERT_TRUE(output.is_blob());
  EXPECT_EQ(output.ref().owner, ExecutionId{3});
  EXPECT_EQ(blob_.get(output.ref()).value().size(), output.size());
}

TEST_F(Transform, StoppedWhileEvaluatingItIsDeclinedOnce) {
  Node node;
  node.transform = make_expression(".input.n + 1");
  executor_.start({9, grant(node)});
  executor_.stop(9, StopMode::terminate);
  executor_.stop(9, StopMode::kill);
  expressions_.turn();
  ASSERT_EQ(news_.all.size(), 1u);
  EXPECT_EQ(std::get<Finished>(news_.all[0]).reports.at(0).kind, FailureKind::declined);
}

class Rendering : public World {
 protected:
  ProcessCommand command(const ProcessSpec& spec) {
    Node node;
    node.process = spec;
    auto now = renderer_.command(1, grant(node), commands_);
    if (!now) {
      expressions_.turn();
      EXPECT_EQ(commands_.all.size(), 1u);
      now = std::move(commands_.all.at(0).command);
      commands_.all.clear();
    }
    error_ = now->ok() ? "" : now->error().message;
    return now->ok() ? std::move(**now) : ProcessCommand();
  }

  AttemptRenderer renderer_{expressions_};
  Kept<RenderedCommand> commands_;
  Kept<RenderedInputs> inputs_;
  std::string error_;
};

TEST_F(Rendering, AShellLineWithEverythingAroundIt) {
  ProcessSpec spec;
  spec.shell = true;
  spec.argv = {text(
      {literal("echo "), expression(".input.name"), literal(" > "), expression(".input.n + 1")})};
  spec.environment = {{"N", text({literal("n="), expression(".input.n")})}};
  spec.directory = text({literal("/data/"), expression(".input.n")});
  spec.output_files = {{"log", text({expression(".input.n"), literal(".log")})}};
  spec.limits.open_files = 9;
  ProcessCommand got = command(spec);
  EXPECT_EQ(error_, "");
  EXPECT_TRUE(got.shell);
  EXPECT_EQ(got.argv, (std::vector<std::string>{"echo 'it'\\''s' > '5'"}));
  EXPECT_EQ(got.environment.at(0).second, "n=4");
  EXPECT_EQ(got.directory, "/data/4");
  EXPECT_EQ(got.output_files.at(0).second, "4.log");
  EXPECT_EQ(got.limits.open_files, 9u);
}

TEST_F(Rendering, AnArgumentThatIsAListAloneBecomesSeveral) {
  ProcessSpec spec;
  spec.argv = {text({literal("ls")}), text({expression(".input.list")}),
               text({expression(".input.name")})};
  EXPECT_EQ(command(spec).argv, (std::vector<std::string>{"ls", "a b", "1", "it's"}));
  spec.argv = {text({expression(".input.nothing")})};
  command(spec);
  EXPECT_NE(error_.find("no program"), std::string::npos);
}

TEST_F(Rendering, ErrorsNameTheExpression) {
  ProcessSpec spec;
  spec.argv = {text({literal("ls")}), text({expression(".input.name + 1")})};
  command(spec);
  EXPECT_NE(error_.find("${ .input.name + 1 }"), std::string::npos);
}

TEST_F(Rendering, FunctionInputsPerItem) {
  Node node;
  node.type = NodeType::function;
  node.for_each = make_expression(".input.list");
  auto plain = renderer_.inputs(1, grant(node, 0, 4), inputs_);
  ASSERT_TRUE(plain.has_value());
  EXPECT_EQ((**plain)[1].value(), "\"x\"");
  node.with = text({literal("{\"k\":"), expression(".item + 1"), literal("}")});
  EXPECT_FALSE(renderer_.inputs(2, grant(node, 0, 2), inputs_).has_value());
  expressions_.turn();
  ASSERT_EQ(inputs_.all.size(), 1u);
  EXPECT_EQ(inputs_.all[0].launch, 2u);
  const FunctionInputs& got = *inputs_.all[0].inputs;
  EXPECT_EQ(got[0].value(), "{\"k\":2}");
  EXPECT_FALSE(got[1].ok());
}

}  // namespace
}  // namespace pawl
