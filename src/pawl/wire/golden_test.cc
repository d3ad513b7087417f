// Bytes that were ever released still decode, and encode to themselves. See README.md for how a new
// kind or format gets its file.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "pawl/wire/event_codec.h"
#include "pawl/wire/event_samples.h"
#include "pawl/wire/workflow_codec.h"

namespace pawl {
namespace {

namespace fs = std::filesystem;

fs::path golden_folder() {
  return PAWL_GOLDEN_DIR;
}

Bytes read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return Bytes(std::istreambuf_iterator<char>(in), {});
}

// Compares with the file; writes it if it is new and PAWL_GOLDEN_WRITE is set. Never overwrites.
void expect_golden(const fs::path& path, const Bytes& bytes) {
  if (!fs::exists(path) && std::getenv("PAWL_GOLDEN_WRITE") != nullptr) {
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << bytes;
  }
  ASSERT_TRUE(fs::exists(path)) << path << " is missing; PAWL_GOLDEN_WRITE=1 wire_test writes it";
  EXPECT_EQ(read_file(path), bytes) << path << ": what was released has changed";
}

std::vector<fs::path> files_of(const std::string& extension) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(golden_folder()))
    if (entry.path().extension() == extension) files.push_back(entry.path());
  return files;
}

Group sample_group(Event event) {
  return {1, 1, {3'600'000'000'000}, {1'700'000'000'000'000'000}, {std::move(event)}};
}

Workflow sample_workflow() {
  Workflow workflow;
  workflow.name = "nightly";
  workflow.version = "1.2";
  workflow.input_defaults = R"({"day":"today"})";
  workflow.output = make_expression(".nodes.sum.output");
  Node list, each, sum;
  list.id = "list";
  list.process.shell = true;
  list.process.argv = {{{{"ls ", {}}, {"", make_expression(".input.folder")}}}};
  list.process.environment = {{"DAY", {{{"", make_expression(".input.day")}}}}};
  list.process.directory = {{{"/tmp", {}}}};
  list.process.output = OutputMode::lines;
  list.process.output_files = {{"log", {{{"out.log", {}}}}}};
  list.process.limits = {1 << 30, 60, 64, 1 << 20};
  list.timeout = {Duration::minutes(5), Duration::seconds(30), Duration::seconds(3)};
  each.id = "each";
  each.type = NodeType::function;
  each.needs = {0};
  each.when = make_expression(".input.wanted");
  each.for_each = make_expression(".nodes.list.output");
  each.function = "count";
  each.with = {{{"{\"f\":", {}}, {"", make_expression(".item")}, {"}", {}}}};
  each.retry = {5, Duration::milliseconds(100), 1500, Duration::seconds(10), 50, 0x0f};
  each.priority = 9;
  each.queue = "bulk";
  sum.id = "sum";
  sum.type = NodeType::transform;
  sum.needs = {1};
  sum.transform = make_expression(".nodes.each.output | add");
  workflow.nodes = {list, each, sum};
  return workflow;
}

TEST(Golden, EveryKindHasItsFile) {
  for (const Event& event : sample_events()) {
    std::string number = std::to_string(kind_number(event));
    std::string name = std::string(2 - std::min<size_t>(number.size(), 2), '0') + number + "_" +
                       kind_name(event) + ".group";
    expect_golden(golden_folder() / "v1" / name, encode(sample_group(event)));
  }
}

TEST(Golden, EveryKindThatHasGrownHasItsFile) {
  for (const Event& event : grown_events()) {
    std::string name = std::string(kind_name(event)) + "-2.group";
    expect_golden(golden_folder() / "v1" / name, encode(sample_group(event)));
  }
}

TEST(Golden, ASubmissionIntoATraceHasItsFile) {
  expect_golden(golden_folder() / "v1" / "ExecutionSubmitted-3.group",
                encode(sample_group(traced_submission())));
}

TEST(Golden, ASessionOfACertificateHasItsFile) {
  expect_golden(golden_folder() / "v1" / "SessionOpened-3.group",
                encode(sample_group(certified_session())));
}

TEST(Golden, AWorkflowThatIsPlacedHasItsFile) {
  Workflow workflow = sample_workflow();
  workflow.nodes[0].placement = {
      {{"cpu", 500}, {"gpu", 1}, {"memory", 512 << 20}},
      {{"disk", "ssd", RuleKind::require}, {"zone", "eu-2", RuleKind::avoid}},
      Apart::zone,
      make_expression(".input.folder")};
  expect_golden(golden_folder() / "v1" / "placed.workflow", encode(workflow));
}

TEST(Golden, TheWorkflowHasItsFile) {
  expect_golden(golden_folder() / "v1" / "nightly.workflow", encode(sample_workflow()));
}

TEST(Golden, EveryGroupStillDecodes) {
  std::vector<fs::path> files = files_of(".group");
  EXPECT_GE(files.size(), std::variant_size_v<Event>);
  for (const fs::path& file : files) {
    Bytes bytes = read_file(file);
    Result<Group> group = decode_group(1, 1, bytes);
    ASSERT_TRUE(group.ok()) << file << ": " << group.error().message;
    EXPECT_FALSE(group->events.empty());
    EXPECT_EQ(encode(*group), bytes) << file;
  }
}

TEST(Golden, EveryWorkflowStillDecodes) {
  std::vector<fs::path> files = files_of(".workflow");
  EXPECT_GE(files.size(), 1u);
  for (const fs::path& file : files) {
    Bytes bytes = read_file(file);
    Result<Workflow> workflow = decode_workflow(bytes);
    ASSERT_TRUE(workflow.ok()) << file << ": " << workflow.error().message;
    EXPECT_EQ(encode(*workflow), bytes) << file;
  }
}

}  // namespace
}  // namespace pawl
