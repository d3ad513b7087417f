// The shipped program on a log with an event that it cannot apply: a bug, planted.

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "pawl/adapter/linux_disk/linux_disk.h"
#include "pawl/adapter/linux_disk/replay_note_file.h"
#include "pawl/adapter/linux_loop/linux_clock.h"
#include "pawl/adapter/wal/wal.h"
#include "pawl/app/runtime.h"
#include "pawl/engine/replay.h"
#include "pawl/wire/event_codec.h"

namespace pawl {
namespace {

class PoisonTest : public ::testing::Test {
 protected:
  PoisonTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "pawl-XXXXXX").string();
    directory_ = mkdtemp(pattern.data());
  }
  ~PoisonTest() override { std::filesystem::remove_all(directory_); }

  // Two executions that wait for a function which nobody has.
  void submit_two() {
    FunctionRegistry none;
    auto runtime = Runtime::open({directory_, 1, PAWL_PROGRAMS}, none);
    ASSERT_TRUE(runtime.ok()) << runtime.error().message;
    Workflow workflow;
    workflow.name = "waiting";
    Node node;
    node.id = "wait";
    node.type = NodeType::function;
    node.function = "absent";
    workflow.nodes = {node};
    ASSERT_TRUE(finish(workflow).ok());
    WorkflowId id = (*runtime)->register_workflow(workflow).value();
    ASSERT_TRUE((*runtime)->start(id, "{}").ok());
    ASSERT_TRUE((*runtime)->start(id, "{}").ok());
  }

  // Appends a group that says that e1 succeeded, although nobody was ever granted a task of it.
  void poison() {
    LinuxClock clock;
    auto disk = open_linux_disk(directory_);
    ASSERT_TRUE(disk.ok()) << disk.error().message;
    auto log = Wal::open(**disk, clock, {});
    ASSERT_TRUE(log.ok()) << log.error().message;
    auto reader = (*log)->read((*log)->tail());
    ASSERT_TRUE(reader.ok());
    LogGroup newest = *(*reader)->next().value();
    Group group = decode_group(newest.position, newest.epoch, newest.payload).value();
    group.epoch = (*log)->take_over().value();
    ++group.position;
    group.events = {AttemptsSucceeded{{ExecutionId{1}, 0, 0, 1}, 1, {}}};
    (*log)->append(group.position, encode(group), AppendMode::blocking);
    auto done = (*log)->poll();
    ASSERT_TRUE(done.has_value());
    ASSERT_EQ(done->outcome, AppendOutcome::ok) << done->error;
  }

  // The note of a process that was killed right before it would have applied the poisoned event.
  void leave_note_of_killed() {
    LinuxClock clock;
    auto disk = open_linux_disk(directory_);
    ASSERT_TRUE(disk.ok()) << disk.error().message;
    auto log = Wal::open(**disk, clock, {});
    ASSERT_TRUE(log.ok()) << log.error().message;
    ReplayNoteFile note(directory_ + "/replay.note");
    uint64_t tail = (*log)->tail();
    EXPECT_TRUE(note.write(encode(ReplayPlace{tail, tail, true, 1, {}})).ok());
  }

  // The shell's word for how it ended; what it said is in said_.
  int pawl(const std::string& arguments) {
    std::string out = directory_ + ".said";
    int status = std::system((std::string(PAWL_PROGRAMS) + "/pawl " + arguments + " --state " +
                              directory_ + " >" + out + " 2>&1")
                                 .c_str());
    std::ifstream in(out);
    said_.assign(std::istreambuf_iterator<char>(in), {});
    std::filesystem::remove(out);
    return status;
  }
  bool said(const std::string& word) const { return said_.find(word) != std::string::npos; }

  std::string directory_;
  std::string said_;
};

TEST_F(PoisonTest, AKilledReplayAccusesNobody) {
  ASSERT_NO_FATAL_FAILURE(submit_two());
  ASSERT_NO_FATAL_FAILURE(poison());
  ASSERT_NO_FATAL_FAILURE(leave_note_of_killed());
  for (int time = 0; time < 2; ++time) {
    EXPECT_NE(pawl("list"), 0) << "nobody has died of it by itself: " << said_;
    EXPECT_TRUE(said("an attempt ended that was not open")) << said_;
  }
  EXPECT_EQ(pawl("list"), 0) << said_;
}

TEST_F(PoisonTest, AnEventThatEndsTheProcessDoesSoTwice) {
  ASSERT_NO_FATAL_FAILURE(submit_two());
  ASSERT_NO_FATAL_FAILURE(poison());
  for (int time = 0; time < 2; ++time) {
    EXPECT_NE(pawl("list"), 0);
    EXPECT_TRUE(said("an attempt ended that was not open")) << said_;
  }
  EXPECT_EQ(pawl("list"), 0) << said_;
  EXPECT_TRUE(said("quarantined")) << said_;
  EXPECT_TRUE(said("running")) << "the other one goes on: " << said_;
  pawl("why e1");
  EXPECT_TRUE(said("two processes died of applying")) << said_;
  EXPECT_TRUE(said("submit it again")) << said_;
  pawl("show e1");
  EXPECT_TRUE(said("quarantined")) << said_;
  EXPECT_NE(pawl("cancel e1"), 0);
  EXPECT_TRUE(said("e1 is quarantined")) << said_;
  EXPECT_EQ(pawl("verify"), 0) << said_;
}

}  // namespace
}  // namespace pawl
