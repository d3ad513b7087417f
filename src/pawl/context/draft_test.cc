#include "pawl/context/draft.h"

#include <gtest/gtest.h>

#include "pawl/testing/memory_blob.h"

namespace pawl {
namespace {

class DraftTest : public testing::Test {
 protected:
  void read(std::string input) {
    auto workflow = std::make_shared<Workflow>();
    workflow->nodes.resize(1);
    auto run = std::make_shared<RunContext>();
    run->workflow = workflow;
    run->input = Payload::inline_json(std::move(input));
    context_.emplace(run, blob_);
  }
  Result<Draft> make(const std::string& jq) {
    return make_draft(*context_, make_expression(jq), 0);
  }
  std::string at_once(const std::string& jq) {
    Result<Draft> draft = make(jq);
    if (!draft.ok()) return draft.error().message;
    return draft->is_whole() ? draft->take_value() : "asks " + draft->take_program();
  }
  std::string filled(const std::string& jq, Result<std::string> answer) {
    Result<std::string> value = make(jq).value().filled(std::move(answer));
    return value.ok() ? *value : value.error().message;
  }
  void SetUp() override {
    read(R"({"id":123456789012345678,"text":"a\"b","list":[ 1, "x" ],"none":null})");
  }

  MemoryBlob blob_;
  std::optional<Context> context_;
};

TEST_F(DraftTest, PathsAndJsonKeepTheirDigits) {
  EXPECT_EQ(at_once(".input.id"), "123456789012345678");
  EXPECT_EQ(at_once("[12345678901234567890, 1e3]"), "[12345678901234567890, 1e3]");
  EXPECT_EQ(at_once(R"({"id":(.input.id),"n":98765432109876543210})"),
            R"({"id":123456789012345678,"n":98765432109876543210})");
  EXPECT_EQ(at_once("[(.input.list[0]),(.input.nothing)]"), "[1,null]");
}

TEST_F(DraftTest, TextsGoOnWithWhatStandsInThem) {
  EXPECT_EQ(at_once(R"x("n\(.input.id)\(.input.text)")x"), R"("n123456789012345678a\"b")");
  EXPECT_EQ(at_once(R"x({"t":("\(.input.list) \(.input.none)")})x"), R"({"t":"[1,\"x\"] null"})")
      << "as jq's tostring";
}

TEST_F(DraftTest, AWrongPathIsAnError) {
  EXPECT_EQ(at_once("[(.input.id.x)]"), "cannot index number with \"x\"");
}

TEST_F(DraftTest, WhatIsAllJqIsAskedForAsItIs) {
  EXPECT_EQ(at_once(".input.list | length"), "asks .input.list | length");
  EXPECT_EQ(at_once(R"({"a":(.input.list | length)})"), R"(asks {"a":(.input.list | length)})");
  EXPECT_EQ(filled(".input.list | length", std::string("2")), "2");
}

TEST_F(DraftTest, WhatIsJqIsFilledIn) {
  const std::string mixed =
      R"x({"id":(.input.id),"n":(.input.list | length),"t":("\(.input.id):\(.input.text | .)")})x";
  Draft draft = make(mixed).value();
  ASSERT_FALSE(draft.is_whole());
  EXPECT_EQ(draft.take_program(), "def whole: " + mixed +
                                      "\n; [[(.input.list | length\n)],[(.input.text | .\n)]] "
                                      "as $parts | if all($parts[]; length == 1) "
                                      "then [$parts[][]] else {\"whole\": whole} end");
  EXPECT_NE(*draft.take_document(), "");
  EXPECT_EQ(draft.filled(std::string(R"([2,"a\"b"])")).value(),
            R"({"id":123456789012345678,"n":2,"t":"123456789012345678:a\"b"})");
}

TEST_F(DraftTest, WhatJqHadToComposeIsTheValue) {
  const std::string mixed = "[(.input.id),(.input.list[])]";
  EXPECT_EQ(filled(mixed, std::string(R"({"whole":[123456789012345680,1,"x"]})")),
            R"([123456789012345680,1,"x"])");
  EXPECT_EQ(filled(mixed, Error{Code::invalid_argument, "expected one value, got 0"}),
            "expected one value, got 0");
  EXPECT_EQ(filled(mixed, std::string("7")), "an evaluator answered something else");
}

TEST_F(DraftTest, ThereIsALimit) {
  constexpr uint64_t size = 1 << 20;
  read("\"" + std::string(size, 'x') + "\"");
  std::string list = "[";
  for (uint64_t i = 0; i <= composed_bytes_max / size; ++i)
    list += i > 0 ? ",(.input)" : "(.input)";
  Result<Draft> draft = make(list + "]");
  ASSERT_FALSE(draft.ok());
  EXPECT_EQ(draft.error().code, Code::resource_exhausted);
}

}  // namespace
}  // namespace pawl
