#include "pawl/base/bytes.h"

#include <gtest/gtest.h>

#include <limits>

#include "pawl/base/random.h"
#include "pawl/base/result.h"
#include "pawl/base/time.h"

namespace pawl {
namespace {

TEST(Bytes, NumbersComeBack) {
  Random dice{3};
  for (int round = 0; round < 1000; ++round) {
    uint64_t u = dice.next() >> dice.below(64);
    auto s = static_cast<int64_t>(dice.next()) >> dice.below(64);
    ByteWriter out;
    out.varint(u);
    out.svarint(s);
    out.u64(u);
    out.u32(static_cast<uint32_t>(u));
    out.boolean(u & 1);
    ByteReader in(out.view());
    EXPECT_EQ(in.varint(), u);
    EXPECT_EQ(in.svarint(), s);
    EXPECT_EQ(in.u64(), u);
    EXPECT_EQ(in.u32(), static_cast<uint32_t>(u));
    EXPECT_EQ(in.boolean(), (u & 1) != 0);
    EXPECT_TRUE(in.ok() && in.at_end());
  }
}

TEST(Bytes, ExtremesAndSizes) {
  ByteWriter out;
  out.varint(127);
  EXPECT_EQ(out.size(), 1u);
  out.varint(128);
  EXPECT_EQ(out.size(), 3u);
  out.varint(std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(out.size(), 13u);
  out.svarint(std::numeric_limits<int64_t>::min());
  out.svarint(-1);
  ByteReader in(out.view());
  in.varint();
  in.varint();
  EXPECT_EQ(in.varint(), std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(in.svarint(), std::numeric_limits<int64_t>::min());
  EXPECT_EQ(in.svarint(), -1);
  EXPECT_TRUE(in.ok());
}

TEST(Bytes, AShortReadFailsAndStaysFailed) {
  ByteWriter out;
  out.text("hello");
  for (size_t cut = 0; cut < out.size(); ++cut) {
    ByteReader in(out.view().substr(0, cut));
    EXPECT_EQ(in.text(), "");
    EXPECT_FALSE(in.ok());
    EXPECT_EQ(in.u8(), 0);
    EXPECT_EQ(in.varint(), 0u);
  }
}

TEST(Bytes, MalformedVarintsAndBooleansFail) {
  ByteReader endless(std::string_view("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 11));
  endless.varint();
  EXPECT_FALSE(endless.ok());
  ByteReader above(std::string_view("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10));
  above.varint();
  EXPECT_FALSE(above.ok());
  ByteReader two("\x02");
  two.boolean();
  EXPECT_FALSE(two.ok());
}

TEST(Bytes, ALyingCountFails) {
  ByteWriter out;
  out.varint(1'000'000);
  out.u64(0);
  ByteReader in(out.view());
  EXPECT_EQ(in.count(), 0u);
  EXPECT_FALSE(in.ok());
}

TEST(Bytes, BlocksOfEverySizeNest) {
  for (size_t size : {0u, 1u, 120u, 126u, 127u, 128u, 16'383u, 16'384u, 100'000u}) {
    ByteWriter out;
    size_t outer = out.begin_block();
    size_t inner = out.begin_block();
    out.raw(std::string(size, 'x').data(), size);
    out.end_block(inner);
    out.u8(7);
    out.end_block(outer);
    ByteReader in(out.view());
    ByteReader body(in.text());
    EXPECT_TRUE(in.ok() && in.at_end());
    EXPECT_EQ(body.text(), std::string(size, 'x'));
    EXPECT_EQ(body.u8(), 7);
    EXPECT_TRUE(body.ok() && body.at_end());
  }
}

TEST(Time, SaturatesInsteadOfOverflowing) {
  EXPECT_EQ(Instant::never() + Duration::hours(1), Instant::never());
  EXPECT_EQ(Instant{5} + Duration::forever(), Instant::never());
  EXPECT_LT((Instant{} - Duration::forever()).ns, 0);
  EXPECT_EQ(Duration::seconds(2) + Duration::milliseconds(3), Duration::milliseconds(2003));
}

TEST(RandomTest, SameSeedSameNumbersWithinBounds) {
  EXPECT_EQ(Random{0}.next(), 0xe220a8397b1dcdafULL);  // the reference implementation's first
  Random dice{42}, same{42};
  uint64_t seen = 0;
  for (int i = 0; i < 1000; ++i) {
    uint64_t n = dice.below(10);
    EXPECT_EQ(n, same.below(10));
    ASSERT_LT(n, 10u);
    seen |= 1u << n;
    uint64_t between = dice.between(3, 4);
    EXPECT_TRUE(between == 3 || between == 4);
    same.between(3, 4);
  }
  EXPECT_EQ(seen, 0x3ffu);
  EXPECT_EQ(dice.below(0), 0u);
}

Status refuse() {
  return Error{Code::not_found, "no such thing"};
}
Result<int> half(int n) {
  if (n % 2 != 0) return Error{Code::invalid_argument, "odd"};
  return n / 2;
}
Result<int> quarter(int n) {
  PAWL_ASSIGN(int h, half(n));
  return half(h);
}
Status both() {
  PAWL_TRY(Status());
  PAWL_TRY(refuse());
  return {};
}

TEST(ResultTest, ErrorsReachTheCaller) {
  EXPECT_EQ(*quarter(8), 2);
  EXPECT_EQ(quarter(6).error().message, "odd");
  EXPECT_EQ(both().error().code, Code::not_found);
  EXPECT_EQ(Error(refuse().error()).within("here").message, "here: no such thing");
  EXPECT_STREQ(name(Code::resource_exhausted), "RESOURCE_EXHAUSTED");
  EXPECT_DEATH((void)quarter(6).value(), "value\\(\\) of an error");
}

}  // namespace
}  // namespace pawl
