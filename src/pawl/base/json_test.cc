#include "pawl/base/json.h"

#include <gtest/gtest.h>

#include "pawl/base/random.h"

namespace pawl {
namespace {

const char* const good[] = {
    "null",
    " true ",
    "false",
    "0",
    "-0",
    "1.5e+10",
    "-12E-2",
    "\"\"",
    "[]",
    "{}",
    "[ ]",
    "{ }",
    "[1,2,[3,{\"a\":[]}]]",
    "{\"a\":1,\"a\":2}",
    "\"\\u00e9\\n\\\"\\/\"",
    "\"\xc3\xa9\"",
    "\"\xf0\x9f\x98\x80\"",
    "\"\\ud83d\\ude00\"",
    "\"\\ud83d\"",
    "\t[\r\n1 , 2 ]\n",
    "\"\x7f\"",
};

// The cases every JSON test suite has because some parser took them.
const char* const bad[] = {
    "",
    " ",
    "nul",
    "nulll",
    "True",
    "NaN",
    "Infinity",
    "-",
    "+1",
    "01",
    "-01",
    "1.",
    ".5",
    "1e",
    "1e+",
    "0x1",
    "1 2",
    "[1,]",
    "[,1]",
    "[1 2]",
    "[",
    "]",
    "[1",
    "{",
    "}",
    "{\"a\"}",
    "{\"a\":}",
    "{\"a\":1,}",
    "{a:1}",
    "{'a':1}",
    "{1:1}",
    "{\"a\" 1}",
    "[}",
    "{]",
    "\"",
    "\"\\",
    "\"\\x\"",
    "\"\\u12\"",
    "\"\\u12g4\"",
    "\"a\nb\"",
    "\"\t\"",
    "\"\xff\"",
    "\"\xc0\x80\"",
    "\"\xed\xa0\x80\"",
    "\"\xf4\x90\x80\x80\"",
    "\"\xe2\x82\"",
    "[1]x",
    "[1],",
    "//c\n1",
    "\xef\xbb\xbf"
    "1",
    "[\"a\",\n4,",
};

TEST(JsonValidate, TakesTheGoodAndRefusesTheBad) {
  for (const char* text : good) EXPECT_TRUE(json_validate(text).ok()) << text;
  for (const char* text : bad) EXPECT_FALSE(json_validate(text).ok()) << text;
  EXPECT_FALSE(json_validate(std::string_view("\"\0\"", 3)).ok());
}

TEST(JsonValidate, TheErrorNamesTheByte) {
  Status status = json_validate("{\"a\": tru}");
  EXPECT_EQ(status.error().code, Code::invalid_argument);
  EXPECT_EQ(status.error().message, "not valid JSON at byte 6: expected a value");
  EXPECT_EQ(json_validate("[1] x").error().message,
            "not valid JSON at byte 4: more text after the value");
}

TEST(JsonValidate, DepthIsBounded) {
  std::string fits = std::string(256, '[') + std::string(256, ']');
  EXPECT_TRUE(json_validate(fits).ok());
  EXPECT_FALSE(json_validate("[" + fits + "]").ok());
  EXPECT_FALSE(json_validate(std::string(10'000'000, '[')).ok());
}

TEST(JsonFind, FollowsKeysAndIndexes) {
  const char* text = R"( {"a" : {"b":[10, 20 ,{"c":"x]}"}]}, "d\u0065":true, "1":2} )";
  auto find = [&](std::vector<std::string> path) {
    return std::string(json_find(text, path).value_or("nothing"));
  };
  EXPECT_EQ(find({"a", "b", "1"}), "20");
  EXPECT_EQ(find({"a", "b", "2", "c"}), "\"x]}\"");
  EXPECT_EQ(find({"a", "b"}), R"([10, 20 ,{"c":"x]}"}])");
  EXPECT_EQ(find({"de"}), "true");
  EXPECT_EQ(find({"1"}), "2");
  for (std::vector<std::string> path : std::vector<std::vector<std::string>>{
           {"a", "b", "3"}, {"a", "b", "x"}, {"a", "b", ""}, {"b"}, {"a", "b", "0", "c"}, {"d"}})
    EXPECT_EQ(find(path), "nothing");
  EXPECT_EQ(json_find("  7 ", {}), "7");
  EXPECT_EQ(json_find(R"({"a":1,"b":2,"a":3})", {"a"}), "3");
}

