#include "pawl/model/outputs.h"

#include <gtest/gtest.h>

#include <map>

#include "pawl/base/random.h"

namespace pawl {
namespace {

Bytes page_of(const ItemOutputs& outputs, uint32_t page) {
  ByteWriter out;
  outputs.encode_page(page, out);
  return out.take();
}

TEST(ItemOutputsTest, PagesExistOnlyWhereSomethingIs) {
  ItemOutputs outputs(1'000'000);
  EXPECT_EQ(outputs.pages(), 977u);
  outputs.set(777'777, Payload::inline_json("7"));
  outputs.set(3, Payload());
  EXPECT_EQ(outputs.get(777'777).text(), "7");
  EXPECT_TRUE(outputs.get(3).is_absent());
  EXPECT_TRUE(outputs.get(999'999).is_absent());
  EXPECT_EQ(page_of(outputs, 0), "");
  EXPECT_NE(page_of(outputs, 777'777 / 1024), "");
  EXPECT_EQ(outputs.bytes(), 1u);
}

TEST(ItemOutputsTest, AFrozenPageDoesNotSeeWhatComesAfter) {
  ItemOutputs outputs(2000);
  outputs.set(1, Payload::inline_json("1"));
  Bytes before = page_of(outputs, 0);
  ItemOutputs::FrozenPage full = outputs.freeze_page(0);
  ItemOutputs::FrozenPage empty = outputs.freeze_page(1);
  outputs.set(2, Payload::inline_json("2"));
  outputs.set(1500, Payload::inline_json("3"));
  ByteWriter frozen;
  full.encode(frozen);
  EXPECT_EQ(frozen.view(), before);
  empty.encode(frozen);
  EXPECT_EQ(frozen.view(), before);
  EXPECT_EQ(outputs.get(1).text(), "1");
  EXPECT_EQ(outputs.get(2).text(), "2");
  EXPECT_NE(page_of(outputs, 0), before);
}

// Against a plain map, in any order; the encoding does not tell in which order values came.
TEST(ItemOutputsTest, RandomOrderSameBytes) {
  Random dice{6};
  for (int round = 0; round < 20; ++round) {
    auto count = static_cast<uint32_t>(dice.between(1, 3000));
    std::map<ItemIndex, Payload> model;
    ItemOutputs outputs(count);
    uint64_t bytes = 0;
    for (int i = 0; i < 500; ++i) {
      auto item = static_cast<ItemIndex>(dice.below(count));
      Payload value = dice.chance(100)
                          ? Payload::blob({{1}, dice.next(), dice.below(1'000'000), {2, 3}})
                          : Payload::inline_json(std::to_string(dice.next()));
      if (!model.emplace(item, value).second) continue;
      outputs.set(item, value);
      bytes += value.size();
    }
    EXPECT_EQ(outputs.bytes(), bytes);
    ItemOutputs ordered(count);
    for (const auto& [item, value] : model) ordered.set(item, value);
    ItemOutputs decoded(count);
    for (uint32_t page = 0; page < outputs.pages(); ++page) {
      Bytes encoded = page_of(outputs, page);
      EXPECT_EQ(encoded, page_of(ordered, page));
      for (int twice = 0; twice < 2; ++twice) {
        ByteReader in(encoded);
        ASSERT_TRUE(decoded.decode_page(page, in));
        EXPECT_TRUE(in.at_end());
      }
    }
    EXPECT_EQ(decoded.bytes(), bytes);
    for (ItemIndex item = 0; item < count; ++item) {
      Payload expected = model.count(item) ? model[item] : Payload();
      ASSERT_EQ(outputs.get(item), expected);
      ASSERT_EQ(decoded.get(item), expected);
    }
  }
}

TEST(ItemOutputsTest, DamagedPagesAreRefused) {
  ItemOutputs outputs(5);
  outputs.set(4, Payload::inline_json("\"text\""));
  Bytes encoded = page_of(outputs, 0);
  for (size_t cut = 1; cut < encoded.size(); ++cut) {
    ItemOutputs decoded(5);
    ByteReader in(ByteView(encoded).substr(0, cut));
    EXPECT_FALSE(decoded.decode_page(0, in)) << cut;
  }
}

TEST(ItemOutputsDeathTest, MisuseIsABug) {
  ItemOutputs outputs(2);
  outputs.set(1, Payload::inline_json("1"));
  EXPECT_DEATH(outputs.set(1, Payload::inline_json("2")), "second output");
  EXPECT_DEATH(outputs.set(2, Payload::inline_json("2")), "does not exist");
}

}  // namespace
}  // namespace pawl
