#include "pawl/adapter/wal/chain.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace pawl::wal {
namespace {

constexpr uint64_t epoch = 3;

ChainLink link(uint64_t position, size_t size, Instant at = {}) {
  return {position, epoch, Bytes(size, static_cast<char>('a' + position % 26)), at};
}

ChainPoint by_hand(uint64_t links, size_t size) {
  ChainPoint point;
  for (uint64_t p = 1; p <= links; ++p) point = next_point(point, p, epoch, link(p, size).payload);
  return point;
}

TEST(ChainBacklogTest, AdvancesInOrderAndTellsWhatItHashed) {
  ChainBacklog backlog({}, {});
  EXPECT_EQ(backlog.advance(), 0u);
  for (uint64_t p = 1; p <= 3; ++p) backlog.add(link(p, 10));
  EXPECT_EQ(backlog.newest(), ChainPoint());
  EXPECT_EQ(backlog.advance(), header_bytes + 10);
  EXPECT_EQ(backlog.newest(), by_hand(1, 10));
  while (backlog.advance() > 0) {
  }
  EXPECT_EQ(backlog.newest(), by_hand(3, 10));
  EXPECT_EQ(backlog.glimpse(), by_hand(3, 10));
}

TEST(ChainBacklogTest, AnAddHashesWhatIsBeyondTheBytes) {
  ChainBacklog backlog({}, {.bytes_max = 250});
  for (uint64_t p = 1; p <= 2; ++p) backlog.add(link(p, 100));
  EXPECT_EQ(backlog.newest().position, 0u);
  backlog.add(link(3, 100));
  EXPECT_EQ(backlog.newest(), by_hand(1, 100));
  backlog.add(link(4, 1000));
  EXPECT_EQ(backlog.newest().position, 4u);
}

TEST(ChainBacklogTest, AnAddHashesWhatIsBeyondTheLag) {
  ChainBacklog backlog({}, {.lag_max = Duration::milliseconds(500)});
  Instant start{Duration::seconds(7).ns};
  backlog.add(link(1, 1, start));
  backlog.add(link(2, 1, start + Duration::milliseconds(500)));
  EXPECT_EQ(backlog.newest().position, 0u);
  backlog.add(link(3, 1, start + Duration::milliseconds(501)));
  EXPECT_EQ(backlog.newest(), by_hand(1, 1));
}

TEST(ChainBacklogTest, ManyThreadsHashOneChain) {
  constexpr uint64_t links = 500;
  ChainBacklog backlog({}, {.bytes_max = 20'000});
  std::atomic<bool> all{false};
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      for (bool last = false; !last;) {
        last = all.load();
        while (backlog.advance() > 0) {
        }
      }
    });
  }
  ChainPoint last;
  for (uint64_t p = 1; p <= links; ++p) {
    backlog.add(link(p, 1000));
    ChainPoint glimpse = backlog.glimpse();
    EXPECT_GE(glimpse.position, last.position);
    last = glimpse;
  }
  backlog.hand_over();
  all = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(backlog.newest(), by_hand(links, 1000));
}

TEST(ChainTest, InLineAndBesideGiveTheSameValues) {
  for (ChainMode mode : {ChainMode::in_line, ChainMode::own_thread}) {
    std::unique_ptr<Chain> chain = make_chain(mode, {}, {});
    for (uint64_t p = 1; p <= 300; ++p) chain->add(link(p, 700));
    EXPECT_EQ(chain->drain(), by_hand(300, 700));
    chain->add(link(301, 700));
    EXPECT_GE(chain->newest().position, 300u);
    EXPECT_EQ(chain->newest_after(1), by_hand(301, 700));
  }
}

}  // namespace
}  // namespace pawl::wal