TEST(JsonPath, FollowsAsJqDoes) {
  const char* text = R"( {"a" : {"b":[10, 20 ,{"c":"x]}"}]}, "n":null, "t":true} )";
  for (std::vector<std::string> path : std::vector<std::vector<std::string>>{
           {"z"}, {"z", "y", "0"}, {"n", "x"}, {"a", "b", "3"}, {"a", "b", "3", "x"}})
    EXPECT_EQ(json_path(text, path).value(), "null");
  EXPECT_EQ(json_path(text, {"a", "b", "2", "c"}).value(), "\"x]}\"");
  EXPECT_EQ(json_path("  7 ", {}).value(), "7");
  auto error = [&](const std::vector<std::string>& path) {
    auto found = json_path(text, path);
    return found.ok() ? "none" : found.error().message;
  };
  EXPECT_EQ(error({"a", "b", "x"}), "cannot index array with \"x\"");
  EXPECT_EQ(error({"a", "b", ""}), "cannot index array with \"\"");
  EXPECT_EQ(error({"a", "b", "0", "c"}), "cannot index number with \"c\"");
  EXPECT_EQ(error({"a", "b", "2", "c", "0"}), "cannot index string with \"0\"");
  EXPECT_EQ(error({"a", "0"}), "cannot index object with number 0");
  EXPECT_EQ(error({"t", "x"}), "cannot index boolean with \"x\"");
}

TEST(JsonItemsTest, WalksContainersOnly) {
  EXPECT_EQ(json_count("[]"), 0u);
  EXPECT_EQ(json_count("[ 1 ,\"a,b\", [2,3] , {\"x\":[4]}]"), 4u);
  EXPECT_EQ(json_count("{\"a\" : 1 , \"b,\" : {}}"), 2u);
  EXPECT_EQ(json_count("7"), 0u);
  JsonItems items("{ \"k\\n\" : [1] }");
  ASSERT_TRUE(items.next());
  EXPECT_EQ(items.key(), "\"k\\n\"");
  EXPECT_EQ(items.value(), "[1]");
  EXPECT_FALSE(items.next());
  EXPECT_FALSE(items.next());
}

TEST(JsonText, QuoteAndUnquote) {
  EXPECT_EQ(json_quote("a\"b\\\n\x01\xc3\xa9"), "\"a\\\"b\\\\\\n\\u0001\xc3\xa9\"");
  EXPECT_EQ(json_quote("\xff"
                       "a\xc3"),
            "\"\xef\xbf\xbd"
            "a\xef\xbf\xbd\"");
  EXPECT_EQ(json_unquote("\"\\u00e9\\ud83d\\ude00\\/\\b\""), "\xc3\xa9\xf0\x9f\x98\x80/\b");
  EXPECT_EQ(json_unquote("\"\\ud83dx\\udc00\""), "\xef\xbf\xbdx\xef\xbf\xbd");
  EXPECT_EQ(json_unquote("[1]"), "[1]");
  EXPECT_EQ(json_compact(" { \"a b\" : [ 1 , \"c \\\" d\" ] } "), "{\"a b\":[1,\"c \\\" d\"]}");
}

// A random value, written twice: compact, and with white space everywhere it may stand.
struct Twin {
  std::string compact;
  std::string spaced;

  void add(std::string_view token, Random& dice) {
    compact += token;
    for (uint64_t n = dice.below(3); n > 0; --n) spaced += " \t\n\r"[dice.below(4)];
    spaced += token;
  }
};

std::string random_string(Random& dice) {
  const std::string_view pieces[] = {"a", "\"", "\\", "\n", "\xc3\xa9", "\xf0\x9f\x98\x80",
                                     "{", ",",  "]"};
  std::string text;
  for (uint64_t n = dice.below(6); n > 0; --n) text += pieces[dice.below(std::size(pieces))];
  return text;
}

