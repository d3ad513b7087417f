// The small parts a process is put together from.
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "pawl/isolate/environment.h"
#include "pawl/isolate/function.h"
#include "pawl/isolate/process_output.h"
#include "pawl/isolate/program.h"
#include "pawl/isolate/progress_lines.h"
#include "pawl/isolate/report_builder.h"
#include "pawl/testing/memory_blob.h"

namespace pawl {
namespace {

using Words = std::vector<std::string>;

TEST(PlainWordsTest, LinesWithoutSyntaxBecomeWords) {
  EXPECT_EQ(plain_words("true"), Words{"true"});
  EXPECT_EQ(plain_words("  gzip\t-k 'a b.log'  \n"), (Words{"gzip", "-k", "a b.log"}));
  EXPECT_EQ(plain_words("printf it'\\''s"), std::nullopt);
  EXPECT_EQ(plain_words("touch 'it'\\''s' ''"), (Words{"touch", "it's", ""}));
  EXPECT_EQ(plain_words("env A=1 ./x --b=c,d:e@f%g"),
            (Words{"env", "A=1", "./x", "--b=c,d:e@f%g"}));
  EXPECT_EQ(plain_words("echo naïve"), (Words{"echo", "naïve"}));
}

TEST(PlainWordsTest, AnythingElseIsForTheShell) {
  for (const char* line :
       {"a|b",        "a && b",  "a; b",    "a > b",      "a < b",      "echo $HOME", "echo `x`",
        "echo \"x\"", "ls *",    "ls ?",    "ls [ab]",    "ls ~",       "ls {a,b}",   "a & ",
        "# note",     "A=1 b",   "cd /tmp", "exit 3",     "! true",     ": nothing",  ". ./x",
        "echo -e x",  "a\nb",    "a \\\nb", "echo 'open", "echo a\\ b", "",           "   ",
        "export A",   "if true", "time x",  "(a)"}) {
    EXPECT_EQ(plain_words(line), std::nullopt) << line;
  }
}

class DirectoryTest : public testing::Test {
 protected:
  DirectoryTest() {
    std::string pattern = testing::TempDir() + "pawl-pieces-XXXXXX";
    root = mkdtemp(pattern.data());
  }
  ~DirectoryTest() override { std::filesystem::remove_all(root); }
  std::string make(const std::string& path, const std::string& text, mode_t mode) {
    std::string file = root + "/" + path;
    std::filesystem::create_directories(std::filesystem::path(file).parent_path());
    std::ofstream(file) << text;
    chmod(file.c_str(), mode);
    return file;
  }
  std::string root;
};

using ProgramFinderTest = DirectoryTest;

TEST_F(ProgramFinderTest, TakesTheFirstExecutableFileOfPath) {
  make("a/tool", "not executable", 0644);
  make("b/tool/inside", "a directory", 0755);
  std::string tool = make("c/tool", "", 0755);
  make("d/tool", "", 0755);
  ProgramFinder finder(root + "/a:" + root + "/b:" + root + "/c:" + root + "/d");
  EXPECT_EQ(finder.find("tool", ""), tool);
  EXPECT_EQ(finder.find("other", ""), "");
  EXPECT_EQ(finder.find("./tool", ""), "./tool");
  std::filesystem::remove(tool);
  EXPECT_EQ(finder.find("tool", ""), tool);
  finder.forget("tool");
  EXPECT_EQ(finder.find("tool", ""), root + "/d/tool");
}

TEST_F(ProgramFinderTest, RelativeEntriesBelongToTheNodesDirectory) {
  std::string tool = make("bin/tool", "", 0755);
  ProgramFinder finder("bin:");
  EXPECT_EQ(finder.find("tool", root), tool);
  EXPECT_EQ(finder.find("tool", root + "/bin"), tool);
  EXPECT_EQ(finder.find("tool", "/"), "");
}

std::vector<std::string> read_block(char** block) {
  std::vector<std::string> entries;
  for (; *block != nullptr; block++) entries.emplace_back(*block);
  std::sort(entries.begin(), entries.end());
  return entries;
}

TEST(ProcessEnvironmentTest, TheLastValueWinsAndPawlsOwnNamesAreNotInherited) {
  ProcessEnvironment environment({"A=1", "B=2", "PAWL_GUARD=other.1", "broken"});
  EXPECT_EQ(environment.get("B"), "2");
  EXPECT_EQ(environment.get("C"), "");
  EXPECT_EQ(read_block(environment.with({{"B", "3"}, {"C", "4"}, {"C", "5"}}, "PAWL_GUARD=x.7")),
            (Words{"A=1", "B=3", "C=5", "PAWL_GUARD=x.7"}));
  EXPECT_EQ(read_block(environment.with({}, "PAWL_GUARD=x.8")),
            (Words{"A=1", "B=2", "PAWL_GUARD=x.8"}));
}

TEST(ProgressLinesTest, FractionsAndMessages) {
  auto check = [](const char* line, uint32_t permille, const char* message) {
    auto parsed = parse_progress(line);
    ASSERT_TRUE(parsed.has_value()) << line;
    EXPECT_EQ(parsed->permille, permille) << line;
    EXPECT_EQ(parsed->message, message) << line;
  };
  check("0.42 two files left", 420, "two files left");
  check("1", 1000, "");
  check("1.0", 1000, "");
  check("0", 0, "");
  check(".5  x", 500, "x");
  check("0.12345 x", 123, "x");
  for (const char* line :
       {"", "x", "1.5", "2", "-0.1", "0.5x", ".", "99999999999999999999", "0.5.5"}) {
    EXPECT_FALSE(parse_progress(line).has_value()) << line;
  }
}

TEST(ProgressLinesTest, LinesMayComeInPieces) {
  ProgressLines lines;
  EXPECT_FALSE(lines.append("0.1 fi"));
  EXPECT_TRUE(lines.append("rst\nnonsense\n0.2 sec"));
  ASSERT_EQ(lines.words.size(), 1u);
  EXPECT_EQ(lines.words.back().message, "first");
  EXPECT_TRUE(lines.append("ond\n"));
  EXPECT_EQ(lines.words.back().permille, 200u);
  EXPECT_FALSE(lines.append(std::string(100'000, 'x')));
  EXPECT_TRUE(lines.append("\n0.3 after a line without end\n"));
  EXPECT_EQ(lines.words.back().permille, 300u);
}

TEST(ProgressLinesTest, OfTooManyTheNewestWait) {
  ProgressLines lines;
  for (size_t i = 0; i < progress_words_max + 7; ++i)
    lines.append("0.5 " + std::to_string(i) + "\n");
  ASSERT_EQ(lines.words.size(), progress_words_max);
  EXPECT_EQ(lines.words.front().message, "7");
  EXPECT_EQ(lines.words.back().message, std::to_string(progress_words_max + 6));
}

using ProcessOutputTest = DirectoryTest;

ProcessOutput printed(const std::string& text) {
  ProcessOutput out;
  out.head = text;
  out.bytes = text.size();
  return out;
}

// The output of a task that printed this, or its error.
std::string as(OutputMode mode, const std::string& text) {
  DeclaredOutput declared;
  declared.mode = mode;
  declared.bytes_max = 1 << 20;
  auto json = declared_output(declared, printed(text));
  return json.ok() ? *json : "error: " + json.error().message;
}

TEST_F(ProcessOutputTest, ModesSayWhatStdoutMeans) {
  EXPECT_EQ(as(OutputMode::text, "a \"b\"\n\n"), R"("a \"b\"")");
  EXPECT_EQ(as(OutputMode::text, ""), R"("")");
  EXPECT_EQ(as(OutputMode::lines, "a\n\nb\n"), R"(["a","","b"])");
  EXPECT_EQ(as(OutputMode::lines, "a\nb"), R"(["a","b"])");
  EXPECT_EQ(as(OutputMode::lines, ""), "[]");
  EXPECT_EQ(as(OutputMode::json, " {\"a\": [1, 2]}\n"), R"({"a":[1,2]})");
  EXPECT_EQ(as(OutputMode::json, "{").substr(0, 26), "error: stdout is not JSON:");
  EXPECT_EQ(as(OutputMode::none, "whatever"), "");
  EXPECT_EQ(as(OutputMode::text, "\u00e4\U0001f600\n"), "\"\u00e4\U0001f600\"");
}

TEST_F(ProcessOutputTest, OtherBytesThanUtf8AreAnErrorUnlessLossIsDeclared) {
  std::string said =
      "error: stdout is not UTF-8 at byte 2; declare `output: none` and a file, or encode it "
      "(base64)";
  EXPECT_EQ(as(OutputMode::text, "f\xff\n"), said);
  EXPECT_EQ(as(OutputMode::lines, "f\xff\ng\n"), said);
  EXPECT_EQ(as(OutputMode::text, "f\xc3"), said);  // cut in the middle of a character
  EXPECT_EQ(as(OutputMode::none, "f\xff\n"), "");
  EXPECT_EQ(as(OutputMode::lossy, "f\xff\n"), "\"f\ufffd\"");
  EXPECT_EQ(as(OutputMode::lossy, "f\n\n"), R"("f")");
}

TEST_F(ProcessOutputTest, DeclaredFilesMustExist) {
  std::string file = make("made.txt", "x", 0644);
  DeclaredOutput declared;
  declared.directory = root;
  declared.bytes_max = 100;
  declared.files = {{"made", "made.txt"}, {"same", file}};
  auto json = declared_output(declared, printed("done\n"));
  ASSERT_TRUE(json.ok()) << json.error().message;
  EXPECT_EQ(*json,
            R"({"stdout":"done","files":{"made":")" + file + R"(","same":")" + file + "\"}}");
  declared.files.emplace_back("lost", "lost.txt");
  auto missing = declared_output(declared, printed("done\n"));
  ASSERT_FALSE(missing.ok());
  EXPECT_NE(missing.error().message.find("\"lost\" is not there: " + root + "/lost.txt"),
            std::string::npos);
}

TEST_F(ProcessOutputTest, LargeOutputIsReadBackOrRefused) {
  std::string text(10'000, 'z');
  ProcessOutput out = printed(text.substr(0, 4096));
  out.bytes = text.size();
  out.path = make("out", text, 0644);
  DeclaredOutput declared;
  declared.bytes_max = 10'000;
  EXPECT_EQ(*declared_output(declared, out), "\"" + text + "\"");
  declared.bytes_max = 9'999;
  EXPECT_NE(declared_output(declared, out).error().message.find("10000 bytes"), std::string::npos);
  declared.bytes_max = 10'000;
  out.cut = true;
  EXPECT_FALSE(declared_output(declared, out).ok());
  out.cut = false;
  out.path = root + "/vanished";
  EXPECT_FALSE(declared_output(declared, out).ok());
}

TEST(MakePayloadTest, LargeOnesGoToTheBlobStoreUnderTheirOwnNumber) {
  MemoryBlob blob;
  TaskKey task{ExecutionId{17}, 3, 777'777};
  EXPECT_TRUE(make_payload("", task, 1, blob)->is_absent());
  EXPECT_EQ(make_payload("7", task, 1, blob)->text(), "7");
  std::string large = "\"" + std::string(payload_inline_max, 'x') + "\"";
  Payload first = *make_payload(large, task, 1, blob);
  Payload second = *make_payload(large, task, 2, blob);
  Payload other = *make_payload(large, {task.execution, 3, 777'778}, 1, blob);
  ASSERT_TRUE(first.is_blob());
  EXPECT_EQ(*blob.get(first.ref()), large);
  EXPECT_NE(first.ref().sequence, second.ref().sequence);
  EXPECT_NE(first.ref().sequence, other.ref().sequence);
}

// A payload store behind a network that is down.
class UnreachableStore final : public PayloadStore {
 public:
  Status put(const BlobRef&, ByteView) override { return gone(); }
  Result<Bytes> get(const BlobRef&) override { return gone(); }
  Result<Bytes> part(const BlobRef&, uint64_t, uint64_t) override { return gone(); }

 private:
  static Error gone() { return {Code::unavailable, "nobody is there"}; }
};

TEST(ReportBuilderTest, WhatCannotBeKeptIsNotTheTasksFault) {
  UnreachableStore store;
  Grant grant;
  grant.range = {ExecutionId{1}, 0, 0, 2};
  ReportBuilder reports(grant, store);
  reports.succeed(0, "\"" + std::string(payload_inline_max, 'x') + "\"");
  reports.succeed(1, "7");
  std::vector<AttemptReport> made = reports.take();
  ASSERT_EQ(made.size(), 2u);
  EXPECT_FALSE(made[0].succeeded);
  EXPECT_EQ(made[0].kind, FailureKind::declined);
  EXPECT_EQ(made[0].error, "nobody is there");
  EXPECT_TRUE(made[1].succeeded);
}

TEST(FunctionRegistryTest, NamesAreUniqueAndSorted) {
  FunctionRegistry functions;
  auto nothing = [](FunctionCall&) -> Result<std::string> { return std::string(); };
  EXPECT_TRUE(functions.add("b", nothing).ok());
  EXPECT_TRUE(functions.add("a", nothing).ok());
  EXPECT_EQ(functions.add("a", nothing).error().code, Code::already_exists);
  EXPECT_FALSE(functions.add("", nothing).ok());
  EXPECT_EQ(functions.names(), (Words{"a", "b"}));
  EXPECT_EQ(functions.find("c"), nullptr);
}

}  // namespace
}  // namespace pawl
