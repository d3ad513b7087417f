#include "pawl/cli/offer.h"

#include <gtest/gtest.h>

namespace pawl::cli {
namespace {

Result<WorkerSpec> offered(const std::vector<std::string>& words) {
  const VerbSpec spec{.name = "worker",
                      .arguments = "",
                      .summary = "",
                      .details = {},
                      .options = {{"queue", 'q', "NAME", ""},
                                  {"label", 'l', "NAME=VALUE", ""},
                                  {"zone", 'z', "ZONE", ""},
                                  {"capacity", 'c', "NAME=N", ""},
                                  {"weight", 'w', "N", ""},
                                  {"price", 0, "N", ""}},
                      .examples = {}};
  PAWL_ASSIGN(Arguments given, parse_arguments(spec, words));
  WorkerSpec offer;
  PAWL_TRY(read_offer(given, offer));
  return offer;
}

TEST(Offer, IsWhatWasTyped) {
  Result<WorkerSpec> offer =
      offered({"-c", "gpu=2", "-c", "cpu=1.5", "-c",      "memory=1GiB", "-q", "b",
               "-q", "a",     "-q", "b",       "-l",      "disk=ssd",    "-l", "class=spot",
               "-z", "eu-1",  "-w", "7",       "--price", "120"});
  ASSERT_TRUE(offer.ok()) << offer.error().message;
  EXPECT_EQ(offer->capacity, (Amounts{{"cpu", 1500}, {"gpu", 2}, {"memory", 1 << 30}}));
  EXPECT_EQ(offer->queues, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(offer->labels, (std::vector<Label>{{"class", "spot"}, {"disk", "ssd"}}));
  EXPECT_EQ(offer->zone, "eu-1");
  EXPECT_EQ(offer->weight, 7u);
  EXPECT_EQ(offer->price, 120u);
  EXPECT_EQ(offered({})->capacity, Amounts{});
}

TEST(Offer, SaysWhichOptionIsWrong) {
  auto message = [](const std::vector<std::string>& words) {
    return offered(words).error().message;
  };
  EXPECT_EQ(message({"-c", "gpu"}), "--capacity: \"gpu\" is not NAME=VALUE");
  EXPECT_EQ(message({"-c", "gpu=some"}), "--capacity: gpu: \"some\" is not a whole number");
  EXPECT_EQ(message({"-l", "=x"}), "--label: \"=x\" is not NAME=VALUE");
  EXPECT_EQ(message({"-w", "1001"}), "--weight: at most 1000");
  EXPECT_NE(message({"-c", "gpu=0"}).find("the amount of gpu"), std::string::npos);
}

}  // namespace
}  // namespace pawl::cli
