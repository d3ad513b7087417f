#include "pawl/wire/event_codec.h"

#include <gtest/gtest.h>

#include <set>
#include <type_traits>

#include "pawl/wire/event_samples.h"
#include "pawl/wire/values.h"

namespace pawl {
namespace {

// Field by field equality of plain structs of up to seven fields, so that a field that an encoding
// forgot is found whatever its type.
struct Anything {
  template <class T>
  operator T() const;
};
template <class T, class... Fields>
constexpr size_t arity() {
  if constexpr (requires { T{Fields{}..., Anything{}}; })
    return arity<T, Fields..., Anything>();
  else
    return sizeof...(Fields);
}

template <class T>
bool same(const T& a, const T& b);

template <class T>
bool same_fields(const T& a, const T& b) {
  constexpr size_t n = arity<T>();
  static_assert(n >= 1 && n <= 8);
#define PAWL_SAME(count, names_a, names_b, ...) \
  if constexpr (n == count) {                   \
    const auto& names_a = a;                    \
    const auto& names_b = b;                    \
    return __VA_ARGS__;                         \
  }
#define PAWL_LIST(...) [__VA_ARGS__]
  PAWL_SAME(1, PAWL_LIST(a1), PAWL_LIST(b1), same(a1, b1))
  PAWL_SAME(2, PAWL_LIST(a1, a2), PAWL_LIST(b1, b2), same(a1, b1) && same(a2, b2))
  PAWL_SAME(3, PAWL_LIST(a1, a2, a3), PAWL_LIST(b1, b2, b3),
            same(a1, b1) && same(a2, b2) && same(a3, b3))
  PAWL_SAME(4, PAWL_LIST(a1, a2, a3, a4), PAWL_LIST(b1, b2, b3, b4),
            same(a1, b1) && same(a2, b2) && same(a3, b3) && same(a4, b4))
  PAWL_SAME(5, PAWL_LIST(a1, a2, a3, a4, a5), PAWL_LIST(b1, b2, b3, b4, b5),
            same(a1, b1) && same(a2, b2) && same(a3, b3) && same(a4, b4) && same(a5, b5))
  PAWL_SAME(
      6, PAWL_LIST(a1, a2, a3, a4, a5, a6), PAWL_LIST(b1, b2, b3, b4, b5, b6),
      same(a1, b1) && same(a2, b2) && same(a3, b3) && same(a4, b4) && same(a5, b5) && same(a6, b6))
  PAWL_SAME(7, PAWL_LIST(a1, a2, a3, a4, a5, a6, a7), PAWL_LIST(b1, b2, b3, b4, b5, b6, b7),
            same(a1, b1) && same(a2, b2) && same(a3, b3) && same(a4, b4) && same(a5, b5) &&
                same(a6, b6) && same(a7, b7))
  PAWL_SAME(8, PAWL_LIST(a1, a2, a3, a4, a5, a6, a7, a8), PAWL_LIST(b1, b2, b3, b4, b5, b6, b7, b8),
            same(a1, b1) && same(a2, b2) && same(a3, b3) && same(a4, b4) && same(a5, b5) &&
                same(a6, b6) && same(a7, b7) && same(a8, b8))
#undef PAWL_LIST
#undef PAWL_SAME
}

template <class T>
bool same(const T& a, const T& b) {
  if constexpr (requires { a == b; })
    return a == b;
  else
    return same_fields(a, b);
}

bool same_event(const Event& a, const Event& b) {
  if (a.index() != b.index()) return false;
  return std::visit([&](const auto& e) { return same(e, std::get<std::decay_t<decltype(e)>>(b)); },
                    a);
}

Group group_of(std::vector<Event> events) {
  return {17, 3, {-5}, {1'700'000'000'000'000'000}, std::move(events)};
}

TEST(EventCodec, AScanSeesWhatDecodingSees) {
  std::vector<Event> events = sample_events();
  Bytes bytes = encode(group_of(events));
  GroupScan scan(bytes);
  for (size_t i = 0; i < events.size(); ++i) {
    ASSERT_TRUE(scan.next());
    EXPECT_EQ(scan.index(), i);
    EXPECT_EQ(scan.execution(), execution_of(events[i])) << kind_name(events[i]);
    EXPECT_EQ(scan.alone(), encode(group_of({events[i]}))) << kind_name(events[i]);
  }
  EXPECT_FALSE(scan.next());
  EXPECT_TRUE(scan.ok());
  GroupScan cut(ByteView(bytes).substr(0, bytes.size() - 1));
  while (cut.next()) {
  }
  EXPECT_FALSE(cut.ok());
}

TEST(EventCodec, QuarantinesAreFoundInTheFirstGroupOfAReignOnly) {
  ExecutionQuarantined one{{3}, 7, 2, "poison"};
  EXPECT_TRUE(quarantines_in(encode(group_of({ExecutionParked{{3}}, one}))).empty());
  auto found = quarantines_in(encode(group_of({EpochStarted{}, ExecutionParked{{4}}, one})));
  ASSERT_EQ(found.size(), 1u);
  EXPECT_TRUE(same(found.front(), one));
  EXPECT_TRUE(quarantines_in("\7rubbish").empty());
}

TEST(EventCodec, TheComparisonSeesEveryField) {
  std::vector<Event> samples = sample_events();
  EXPECT_TRUE(same(sample_worker(), sample_worker()));
  WorkerSpec other = sample_worker();
  other.lease.ns++;
  EXPECT_FALSE(same(other, sample_worker()));
  EXPECT_FALSE(same_event(Event{NodeRedriven{{1}, 2}}, Event{NodeRedriven{{1}, 3}}));
  std::set<size_t> kinds;
  for (const Event& event : samples) {
    kinds.insert(event.index());
    // No sample looks like an empty event: a forgotten field would go unseen.
    std::visit([&](const auto& e) { EXPECT_FALSE(same(e, std::decay_t<decltype(e)>())); }, event);
  }
  EXPECT_EQ(kinds.size(), std::variant_size_v<Event>) << "a kind without a sample";
}

TEST(EventCodec, EveryKindComesBack) {
  Group group = group_of(sample_events());
  Result<Group> back = decode_group(17, 3, encode(group));
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(back->position, 17u);
  EXPECT_EQ(back->epoch, 3u);
  EXPECT_EQ(back->now, group.now);
  EXPECT_EQ(back->wall, group.wall);
  ASSERT_EQ(back->events.size(), group.events.size());
  for (size_t i = 0; i < group.events.size(); ++i)
    EXPECT_TRUE(same_event(back->events[i], group.events[i])) << kind_name(group.events[i]);
}

TEST(EventCodec, RandomGroupsComeBack) {
  Random dice{1};
  for (int round = 0; round < 100; ++round) {
    std::vector<Event> events;
    for (uint64_t n = dice.below(50); n > 0; --n) events.push_back(random_event(dice));
    Group group = group_of(std::move(events));
    Bytes bytes = encode(group);
    Result<Group> back = decode_group(17, 3, bytes);
    ASSERT_TRUE(back.ok()) << back.error().message;
    ASSERT_EQ(back->events.size(), group.events.size());
    for (size_t i = 0; i < group.events.size(); ++i)
      ASSERT_TRUE(same_event(back->events[i], group.events[i])) << kind_name(group.events[i]);
    EXPECT_EQ(encode(*back), bytes);
  }
}

TEST(EventCodec, NumbersAreFixed) {
  EXPECT_EQ(kind_number(EpochStarted{}), 1u);
  EXPECT_EQ(kind_number(AttemptsGranted{}), 10u);
  EXPECT_STREQ(kind_name(AttemptsGranted{}), "AttemptsGranted");
  EXPECT_EQ(kind_number(InboxAccepted{}), 23u);
  EXPECT_STREQ(kind_name(InboxAccepted{}), "InboxAccepted");
  std::set<uint64_t> numbers;
  for (const Event& event : sample_events()) numbers.insert(kind_number(event));
  EXPECT_EQ(numbers.size(), std::variant_size_v<Event>);
}

TEST(EventCodec, TheFrequentOnesAreShort) {
  auto size = [](const Event& event) {
    ByteWriter out;
    encode(event, out);
    return out.size();
  };
  EXPECT_LE(size(AttemptsGranted{{1}, {{1'000'000}, 2, 0, 1}, 1, ~uint64_t{0}}), 20u);
  EXPECT_LE(size(AttemptsSucceeded{{{1'000'000}, 2, 0, 1024}, 1, {}}), 12u);
}

TEST(EventCodec, EveryCutAndTrailingByteIsDataLoss) {
  Bytes bytes = encode(group_of(sample_events()));
  for (size_t cut = 0; cut < bytes.size(); ++cut) {
    Result<Group> back = decode_group(17, 3, ByteView(bytes).substr(0, cut));
    ASSERT_FALSE(back.ok()) << cut;
    EXPECT_EQ(back.error().code, Code::data_loss) << cut;
  }
  EXPECT_EQ(decode_group(17, 3, bytes + "x").error().message,
            "group 17: bytes after its last event");
}

Bytes group_with(uint64_t kind, ByteView body) {
  ByteWriter out;
  out.u8(group_format);
  out.svarint(0);
  out.svarint(0);
  out.varint(2);
  out.varint(kind);
  out.text(body);
  encode(ExecutionParked{{5}}, out);
  return out.take();
}

TEST(EventCodec, WhatIsNewerStopsUnlessItOnlyExplains) {
  for (uint64_t kind :
       {uint64_t{0}, uint64_t{26}, uint64_t{127}, uint64_t{128}, event_annotation_first - 1}) {
    Result<Group> back = decode_group(17, 3, group_with(kind, "abc"));
    ASSERT_FALSE(back.ok());
    EXPECT_EQ(back.error().code, Code::failed_precondition) << kind;
    EXPECT_EQ(back.error().message, "group 17, event 1 is of kind " + std::to_string(kind) +
                                        ", written by a newer Pawl; use that one to read this log");
  }
  Result<Group> skipped = decode_group(17, 3, group_with(event_annotation_first, "abc"));
  ASSERT_TRUE(skipped.ok());
  EXPECT_EQ(skipped->events.size(), 1u);
  Bytes newer = encode(group_of({}));
  newer[0] = group_format + 1;
  EXPECT_EQ(decode_group(17, 3, newer).error().code, Code::failed_precondition);
}

TEST(EventCodec, DamageNamesTheEvent) {
  Result<Group> back = decode_group(17, 3, group_with(20, ""));
  EXPECT_EQ(back.error().message, "group 17, event 1 (ExecutionParked) is damaged");
  EXPECT_FALSE(decode_group(17, 3, group_with(20, "\x05x")).ok());        // more than its fields
  EXPECT_FALSE(decode_group(17, 3, group_with(6, "\x01\x01\x09")).ok());  // no such reason
  ByteWriter range;  // begin + size beyond 32 bits
  for (uint64_t number : {uint64_t{1}, uint64_t{1}, uint64_t{0xffffffff}, uint64_t{1}})
    range.varint(number);
  EXPECT_FALSE(decode_group(17, 3, group_with(13, range.view())).ok());
}

TEST(EventCodec, RandomDamageNeverCrashesAndWhatDecodesIsStable) {
  Random dice{2};
  Bytes good = encode(group_of(sample_events()));
  int decoded = 0;
  for (int round = 0; round < 20'000; ++round) {
    Bytes bytes = good;
    for (uint64_t n = dice.between(1, 3); n > 0; --n)
      bytes[dice.below(bytes.size())] = static_cast<char>(dice.next());
    Result<Group> back = decode_group(17, 3, bytes);
    if (!back.ok()) continue;
    ++decoded;
    Bytes again = encode(*back);
    Result<Group> twice = decode_group(17, 3, again);
    ASSERT_TRUE(twice.ok());
    EXPECT_EQ(encode(*twice), again);
  }
  EXPECT_GT(decoded, 100);
}

TEST(Values, ReportsComeBack) {
  AttemptReport report;
  report.range = {{1}, 2, 3, 4};
  report.attempt = 5;
  report.nonce = 6;
  report.outputs = {Payload::inline_json("7")};
  report.kind = FailureKind::function;
  report.exit_code = -1;
  report.error = "no";
  ByteWriter out;
  Encoder io(out);
  fields(io, report);
  AttemptReport back;
  ByteReader in(out.view());
  Decoder from(in);
  fields(from, back);
  EXPECT_TRUE(in.ok() && in.at_end());
  EXPECT_EQ(back.range, report.range);
  EXPECT_EQ(back.outputs, report.outputs);
  EXPECT_EQ(back.kind, report.kind);
  EXPECT_EQ(back.exit_code, -1);
  EXPECT_EQ(back.error, "no");
}

}  // namespace
}  // namespace pawl
