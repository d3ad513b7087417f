// What port/disk.h promises, as tests that every disk runs.
//
//   struct SimFixture {                                // one new, empty disk per test
//     Disk& disk();
//     void settle(File& file);                         // lets a started write land
//   };
//   INSTANTIATE_TYPED_TEST_SUITE_P(Sim, DiskContract, SimFixture);
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "pawl/port/disk.h"

namespace pawl {

template <class Fixture>
class DiskContract : public ::testing::Test {
 protected:
  Disk& disk() { return fixture_.disk(); }
  Status settled(File& file) {
    fixture_.settle(file);
    std::optional<Status> answer = file.poll_write();
    return answer ? std::move(*answer) : Status(Error{Code::internal, "no answer after settling"});
  }
  Fixture fixture_;
};

TYPED_TEST_SUITE_P(DiskContract);

TYPED_TEST_P(DiskContract, preallocated_files_read_as_zeros) {
  auto file = this->disk().create("f", 12288);
  ASSERT_TRUE(file.ok()) << file.error().message;
  EXPECT_EQ((*file)->size(), 12288u);
  EXPECT_EQ((*file)->read(4096, 4096).value(), Bytes(4096, '\0'));
}

TYPED_TEST_P(DiskContract, what_was_written_is_read_back_also_after_reopening) {
  Bytes block(8192, 'x');
  {
    auto file = this->disk().create("f", 16384);
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE((*file)->write(4096, block).ok());
    EXPECT_EQ((*file)->read(4096, 8192).value(), block);
  }
  auto again = this->disk().open("f");
  ASSERT_TRUE(again.ok());
  EXPECT_EQ((*again)->size(), 16384u);
  EXPECT_EQ((*again)->read(4000, 200).value(), Bytes(96, '\0') + Bytes(104, 'x'));
}

TYPED_TEST_P(DiskContract, growing_files_take_unaligned_writes) {
  auto file = this->disk().create("f", 0);
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE((*file)->write(0, "hello ").ok());
  ASSERT_TRUE((*file)->write(6, "world").ok());
  EXPECT_EQ((*file)->size(), 11u);
  EXPECT_EQ((*file)->read(0, 100).value(), "hello world");
  EXPECT_EQ((*file)->read(11, 10).value(), "");
}

TYPED_TEST_P(DiskContract, a_started_write_answers_once) {
  auto file = this->disk().create("f", 8192);
  ASSERT_TRUE(file.ok());
  Bytes block(4096, 'y');
  (*file)->start_write(4096, block);
  ASSERT_TRUE(this->settled(**file).ok());
  EXPECT_FALSE((*file)->poll_write().has_value());
  EXPECT_EQ((*file)->read(4096, 4096).value(), block);
}

TYPED_TEST_P(DiskContract, publish_replaces_and_removes_the_old_name) {
  ASSERT_TRUE(this->disk().create("final", 0).value()->write(0, "old").ok());
  ASSERT_TRUE(this->disk().create("temporary", 0).value()->write(0, "new").ok());
  ASSERT_TRUE(this->disk().publish("temporary", "final").ok());
  EXPECT_EQ(this->disk().open("final").value()->read(0, 9).value(), "new");
  EXPECT_EQ(this->disk().open("temporary").error().code, Code::not_found);
}

TYPED_TEST_P(DiskContract, names_are_listed_in_order) {
  ASSERT_TRUE(this->disk().make_directory("a/b").ok());
  ASSERT_TRUE(this->disk().make_directory("a/b").ok());
  for (const char* name : {"a/b/2", "a/b/1", "a/b/10"})
    ASSERT_TRUE(this->disk().create(name, 0).ok());
  EXPECT_EQ(this->disk().list("a/b").value(), (std::vector<std::string>{"1", "10", "2"}));
}

TYPED_TEST_P(DiskContract, remove_is_idempotent_and_create_is_exclusive) {
  ASSERT_TRUE(this->disk().create("f", 0).ok());
  EXPECT_EQ(this->disk().create("f", 0).error().code, Code::already_exists);
  EXPECT_TRUE(this->disk().remove("f").ok());
  EXPECT_TRUE(this->disk().remove("f").ok());
  EXPECT_EQ(this->disk().open("f").error().code, Code::not_found);
}

TYPED_TEST_P(DiskContract, an_empty_directory_can_be_removed) {
  ASSERT_TRUE(this->disk().make_directory("a/b").ok());
  ASSERT_TRUE(this->disk().create("a/b/f", 0).ok());
  ASSERT_TRUE(this->disk().remove("a/b/f").ok());
  EXPECT_TRUE(this->disk().remove("a/b").ok());
  ASSERT_TRUE(this->disk().make_directory("a/b").ok());
  EXPECT_TRUE(this->disk().list("a/b").value().empty());
}

TYPED_TEST_P(DiskContract, free_space_is_known) {
  EXPECT_GT(this->disk().free_bytes().value(), 0u);
}

REGISTER_TYPED_TEST_SUITE_P(DiskContract, preallocated_files_read_as_zeros,
                            what_was_written_is_read_back_also_after_reopening,
                            growing_files_take_unaligned_writes, a_started_write_answers_once,
                            publish_replaces_and_removes_the_old_name, names_are_listed_in_order,
                            remove_is_idempotent_and_create_is_exclusive,
                            an_empty_directory_can_be_removed, free_space_is_known);

}  // namespace pawl
