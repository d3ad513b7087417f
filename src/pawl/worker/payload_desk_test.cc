#include "pawl/worker/payload_desk.h"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "pawl/adapter/linux_loop/linux_background.h"
#include "pawl/testing/memory_blob.h"
#include "pawl/testing/wake_loop.h"
#include "pawl/worker/held_news.h"

namespace pawl {
namespace {

// Answers nothing until it is opened.
class ClosedStore final : public PayloadStore {
 public:
  Status put(const BlobRef& ref, ByteView bytes) override {
    wait();
    if (refused) {
      ++refusals;
      return Error{refused_with, "the store refuses"};
    }
    std::lock_guard lock(mutex_);
    return kept.put(ref, bytes);
  }
  Result<Bytes> get(const BlobRef& ref) override {
    wait();
    std::lock_guard lock(mutex_);
    return kept.get(ref);
  }
  Result<Bytes> part(const BlobRef& ref, uint64_t offset, uint64_t size) override {
    wait();
    std::lock_guard lock(mutex_);
    ++parts;
    return kept.part(ref, offset, size);
  }
  void open() {
    std::lock_guard lock(mutex_);
    open_ = true;
    opened_.notify_all();
  }

  MemoryBlob kept;
  std::atomic<bool> refused{false};
  Code refused_with = Code::unavailable;
  std::atomic<int> parts{0};
  std::atomic<int> refusals{0};

 private:
  void wait() {
    std::unique_lock lock(mutex_);
    opened_.wait(lock, [this] { return open_; });
  }
  std::mutex mutex_;
  std::condition_variable opened_;
  bool open_ = false;
};

BlobRef ref_of(uint64_t sequence, const std::string& bytes) {
  return {ExecutionId{7}, sequence, bytes.size(), hash128(bytes)};
}

struct Heard final : Sink<ExecutorNews> {
  void put(ExecutorNews news) override { all.push_back(std::move(news)); }
  std::vector<ExecutorNews> all;
};

class PayloadDeskTest : public testing::Test {
 protected:
  ~PayloadDeskTest() override { store_.open(); }

  AttemptReport report(ItemIndex begin, std::vector<Payload> outputs) {
    AttemptReport made;
    made.range = {ExecutionId{7}, 0, begin, begin + static_cast<ItemIndex>(outputs.size())};
    made.succeeded = true;
    made.outputs = std::move(outputs);
    return made;
  }
  Payload put(uint64_t sequence) {
    const std::string bytes = std::to_string(sequence);
    EXPECT_TRUE(desk_.put(ref_of(sequence, bytes), bytes).ok());
    return Payload::blob(ref_of(sequence, bytes));
  }
  void settle(uint64_t settlements) {
    loop_.until([&] { return desk_.settlements() == settlements; });
  }

