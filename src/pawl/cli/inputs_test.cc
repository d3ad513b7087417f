#include "pawl/cli/inputs.h"

#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace pawl::cli {
namespace {

TEST(Inputs, ValuesThatAreJsonAreTakenAsSuch) {
  EXPECT_EQ(object_from_pairs({"n=3", "dir=/tmp", "tags=[1, 2]", "text=\"5\"", "empty=", "eq=a=b"},
                              "--input")
                .value(),
            R"({"n":3,"dir":"/tmp","tags":[1,2],"text":"5","empty":"","eq":"a=b"})");
  EXPECT_FALSE(object_from_pairs({"n"}, "--input").ok());
  EXPECT_FALSE(object_from_pairs({"=3"}, "--input").ok());
}

TEST(Inputs, TextsAreUtf8) {
  EXPECT_TRUE(check_text("\xef\xbf\xbd \xf0\x9f\x98\x80\n", "it").ok());
  EXPECT_EQ(check_text("f\xff", "it").error().message, "it is not UTF-8 at byte 2: f\\xff");
  EXPECT_EQ(check_text("\xc3", "it").error().message, "it is not UTF-8 at byte 1: \\xc3");
  EXPECT_EQ(object_from_pairs({"f=a\xff"}, "--input").error().message,
            "--input f is not UTF-8 at byte 2: a\\xff");
  EXPECT_FALSE(object_from_pairs({"f=\"\xff\""}, "--input").ok());
  EXPECT_FALSE(object_from_pairs({"\xff=a"}, "--input").ok());
}

TEST(Inputs, SubjectsAreExecutionsNodesAndItems) {
  EXPECT_EQ(parse_subject("e17")->execution, 17u);
  EXPECT_EQ(parse_subject("e17/count")->node, "count");
  Subject item = parse_subject("e17/count[42]").value();
  EXPECT_EQ(item.node, "count");
  EXPECT_EQ(item.item, 42u);
  for (const char* wrong : {"", "17", "e", "e0", "e17/", "e17/a[", "e17/a[]", "e17/a[x]",
                            "e17/a[1]b", "e17/[1]", "e17/a[-1]", "e17/a[99999999999]"}) {
    EXPECT_FALSE(parse_subject(wrong).ok()) << wrong;
  }
}

TEST(Inputs, FilesAboveTheLimitAreNotRead) {
  std::string path = testing::TempDir() + "pawl-inputs-" + std::to_string(::getpid());
  std::ofstream(path) << "hello";
  EXPECT_EQ(read_text(path, 5).value(), "hello");
  EXPECT_EQ(read_text(path, 4).error().code, Code::resource_exhausted);
  std::filesystem::resize_file(path, 1ull << 33);  // sparse
  EXPECT_EQ(read_text(path, 1 << 20).error().code, Code::resource_exhausted);
  std::filesystem::remove(path);
  EXPECT_EQ(read_text(path, 4).error().code, Code::not_found);
}

TEST(Inputs, BareDurationsAreSeconds) {
  EXPECT_EQ(duration_text("30", "--timeout").value(), "30s");
  EXPECT_EQ(duration_text("1.5m", "--timeout").value(), "1.5m");
  EXPECT_FALSE(duration_text("soon", "--timeout").ok());
  EXPECT_FALSE(duration_text("", "--timeout").ok());
}

TEST(Inputs, ATraceIsTypedOrInherited) {
  const char* given = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  setenv("TRACEPARENT", given, 1);
  EXPECT_EQ(traceparent_of(std::nullopt), given);
  EXPECT_EQ(traceparent_of("typed"), "typed");
  setenv("TRACEPARENT", "nonsense", 1);
  EXPECT_EQ(traceparent_of(std::nullopt), "");
  unsetenv("TRACEPARENT");
  EXPECT_EQ(traceparent_of(std::nullopt), "");
}

}  // namespace
}  // namespace pawl::cli
