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

}  // namespace
}  // namespace pawl
