#include <gtest/gtest.h>

#include <set>

#include "pawl/base/random.h"
#include "pawl/model/event.h"
#include "pawl/model/message.h"

namespace pawl {
namespace {

TEST(Ids, TextForms) {
  EXPECT_EQ(to_text(ExecutionId{17}), "e17");
  EXPECT_EQ(execution_from_text("e17").value, 17u);
  EXPECT_EQ(execution_from_text("e18446744073709551615").value, ~uint64_t{0});
  for (const char* text :
       {"", "e", "17", "e0", "e017", "e1x", "E1", "e-1", "e18446744073709551616"})
    EXPECT_FALSE(execution_from_text(text)) << text;
}

TEST(NameSpaces, Names) {
  for (const char* good : {"default", "team-a", "A", "0", "a.b_c-d"})
    EXPECT_TRUE(check_name_space(good).ok()) << good;
  EXPECT_TRUE(check_name_space(std::string(name_space_bytes_max, 'a')).ok());
  for (std::string bad : {"", "-a", ".", "a b", "a/b", "\xc3\xa9", "a\n"})
    EXPECT_EQ(check_name_space(bad).error().code, Code::invalid_argument) << bad;
  EXPECT_FALSE(check_name_space(std::string(name_space_bytes_max + 1, 'a')).ok());
}

TEST(NameSpaces, RequestIdsAreTheirOwn) {
  EXPECT_EQ(hash_in(default_namespace, "r"), hash128("r"));  // as it was written before
  EXPECT_NE(hash_in("a", "r"), hash_in("b", "r"));
  EXPECT_NE(hash_in("a", "br"), hash_in("ab", "r"));
  ByteWriter both;
  both.text("a");
  both.text("r");
  EXPECT_NE(hash_in("a", "r"), hash_in(default_namespace, both.take()));
}

TEST(Ids, UuidsAreVersion8StableAndDistinct) {
  std::set<std::string> seen;
  for (uint64_t cluster : {1u, 2u})
    for (uint64_t a = 0; a < 10; ++a)
      for (uint64_t b = 0; b < 10; ++b) {
        std::string uuid = uuid_of({cluster, 9}, a, b, 0);
        EXPECT_EQ(uuid.size(), 36u);
        EXPECT_EQ(uuid[8], '-');
        EXPECT_EQ(uuid[14], '8');
        EXPECT_NE(std::string("89ab").find(uuid[19]), std::string::npos);
        seen.insert(uuid);
      }
  EXPECT_EQ(seen.size(), 200u);
  EXPECT_EQ(uuid_of({1, 2}, 3, 4, 5),
            "eec82359-8f27-87a5-a117-ee3233116bc1");  // in clients' hands: never changes
}

TEST(Ids, IdempotencyKeysDifferByTaskAndCluster) {
  std::set<std::string> keys;
  for (uint64_t n = 0; n < 2; ++n) {
    keys.insert(idempotency_key({n, 1}, {{7}, 1, 1}));
    keys.insert(idempotency_key({5, 5}, {{7 + n}, 2, 2}));
    keys.insert(idempotency_key({5, 5}, {{7}, static_cast<NodeIndex>(3 + n), 2}));
    keys.insert(idempotency_key({5, 5}, {{7}, 2, static_cast<ItemIndex>(3 + n)}));
  }
  EXPECT_EQ(keys.size(), 8u);
  EXPECT_EQ(idempotency_key({5, 5}, {{7}, 2, 2}), "fedf90bd7a845175795dcc48c356054e");
}

TEST(PayloadTest, NullIsAbsentInEveryForm) {
  EXPECT_TRUE(Payload().is_absent());
  EXPECT_TRUE(Payload::inline_json("null").is_absent());
  EXPECT_EQ(Payload::inline_json("").text(), "null");
  EXPECT_EQ(Payload().size(), 0u);
}

TEST(PayloadTest, RoundTrips) {
  BlobRef ref{{3}, 4, 1'000'000, {5, 6}};
  for (const Payload& payload :
       {Payload(), Payload::inline_json("7"), Payload::inline_json(std::string(70'000, '1')),
        Payload::blob(ref)}) {
    ByteWriter out;
    payload.encode(out);
    ByteReader in(out.view());
    EXPECT_EQ(Payload::decode(in), payload);
    EXPECT_TRUE(in.ok() && in.at_end());
    ByteReader cut(out.view().substr(0, out.size() - 1));
    Payload::decode(cut);
    EXPECT_FALSE(cut.ok());
  }
  EXPECT_EQ(Payload::blob(ref).ref(), ref);
  EXPECT_EQ(Payload::blob(ref).size(), 1'000'000u);
  EXPECT_FALSE(Payload::blob(ref).is_absent());
  EXPECT_DEATH(Payload::blob(ref).text(), "blob store");
}

TEST(PayloadTest, OneFormPerValue) {
  ByteReader blob_of_wrong_size(std::string_view("\x03x", 2));
  Payload::decode(blob_of_wrong_size);
  EXPECT_FALSE(blob_of_wrong_size.ok());
  ByteReader written_null(std::string_view("\x08null", 5));
  Payload::decode(written_null);
  EXPECT_FALSE(written_null.ok());
}

// The list of node 1 must not take the place of the output of item 128 of node 0, out of which it was
// made.
TEST(BlobSequences, OfInputsOutputsAndEvaluationsNeverMeet) {
  const NodeIndex last_node = workflow_nodes_max - 1;
  const ItemIndex last_item = mapped_items_max - 1;
  std::set<uint64_t> seen = {input_blob_sequence};
  uint64_t made = 1;
  for (NodeIndex node : {NodeIndex{0}, NodeIndex{1}, NodeIndex{2}, last_node}) {
    for (uint8_t purpose = 0; purpose < 3; ++purpose) {
      seen.insert(evaluation_blob_sequence(purpose, node));
      ++made;
    }
    for (ItemIndex item : {ItemIndex{0}, ItemIndex{1}, ItemIndex{128}, ItemIndex{256}, last_item})
      for (AttemptNumber attempt : {1u, 2u, attempts_max}) {
        seen.insert(output_blob_sequence({ExecutionId{1}, node, item}, attempt));
        ++made;
      }
  }
  EXPECT_EQ(seen.size(), made);
}

TEST(Items, AreAddressable) {
  std::string encoded = encode_items(R"([ 1, "two" , null, [3, 4], {} ])");
  ASSERT_TRUE(items_check(encoded).ok());
  ASSERT_EQ(items_count(encoded), 5u);
  EXPECT_EQ(items_at(encoded, 0), "1");
  EXPECT_EQ(items_at(encoded, 1), "\"two\"");
  EXPECT_EQ(items_at(encoded, 2), "null");
  EXPECT_EQ(items_at(encoded, 3), "[3, 4]");
  EXPECT_EQ(items_at(encoded, 4), "{}");
  EXPECT_EQ(items_count(encode_items("[]")), 0u);
  EXPECT_TRUE(items_check(encode_items("[]")).ok());
}

TEST(Items, DamageIsFound) {
  std::string encoded = encode_items("[10,20,30]");
  for (size_t cut = 0; cut < encoded.size(); ++cut)
    EXPECT_FALSE(items_check(encoded.substr(0, cut)).ok()) << cut;
  EXPECT_FALSE(items_check(encoded + "x").ok());
  for (size_t at = 0; at < items_text_offset(3); ++at) {
    std::string other = encoded;
    other[at] = static_cast<char>(other[at] ^ 0x40);
    EXPECT_FALSE(items_check(other).ok()) << at;
  }
}

TEST(SubmitHash, CountsContentNotPlace) {
  Hash128 definition{1, 2};
  SubmitExecution one;
  one.request_id = "r";
  one.input = Payload::blob({{}, 7, 100'000, {3, 4}});
  SubmitExecution again = one;
  again.input = Payload::blob({{}, 8, 100'000, {3, 4}});
  EXPECT_EQ(submit_hash(one, definition), submit_hash(again, definition));
  again.input = Payload::blob({{}, 7, 100'000, {3, 5}});
  EXPECT_NE(submit_hash(one, definition), submit_hash(again, definition));
  again = one;
  again.labels = "{}";
  EXPECT_NE(submit_hash(one, definition), submit_hash(again, definition));
  EXPECT_NE(submit_hash(one, definition), submit_hash(one, {1, 3}));
}

TEST(Events, KnowTheirExecution) {
  EXPECT_EQ(execution_of(ExecutionParked{{4}}).value, 4u);
  EXPECT_EQ(execution_of(AttemptsGranted{{9}, {{5}, 0, 0, 1}, 1, 1}).value, 5u);
  EXPECT_EQ(execution_of(TaskCancelled{{{6}, 0, 0}, ""}).value, 6u);
  EXPECT_FALSE(execution_of(SessionClosed{{9}, ""}));
  EXPECT_FALSE(execution_of(EpochStarted{}));
  EXPECT_STREQ(name(ExecutionStatus::cancelled), "cancelled");
}

TEST(Ids, EveryExecutionIsOneSlots) {
  for (uint32_t slots : {1u, 2u, 3u, 8u, partitions_max}) {
    std::vector<uint64_t> last(slots, 0);
    for (uint64_t value = 1; value <= 5ULL * slots; ++value) {
      uint32_t owner = slot_of(ExecutionId{value}, slots);
      for (uint32_t slot = 0; slot < slots; ++slot)
        EXPECT_EQ((Slot{slot, slots}.owns(ExecutionId{value})), slot == owner);
      Slot mine{owner, slots};
      EXPECT_EQ(mine.after(last[owner]).value, value) << "ids of a slot come without gaps";
      last[owner] = value;
    }
  }
  EXPECT_FALSE((Slot{0, 4}.owns(ExecutionId{})));
}

}  // namespace
}  // namespace pawl
