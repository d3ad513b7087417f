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
  EXPECT_EQ(message({"-q", "a b"}),
            "--queue: a queue's name is 1 to 128 letters, digits or _ - ., not \"a b\"");
  EXPECT_EQ(message({"-q", std::string(129, 'q')}).substr(0, 15), "--queue: a queu");
  EXPECT_EQ(message({"-l", "zone=x"}),
            "--label: zone is what --zone says; call the label otherwise");
  EXPECT_EQ(message({"-l", "worker=x"}),
            "--label: worker is what --name says; call the label otherwise");
  EXPECT_EQ(message({"-l", "a=" + std::string(129, 'x')}),
            "--label: a name and a value have at most 128 bytes");
  EXPECT_EQ(message({"-z", std::string(129, 'x')}), "--zone: at most 128 bytes");
  EXPECT_NE(message({"-c", "gpu=0"}).find("the amount of gpu"), std::string::npos);
}

}  // namespace
}  // namespace pawl::cli