void random_value(Random& dice, int depth, Twin& out) {
  uint64_t kind = dice.below(depth == 0 ? 4 : 6);
  if (kind == 0) return out.add("null", dice);
  if (kind == 1) return out.add(dice.chance(500) ? "true" : "false", dice);
  if (kind == 2) return out.add(std::to_string(static_cast<int64_t>(dice.next())), dice);
  if (kind == 3) return out.add(json_quote(random_string(dice)), dice);
  out.add(kind == 4 ? "[" : "{", dice);
  for (uint64_t i = 0, n = dice.below(5); i < n; ++i) {
    if (i > 0) out.add(",", dice);
    if (kind == 5) {
      out.add(json_quote(random_string(dice)), dice);
      out.add(":", dice);
    }
    random_value(dice, depth - 1, out);
  }
  out.add(kind == 4 ? "]" : "}", dice);
}

// Reads with JsonItems, writes with JsonWriter.
void copy(std::string_view text, JsonWriter& out) {
  JsonKind kind = json_kind(text);
  if (kind == JsonKind::object) {
    out.begin_object();
    for (JsonItems items(text); items.next();) {
      out.key(json_unquote(items.key()));
      copy(items.value(), out);
    }
    out.end_object();
  } else if (kind == JsonKind::array) {
    out.begin_array();
    for (JsonItems items(text); items.next();) copy(items.value(), out);
    out.end_array();
  } else if (kind == JsonKind::string) {
    out.string(json_unquote(text));
  } else {
    out.raw(json_compact(text));
  }
}

TEST(JsonProperty, RandomValuesRoundTrip) {
  Random dice{4};
  for (int round = 0; round < 2000; ++round) {
    Twin twin;
    random_value(dice, 5, twin);
    ASSERT_TRUE(json_validate(twin.compact).ok()) << twin.compact;
    ASSERT_TRUE(json_validate(twin.spaced).ok()) << twin.spaced;
    EXPECT_EQ(json_compact(twin.spaced), twin.compact);
    EXPECT_EQ(json_kind(twin.spaced), json_kind(twin.compact));
    EXPECT_EQ(json_count(twin.spaced), json_count(twin.compact));
    JsonWriter out;
    copy(twin.spaced, out);
    EXPECT_EQ(out.take(), twin.compact);
  }
}

// Walking text that never was valid gives nonsense, but it ends and stays inside.
TEST(JsonProperty, DamagedTextIsRefusedOrStillWalks) {
  Random dice{5};
  int refused = 0;
  for (int round = 0; round < 3000; ++round) {
    Twin twin;
    random_value(dice, 4, twin);
    std::string text = twin.compact;
    text[dice.below(text.size())] = "{}[]\",:\\x1 \n"[dice.below(12)];
    if (!json_validate(text).ok()) ++refused;
    JsonItems items(text);
    while (items.next()) ASSERT_LE(items.value().size(), text.size());
    json_find(text, {"a", "0"});
    json_compact(json_unquote(text));
  }
  EXPECT_GT(refused, 500);
}

TEST(JsonWriterTest, WritesEverything) {
  JsonWriter out;
  out.begin_object().key("n").number(int64_t{-3}).key("u").number(~uint64_t{0});
  out.key("list").begin_array().boolean(true).null().string("a\"").begin_object().end_object();
  out.end_array().key("raw").raw("[1]").end_object();
  EXPECT_EQ(out.take(),
            R"({"n":-3,"u":18446744073709551615,"list":[true,null,"a\"",{}],"raw":[1]})");
}

TEST(JsonWriterDeathTest, RefusesWhatIsNotBalanced) {
  EXPECT_DEATH(JsonWriter().begin_object().take(), "still open");
  EXPECT_DEATH(JsonWriter().begin_object().number(int64_t{1}), "without its key");
  EXPECT_DEATH(JsonWriter().begin_array().end_object(), "no object to end");
  EXPECT_DEATH(JsonWriter().begin_object().end_array(), "no array to end");
  EXPECT_DEATH(JsonWriter().begin_object().key("a").end_object(), "no object to end");
  EXPECT_DEATH(JsonWriter().begin_array().key("a"), "key outside");
  EXPECT_DEATH(JsonWriter().null().null(), "second value");
}

}  // namespace
}  // namespace pawl
