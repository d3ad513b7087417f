#include "pawl/schedule/broker.h"

#include <gtest/gtest.h>

namespace pawl {
namespace {

Head head(int priority, int64_t since) {
  return {priority, Instant{since}};
}

TEST(Broker, OffersToTheBestHeadAsMuchAsItWants) {
  Broker broker;
  broker.join(1, 8, {0});
  broker.want(10, {{0, 6, head(5, 100)}});
  broker.want(11, {{0, 6, head(5, 50)}});
  broker.want(12, {{0, 1, head(7, 900)}});
  std::vector<Offer> offers = broker.take_offers();
  ASSERT_EQ(offers.size(), 3u);
  EXPECT_EQ(offers[0].partition, 12u) << "priority comes first";
  EXPECT_EQ(offers[1].partition, 11u) << "then who has waited longest";
  EXPECT_EQ(offers[1].items, 6u);
  EXPECT_EQ(offers[2].partition, 10u);
  EXPECT_EQ(offers[2].items, 1u);
  EXPECT_EQ(broker.free(1), 0u);
  EXPECT_TRUE(broker.take_offers().empty());
}

TEST(Broker, WhatComesBackIsOfferedAgain) {
  Broker broker;
  broker.join(1, 4, {0});
  broker.want(10, {{0, 4, head(5, 1)}});
  ASSERT_EQ(broker.take_offers().size(), 1u);
  broker.want(10, {});
  broker.want(11, {{0, 9, head(5, 2)}});
  EXPECT_TRUE(broker.take_offers().empty());
  broker.give_back(10, 1, 3);
  std::vector<Offer> offers = broker.take_offers();
  ASSERT_EQ(offers.size(), 1u);
  EXPECT_EQ(offers[0].partition, 11u);
  EXPECT_EQ(offers[0].items, 3u);
  EXPECT_EQ(broker.held(10, 1), 1u);
  EXPECT_EQ(broker.held(11, 1), 3u);
}

TEST(Broker, OffersOnlyWhatAWorkerCanDoAndSpreadsIt) {
  Broker broker;
  broker.join(1, 4, {0});
  broker.join(2, 8, {0, 1});
  broker.want(10, {{1, 2, head(5, 1)}, {0, 20, head(5, 2)}});
  std::vector<Offer> offers = broker.take_offers();
  ASSERT_EQ(offers.size(), 3u);
  EXPECT_EQ(offers[0].worker, 2u) << "only it does kind 1";
  EXPECT_EQ(offers[1].worker, 1u) << "it is the freest now";
  EXPECT_EQ(offers[2].worker, 2u);
  EXPECT_EQ(offers[2].items, 6u);
}

TEST(Broker, TheBarIsTheBestHeadThatWaitsElsewhereForThisWorker) {
  Broker broker;
  broker.join(1, 1, {0});
  broker.join(2, 1, {1});
  EXPECT_FALSE(broker.bar(10, 1).has_value());
  broker.want(10, {{0, 5, head(9, 1)}});
  EXPECT_FALSE(broker.bar(10, 1).has_value()) << "one's own demand is no bar";
  broker.want(11, {{0, 5, head(5, 7)}, {1, 5, head(8, 7)}});
  EXPECT_EQ(broker.bar(10, 1), head(5, 7));
  EXPECT_EQ(broker.bar(10, 2), head(8, 7));
  EXPECT_EQ(broker.bar(11, 1), head(9, 1));
}

TEST(Broker, AWorkerThatLeavesTakesItsCapacityAlong) {
  Broker broker;
  broker.join(1, 4, {0});
  broker.want(10, {{0, 9, head(5, 1)}});
  ASSERT_EQ(broker.take_offers().size(), 1u);
  broker.leave(1);
  broker.give_back(10, 1, 4);
  EXPECT_EQ(broker.free(1), 0u);
  EXPECT_TRUE(broker.take_offers().empty());
  EXPECT_FALSE(broker.bar(10, 1).has_value());
}

}  // namespace
}  // namespace pawl