  WakeLoop loop_;
  ClosedStore store_;
  PayloadDesk desk_{
      store_,
      loop_,
      std::make_unique<LinuxBackground>(2),
      {.kept_bytes_max = 100, .block_bytes = 10, .room_pause = Duration::milliseconds(1)}};
};

TEST_F(PayloadDeskTest, WhatIsNotAtHandIsOnItsWayAndThenThere) {
  const std::string bytes = "what a node reads";
  ASSERT_TRUE(store_.kept.put(ref_of(1, bytes), bytes).ok());
  for (int again = 0; again < 3; ++again) {
    Result<Bytes> got = desk_.get(ref_of(1, bytes));
    ASSERT_FALSE(got.ok());
    EXPECT_TRUE(is_on_its_way(got.error()));
  }
  EXPECT_EQ(desk_.arrivals(), 0u);
  store_.open();
  loop_.until([&] { return desk_.arrivals() == 1u; });
  for (int again = 0; again < 3; ++again) EXPECT_EQ(desk_.get(ref_of(1, bytes)).value(), bytes);
  EXPECT_EQ(desk_.part(ref_of(1, bytes), 5, 1'000'000).value(), bytes.substr(5));
  EXPECT_EQ(desk_.reads().from_store, 1u);
  EXPECT_EQ(desk_.reads().from_memory, 3u) << "the first has just come";
}

TEST_F(PayloadDeskTest, AnErrorIsToldOnceAndThenAskedForAgain) {
  store_.open();
  const BlobRef never = ref_of(2, "never put");
  EXPECT_TRUE(is_on_its_way(desk_.get(never).error()));
  loop_.until([&] { return desk_.arrivals() == 1u; });
  EXPECT_EQ(desk_.get(never).error().code, Code::not_found);
  EXPECT_TRUE(is_on_its_way(desk_.get(never).error()));
}

TEST_F(PayloadDeskTest, WhatHasComeIsKeptUntilItWasAskedForAndThenAsFarAsThereIsRoom) {
  store_.open();
  const std::string bytes(60, 'x');
  for (uint64_t one = 1; one <= 4; ++one) {
    ASSERT_TRUE(store_.kept.put(ref_of(one, bytes), bytes).ok());
    EXPECT_FALSE(desk_.get(ref_of(one, bytes)).ok());
  }
  loop_.until([&] { return desk_.arrivals() == 4u; });
  for (uint64_t one = 1; one <= 4; ++one) EXPECT_TRUE(desk_.get(ref_of(one, bytes)).ok());
  ASSERT_TRUE(store_.kept.put(ref_of(5, bytes), bytes).ok());
  EXPECT_FALSE(desk_.get(ref_of(5, bytes)).ok());
  loop_.until([&] { return desk_.arrivals() == 5u; });
  EXPECT_TRUE(desk_.get(ref_of(5, bytes)).ok());
  EXPECT_FALSE(desk_.get(ref_of(1, bytes)).ok()) << "100 bytes are kept, not 300";
}

TEST_F(PayloadDeskTest, PartsAreReadInBlocks) {
  store_.open();
  std::string bytes;
  for (int i = 0; i < 95; ++i) bytes += static_cast<char>('!' + i);
  const BlobRef ref = ref_of(3, bytes);
  ASSERT_TRUE(store_.kept.put(ref, bytes).ok());
  auto read = [&](uint64_t offset, uint64_t size) {
    const std::optional<uint64_t> before = desk_.arrivals();
    Result<Bytes> got = desk_.part(ref, offset, size);
    if (got.ok()) return *got;
    loop_.until([&] { return store_.parts > 0 && desk_.arrivals() > before; });
    while (!(got = desk_.part(ref, offset, size)).ok()) std::this_thread::yield();
    return *got;
  };
  for (uint64_t offset : {0, 3, 9, 10, 11, 60, 89, 90, 94})
    for (uint64_t size : {0, 1, 2, 9, 10, 11, 25, 200})
      EXPECT_EQ(read(offset, size), bytes.substr(offset, size)) << offset << "+" << size;
  EXPECT_LE(store_.parts, 40);
}

TEST_F(PayloadDeskTest, WhatIsReadInMoreBlocksThanAreKeptComesAllTheSame) {
  store_.open();
  const std::string bytes(1000, 'x');  // 100 blocks, of which 10 are kept
  const BlobRef ref = ref_of(4, bytes);
  ASSERT_TRUE(store_.kept.put(ref, bytes).ok());
  uint64_t asked = 0;
  Result<Bytes> got = desk_.part(ref, 5, 990);
  for (; !got.ok() && asked < 200; got = desk_.part(ref, 5, 990)) {
    ++asked;
    const uint64_t now = *desk_.arrivals();
    if (now < 100) loop_.until([&] { return *desk_.arrivals() > now; });
  }
  ASSERT_TRUE(got.ok()) << "asked " << asked << " times";
  EXPECT_EQ(*got, bytes.substr(5, 990));
  EXPECT_EQ(store_.parts, 100);
}

TEST_F(PayloadDeskTest, AReportWaitsForWhatItRefersTo) {
  Heard news;
  HeldNews held(desk_, loop_, news);
  held.put(Finished{1, {report(0, {Payload::inline_json("1")})}});
  ASSERT_EQ(news.all.size(), 1u) << "it refers to nothing";
  const Payload large = put(11);
  held.put(Reported{2, {report(0, {large})}});
  held.put(Finished{2, {report(1, {Payload::inline_json("2")})}});
  held.put(Progressed{3, {}});
  held.turn();
  ASSERT_EQ(news.all.size(), 2u) << "the end of 2 waits for what comes before it";
  EXPECT_TRUE(std::holds_alternative<Progressed>(news.all[1]));
  store_.open();
  settle(1);
  held.turn();
  ASSERT_EQ(news.all.size(), 4u);
  EXPECT_EQ(std::get<Reported>(news.all[2]).reports[0].outputs[0], large);
  EXPECT_EQ(std::get<Finished>(news.all[3]).launch, 2u);
  EXPECT_TRUE(desk_.all_settled());
}

TEST_F(PayloadDeskTest, AnItemWhosePayloadFailedFailsAlone) {
  Heard news;
  HeldNews held(desk_, loop_, news);
  for (Code code : {Code::unavailable, Code::data_loss}) {
    news.all.clear();
    const uint64_t before = desk_.settlements();
    store_.refused = true;
    store_.refused_with = code;
    const Payload failed = put(21);
    store_.open();
    settle(before + 1);
    store_.refused = false;
    const Payload good = put(22);
    settle(before + 2);
    held.put(Finished{4, {report(5, {good, Payload::inline_json("6"), failed, good})}});
    held.turn();
    ASSERT_EQ(news.all.size(), 1u);
    const std::vector<AttemptReport>& parts = std::get<Finished>(news.all[0]).reports;
    ASSERT_EQ(parts.size(), 3u);
    EXPECT_TRUE(parts[0].succeeded);
    EXPECT_EQ(parts[0].range.begin, 5u);
    EXPECT_EQ(parts[0].outputs.size(), 2u);
    EXPECT_FALSE(parts[1].succeeded);
    EXPECT_EQ(parts[1].range.begin, 7u);
    EXPECT_EQ(parts[1].range.end, 8u);
    EXPECT_EQ(parts[1].kind,
              code == Code::unavailable ? FailureKind::declined : FailureKind::output);
    EXPECT_EQ(parts[1].error, "the store refuses");
    EXPECT_TRUE(parts[2].succeeded);
    EXPECT_EQ(parts[2].range.end, 9u);
    EXPECT_EQ(parts[2].outputs, std::vector<Payload>{good});
    EXPECT_TRUE(desk_.all_settled());
  }
}

TEST_F(PayloadDeskTest, WhatFindsNoRoomStaysOnItsWayUntilThereIsSome) {
  Heard news;
  HeldNews held(desk_, loop_, news);
  store_.refused = true;
  store_.refused_with = Code::resource_exhausted;
  const Payload large = put(31);
  store_.open();
  held.put(Finished{5, {report(0, {large})}});
  while (store_.refusals < 3) std::this_thread::yield();
  held.turn();
  EXPECT_TRUE(news.all.empty());
  EXPECT_FALSE(desk_.all_settled());
  store_.refused = false;
  settle(1);
  held.turn();
  ASSERT_EQ(news.all.size(), 1u);
  EXPECT_TRUE(std::get<Finished>(news.all[0]).reports[0].succeeded);
  EXPECT_TRUE(store_.kept.get(large.ref()).ok());
}

}  // namespace
}  // namespace pawl
