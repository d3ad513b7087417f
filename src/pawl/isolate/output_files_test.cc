#include "pawl/isolate/output_files.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

namespace pawl {
namespace {

namespace fs = std::filesystem;

class OutputFilesTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "pawl-outputs-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
  }
  void TearDown() override { fs::remove_all(root_); }
  void write(const std::string& path) {
    fs::create_directories(fs::path(root_ + "/" + path).parent_path());
    std::ofstream(root_ + "/" + path) << "output";
  }
  std::string root_;
};

TEST_F(OutputFilesTest, AnExecutionsFilesGoWithIt) {
  write("e9/count/0.1.out");
  write("e9/count/1.1.err");
  write("e100/count/0.1.out");
  write("notes/of/somebody");
  OutputFiles outputs(root_);
  EXPECT_EQ(outputs.owners().value(), (std::vector<ExecutionId>{ExecutionId{9}, ExecutionId{100}}));
  ASSERT_TRUE(outputs.drop_owner(ExecutionId{9}).ok());
  ASSERT_TRUE(outputs.drop_owner(ExecutionId{9}).ok()) << "nothing left to drop is fine";
  EXPECT_EQ(outputs.owners().value(), std::vector<ExecutionId>{ExecutionId{100}});
  EXPECT_TRUE(fs::exists(root_ + "/notes/of/somebody"));
}

TEST_F(OutputFilesTest, WithoutADirectoryThereAreNone) {
  OutputFiles outputs(root_ + "/none");
  EXPECT_TRUE(outputs.owners().value().empty());
  EXPECT_TRUE(outputs.drop_owner(ExecutionId{1}).ok());
}

TEST(OutputFiles, TakesWhatAttemptsWroteElsewhereAndNothingElse) {
  std::string root = testing::TempDir() + "/output_files_write";
  std::filesystem::remove_all(root);
  OutputFiles files(root);
  EXPECT_TRUE(files.write({"e7/n/3.1.out", 5, "world"}).ok());
  EXPECT_TRUE(files.write({"e7/n/3.1.out", 0, "hello"}).ok());
  std::ifstream file(root + "/e7/n/3.1.out");
  std::string text{std::istreambuf_iterator<char>(file), {}};
  EXPECT_EQ(text, "helloworld");
  for (const char* path : {"", "e7", "e7/3.1.out", "x7/n/3.1.out", "e7/../3.1.out",
                           "e7/n/../../x.out", "/e7/n/3.1.out", "e7/n/3.out", "e7/n/3.1.sh",
                           "e7/n/a.1.out", "e7/n/3.1.out/x", "e7/./3.1.out"})
    EXPECT_EQ(files.write({path, 0, "x"}).error().code, Code::invalid_argument) << path;
  EXPECT_EQ(files.owners().value(), std::vector<ExecutionId>{ExecutionId{7}});
  EXPECT_EQ(files.read("e7/n/3.1.out", 0, 100).value(), "helloworld");
  EXPECT_EQ(files.read("e7/n/3.1.out", 4, 3).value(), "owo");
  EXPECT_EQ(files.read("e7/n/3.1.out", 10, 3).value(), "");
  EXPECT_EQ(files.read("e7/n/3.1.err", 0, 3).error().code, Code::not_found);
  EXPECT_EQ(files.read("e7/../x", 0, 3).error().code, Code::invalid_argument);
  std::filesystem::remove_all(root);
}

TEST_F(OutputFilesTest, ListsWhatAttemptsWroteInOrder) {
  for (const char* name : {"10.1.out", "2.1.err", "2.2.out", "2.1.out", "notes.txt"})
    write(std::string("e7/n/") + name);
  OutputFiles files(root_);
  std::vector<std::string> paths;
  const std::vector<KeptLog> kept = files.list(ExecutionId{7}, "n").value();
  for (const KeptLog& log : kept) {
    EXPECT_EQ(log.size, 6u);
    paths.push_back(path_of(log.key));
  }
  EXPECT_EQ(paths, (std::vector<std::string>{"e7/n/2.1.out", "e7/n/2.1.err", "e7/n/2.2.out",
                                             "e7/n/10.1.out"}));
  EXPECT_TRUE(files.list(ExecutionId{7}, "other").value().empty());
  EXPECT_TRUE(files.list(ExecutionId{7}, "../e7/n").value().empty());
}

}  // namespace
}  // namespace pawl
