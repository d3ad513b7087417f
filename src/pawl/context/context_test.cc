#include "pawl/context/context.h"

#include <gtest/gtest.h>

#include "pawl/testing/memory_blob.h"

namespace pawl {
namespace {

class ContextTest : public testing::Test {
 protected:
  // a (plain, id "a"), m (mapped, id "m"), self (the node asking)
  std::shared_ptr<RunContext> make(bool mapped = true) {
    auto workflow = std::make_shared<Workflow>();
    workflow->name = "nightly";
    workflow->nodes.resize(3);
    workflow->nodes[0].id = "a";
    workflow->nodes[1].id = "m";
    workflow->nodes[2].id = "self";
    if (mapped) workflow->nodes[2].for_each = make_expression(".input.list");
    auto run = std::make_shared<RunContext>();
    run->execution = ExecutionId{17};
    run->workflow = workflow;
    run->node = 2;
    run->input = Payload::inline_json(R"({"n":1,"list":["x",{"k":2}]})");
    run->items = Payload::inline_json(encode_items(R"(["x",{"k":2}])"));
    run->items_count = 2;
    auto outputs = std::make_shared<ItemOutputs>(3);
    outputs->set(1, Payload::inline_json("{\"r\":7}"));
    outputs->set(2, stored("\"from the blob store\""));
    run->outputs.push_back({0, Payload::inline_json("[10,20]"), nullptr});
    run->outputs.push_back({1, {}, outputs});
    return run;
  }
  Payload stored(const std::string& json) {
    BlobRef ref{ExecutionId{17}, ++sequence_, json.size(), hash128(json)};
    EXPECT_TRUE(blob_.put(ref, json).ok());
    return Payload::blob(ref);
  }
  std::string value(Context& context, const std::string& path, ItemIndex item = 0) {
    return context.value(make_expression(path).path, item).value();
  }

  MemoryBlob blob_;
  uint64_t sequence_ = 0;
};

TEST_F(ContextTest, FollowsPlainPaths) {
  Context context(make(), blob_);
  EXPECT_EQ(value(context, ".input.n"), "1");
  EXPECT_EQ(value(context, ".nodes.a.output[1]"), "20");
  EXPECT_EQ(value(context, ".nodes.m.output"), "[null,{\"r\":7},\"from the blob store\"]");
  EXPECT_EQ(value(context, ".nodes.m.output[1].r"), "7");
  EXPECT_EQ(value(context, ".nodes.m.output[2]"), "\"from the blob store\"");
  EXPECT_EQ(value(context, ".nodes.a"), "{\"output\":[10,20]}");
  EXPECT_EQ(value(context, ".item", 0), "\"x\"");
  EXPECT_EQ(value(context, ".item.k", 1), "2");
  EXPECT_EQ(value(context, ".execution.id"), "\"e17\"");
  EXPECT_EQ(value(context, ".execution.workflow"), "\"nightly\"");
}

TEST_F(ContextTest, AbsentStepsAreNull) {
  Context context(make(), blob_);
  for (const char* path : {".input.x", ".input.x.y", ".nodes.zz.output", ".nodes.zz", ".nope",
                           ".nodes.m.output[9]", ".nodes.m.output[9].z", ".nodes.a.output[9].z"})
    EXPECT_EQ(value(context, path), "null") << path;
  Context plain(make(false), blob_);
  EXPECT_EQ(value(plain, ".item"), "null");
}

TEST_F(ContextTest, AStepIntoWhatHasNoneIsAnErrorAsInJq) {
  Context context(make(), blob_);
  for (const char* path :
       {".input.n.x", ".input.n[0]", ".nodes.m.output.name", ".nodes.m.output[2].x",
        ".nodes.a.output.x", ".execution.id.x", ".input[0]", ".nodes[0]", ".nodes[0].output",
        ".nodes.a[0]", ".nodes.a[0].x", ".[0]", ".execution[0]"}) {
    Result<std::string> found = context.value(make_expression(path).path, 0);
    ASSERT_FALSE(found.ok()) << path << " gives " << *found;
    EXPECT_EQ(found.error().code, Code::invalid_argument);
    EXPECT_NE(found.error().message.find("cannot index"), std::string::npos);
  }
}

TEST_F(ContextTest, ItemsMayBeNumbersOrInTheBlobStore) {
  auto run = make();
  run->items = {};
  run->items_count = 5;
  Context numbers(run, blob_);
  EXPECT_EQ(value(numbers, ".item", 4), "4");

  std::string list = "[";
  for (int i = 0; i < 1000; ++i) list += (i > 0 ? ",{\"k\":" : "{\"k\":") + std::to_string(i) + "}";
  std::string small = encode_items(list + "]");
  list += ",\"" + std::string(9 << 20, 'z') + "\"]";
  for (const std::string& encoded : {small, encode_items(list)}) {
    run = make();
    run->items = stored(encoded);
    run->items_count = static_cast<uint32_t>(items_count(encoded));
    Context context(run, blob_);
    EXPECT_EQ(value(context, ".item.k", 0), "0");
    EXPECT_EQ(value(context, ".item.k", 777), "777");
    EXPECT_FALSE(context.item(run->items_count).ok());
  }
}

TEST_F(ContextTest, ADocumentHoldsWhatTheExpressionNames) {
  Context context(make(), blob_);
  auto document = [&](const std::string& expression) {
    return *context.document(expression, 1).value();
  };
  EXPECT_EQ(document(".input.n + 1"), R"({"input":{"n":1,"list":["x",{"k":2}]}})");
  EXPECT_EQ(document(".item.k + 1"), R"({"item":{"k":2}})");
  EXPECT_EQ(document(".nodes[\"a\"].output | length"), R"({"nodes":{"a":{"output":[10,20]}}})");
  EXPECT_EQ(
      document("."),
      R"({"input":{"n":1,"list":["x",{"k":2}]},"nodes":{"a":{"output":[10,20]},"m":{"output":)"
      R"([null,{"r":7},"from the blob store"]}},"execution":{"id":"e17","workflow":"nightly"},)"
      R"("item":{"k":2}})");
  EXPECT_EQ(context.document(".input.n + 1", 0).value(), context.document(".input + 1", 1).value())
      << "one document for all items";
}

TEST_F(ContextTest, SaysWhetherItemsDiffer) {
  EXPECT_TRUE(Context::reads_item(make_expression(".item.x")));
  EXPECT_TRUE(Context::reads_item(make_expression(".item | length")));
  EXPECT_TRUE(Context::reads_item(make_expression("keys")));
  EXPECT_FALSE(Context::reads_item(make_expression(".input.item")));
  EXPECT_FALSE(Context::reads_item(make_expression(".input | length")));
}

TEST_F(ContextTest, ALostBlobIsAnError) {
  auto run = make();
  run->input = Payload::blob({ExecutionId{17}, 99, 3, {}});
  Context context(run, blob_);
  EXPECT_FALSE(context.value({"input", "n"}, 0).ok());
  EXPECT_FALSE(context.document(".input | length", 0).ok());
  EXPECT_EQ(value(context, ".nodes.a.output[0]"), "10");
}

}  // namespace
}  // namespace pawl
