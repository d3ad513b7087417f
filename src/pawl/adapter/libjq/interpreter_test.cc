#include "pawl/adapter/libjq/interpreter.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace pawl::jq {
namespace {

TEST(Interpreter, EvaluatesOverWhatWasReadLast) {
  Interpreter jq(2, [](void*) { std::abort(); });
  EXPECT_EQ(jq.evaluate(".a").error().message, "the context is no JSON document");
  jq.read(R"({"a":1})");
  EXPECT_EQ(*jq.evaluate(".a + 1"), "2");
  jq.read(R"({"a":[1,2]})");
  EXPECT_EQ(*jq.evaluate(".a + [3]"), "[1,2,3]");
  EXPECT_EQ(*jq.evaluate(".a | add"), "3");
  EXPECT_EQ(*jq.evaluate(".a + [3]"), "[1,2,3]") << "compiled anew: only two are kept";
}

TEST(Interpreter, SaysInOneLineWhatIsWrong) {
  Interpreter jq(8, [](void*) { std::abort(); });
  jq.read("{}");
  EXPECT_EQ(jq.evaluate("1, 2").error().message, "expected one value, got 2");
  EXPECT_EQ(jq.evaluate("empty").error().message, "expected one value, got 0");
  EXPECT_EQ(jq.evaluate("error(\"no\\nway\")").error().message, "no way");
  EXPECT_FALSE(jq.check(".[").ok());
  EXPECT_TRUE(jq.check(".a").ok());
}

}  // namespace
}  // namespace pawl::jq
