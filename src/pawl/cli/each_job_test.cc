#include "pawl/cli/each_job.h"

#include <gtest/gtest.h>

#include "pawl/base/json.h"
#include "pawl/definition/definition.h"

namespace pawl::cli {
namespace {

std::string field(const std::string& definition, const std::string& name) {
  return std::string(json_find(definition, {"nodes", "each", name}).value_or("-"));
}

TEST(EachJob, OneWordIsAShellLineAndTheItemIsAppendedWhereNoneIsNamed) {
  EachJob job = split_each({"gzip -k", ":::", "a", "b"});
  EXPECT_EQ(job.items, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(field(each_definition(job, {}), "run"), R"("gzip -k ${ .item }")");
  EXPECT_EQ(each_input(job), R"({"items":["a","b"]})");
  EXPECT_EQ(each_line(job, 1), "gzip -k 'b'");
}

TEST(EachJob, SeveralWordsAreAnArgumentList) {
  EachJob job = split_each({"gzip", "-k", "{}", ":::", "a b"});
  EXPECT_EQ(field(each_definition(job, {}), "command"), R"(["gzip","-k","${ .item }"])");
  EXPECT_EQ(each_line(job, 0), "gzip -k 'a b'");
}

TEST(EachJob, OtherPlaceholdersAreFieldsOfTheItem) {
  EachJob job = split_each({"mv", "{}", "{//}/{/.}-{#}.old", ":::", "/x/y.tar.gz", "plain"});
  EXPECT_EQ(
      field(each_definition(job, {}), "command"),
      R"(["mv","${ .item.item }","${ .item.folder }/${ .item.name_stem }-${ .item.number }.old"])");
  EXPECT_EQ(each_input(job),
            R"({"items":[{"item":"/x/y.tar.gz","folder":"/x","name_stem":"y.tar","number":"1"},)"
            R"({"item":"plain","folder":".","name_stem":"plain","number":"2"}]})");
  EXPECT_EQ(each_line(job, 1), "mv plain ./plain-2.old");
}

TEST(EachJob, TheUsersOwnBracesStayTheirs) {
  EachJob job = split_each({"echo ${HOME} $(date) {} ${} $${x}", ":::", "a"});
  EXPECT_EQ(field(each_definition(job, {}), "run"),
            R"("echo $${HOME} $(date) ${ .item } $$${ .item } $$$${x}")");
  EachOptions options;
  options.directory = "/tmp/${x}/{}";
  EXPECT_EQ(field(each_definition(job, options), "directory"), R"("/tmp/$${x}/{}")");
}

TEST(EachJob, EveryDefinitionLoads) {
  EachOptions options{.attempts = 3, .timeout = "30s", .directory = "/tmp/a ${b"};
  for (std::string command : {"true", "a | b > ${x} {}", "{#}{.}", "\"$\"{}", "\\\\{}\n"}) {
    std::string text = each_definition(split_each({command, ":::", "a"}), options);
    Loaded loaded = load_definition(text, "each");
    EXPECT_TRUE(loaded.ok()) << text << "\n"
                             << (loaded.ok() ? "" : to_text(loaded.problems.front()));
  }
}

TEST(EachJob, ItemsOfAStream) {
  EXPECT_EQ(items_of("a\n\nb c\r\nd", ItemEnd::line), (std::vector<std::string>{"a", "b c", "d"}));
  EXPECT_EQ(items_of(std::string_view("a\nb\0c", 5), ItemEnd::nul),
            (std::vector<std::string>{"a\nb", "c"}));
  EXPECT_EQ(items_of(std::string_view("c\0\0d\0", 5), ItemEnd::nul),
            (std::vector<std::string>{"c", "", "d"}));
  EXPECT_TRUE(items_of("", ItemEnd::line).empty());
}

TEST(EachJob, PlaceholdersStandOutsideOfQuotes) {
  EXPECT_EQ(
      check_line(split_each({"echo {#} '{\"}' \"{/.}\"", ":::", "a"})).error().message,
      "{/.} stands inside \"...\", where an item is not safe from the shell; write it outside of "
      "all quotes, or x={/.} before that and \"$x\" here");
  EXPECT_EQ(check_line(split_each({"echo a # b", ":::", "a"})).error().message.substr(0, 23),
            "{} stands behind a #, w");
  EXPECT_TRUE(check_line(split_each({"echo {#} '{\"}' \"b\"{/.}", ":::", "a"})).ok());
  EXPECT_TRUE(check_line(split_each({"echo", "\"{}\"", ":::", "a"})).ok());
}

TEST(EachJob, WordsAndItemsAreUtf8) {
  EXPECT_TRUE(check_texts(split_each({"rm", ":::", "f\xc3\xa4", "\xef\xbf\xbd"})).ok());
  EXPECT_EQ(check_texts(split_each({"rm", ":::", "a", "f\xff"})).error().message,
            "item 2 is not UTF-8 at byte 2: f\\xff");
  EXPECT_EQ(check_texts(split_each({"cat {} > \xc3", ":::", "a"})).error().code,
            Code::invalid_argument);
}

}  // namespace
}  // namespace pawl::cli
