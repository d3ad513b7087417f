#include "pawl/model/labels.h"

#include <gtest/gtest.h>

namespace pawl {
namespace {

TEST(Labels, SayWhoseAnExecutionIs) {
  const char* labels = R"({"day": 7, "tenant_id": "team-a", "user_id": "ann \"the\" one"})";
  EXPECT_EQ(tenant(labels), "team-a");
  EXPECT_EQ(submitter(labels), "ann \"the\" one");
}

TEST(Labels, WhatIsNotSaidIsEmpty) {
  for (const char* labels : {"", "{}", R"({"user":"ann"})", R"({"user_id":7,"tenant_id":null})"}) {
    EXPECT_EQ(submitter(labels), "") << labels;
    EXPECT_EQ(tenant(labels), "") << labels;
  }
}

}  // namespace
}  // namespace pawl
