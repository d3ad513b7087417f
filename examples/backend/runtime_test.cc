// A whole Pawl on this back end: what it keeps of executions goes through FileView, and is there at the next start.
#include "pawl/app/runtime.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "file_view.h"

namespace backend_example {
namespace {

namespace fs = std::filesystem;

// Inputs of this size, so many, fill more of the log than goes without a checkpoint.
constexpr size_t input_bytes = 60'000;
constexpr int executions = 800;

pawl::Result<std::unique_ptr<pawl::View>> open_view(const std::string& directory) {
  fs::create_directories(directory);
  PAWL_ASSIGN(std::unique_ptr<FileView> view, FileView::open(directory));
  return std::unique_ptr<pawl::View>(std::move(view));
}

std::unique_ptr<pawl::Runtime> open(const std::string& directory,
                                    const pawl::FunctionRegistry& functions) {
  pawl::RuntimeOptions options{.directory = directory, .jobs = 2, .programs_directory = PROGRAMS};
  options.view = open_view;
  auto runtime = pawl::Runtime::open(std::move(options), functions);
  EXPECT_TRUE(runtime.ok()) << runtime.error().message;
  return runtime.ok() ? std::move(*runtime) : nullptr;
}

size_t files_named(const fs::path& below, const std::string& begin) {
  size_t found = 0;
  for (const auto& entry : fs::recursive_directory_iterator(below))
    found += entry.path().filename().string().starts_with(begin);
  return found;
}

TEST(Runtime, KeepsItsCheckpointsInTheViewThatItWasGiven) {
  std::string pattern = (fs::temp_directory_path() / "pawl-backend-XXXXXX").string();
  const std::string directory = ::mkdtemp(pattern.data());
  pawl::FunctionRegistry functions;
  ASSERT_TRUE(functions
                  .add("length",
                       [](pawl::FunctionCall& call) -> pawl::Result<std::string> {
                         return std::to_string(call.input().size());
                       })
                  .ok());
  const std::string definition =
      "name: w\nnodes: {a: {function: length}}\noutput: ${ .nodes.a.output }\n";
  const std::string input = "{\"text\":\"" + std::string(input_bytes, 'x') + "\"}";
  pawl::ExecutionId first;
  {
    auto runtime = open(directory, functions);
    ASSERT_TRUE(runtime);
    for (int i = 0; i < executions; ++i) {
      auto id = runtime->submit(definition, input);
      ASSERT_TRUE(id.ok()) << id.error().message;
      if (i == 0) first = *id;
      ASSERT_EQ(runtime->wait(*id)->output, std::to_string(input.size()));
    }
  }
  EXPECT_GE(files_named(directory, "image-"), 1u);
  EXPECT_EQ(files_named(directory, "CURRENT"), 0u);  // RocksDB's
  {
    auto runtime = open(directory, functions);
    ASSERT_TRUE(runtime);
    auto again = runtime->wait(first);
    ASSERT_TRUE(again.ok()) << again.error().message;
    EXPECT_EQ(again->output, std::to_string(input.size()));
  }
  fs::remove_all(directory);
}

}  // namespace
}  // namespace backend_example
