// The outputs of a node: one payload, or one per item in item order.
//
//   ItemOutputs outputs(3);  outputs.set(1, Payload::inline_json("7"));
//   outputs.get(0) -> absent (reads as null)
//
// Memory: 4 bytes per item plus the text, in pages of 1,024 items that exist only where something
// other than null was stored. Written by the partition alone, until its node ends; immutable after.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "pawl/model/ids.h"
#include "pawl/model/payload.h"

namespace pawl {

class ItemOutputs {
 public:
  explicit ItemOutputs(uint32_t count);
  ~ItemOutputs();
  ItemOutputs(ItemOutputs&&) noexcept;
  ItemOutputs& operator=(ItemOutputs&&) noexcept;

  static constexpr uint32_t page_items = 1024;

  uint32_t count() const { return count_; }
  void set(ItemIndex item, const Payload& value);  // once per item
  Payload get(ItemIndex item) const;
  uint64_t bytes() const { return bytes_; }  // of all values, for limits

  // Pages as the checkpoint stores them; an empty encoding is a page of nulls.
  class FrozenPage;
  uint32_t pages() const { return static_cast<uint32_t>(pages_.size()); }
  void encode_page(uint32_t page, ByteWriter& out) const;
  bool decode_page(uint32_t page, ByteReader& in);
  // A page as it is at this moment, at no cost: whoever writes to it afterwards copies it first.
  FrozenPage freeze_page(uint32_t page) const;

 private:
  struct Page;
  uint32_t count_;
  uint64_t bytes_ = 0;
  std::vector<std::shared_ptr<Page>> pages_;
};

// Belongs to the thread that writes the outputs.
class ItemOutputs::FrozenPage {
 public:
  void encode(ByteWriter& out) const;

 private:
  friend class ItemOutputs;
  FrozenPage(std::shared_ptr<const Page> page, uint32_t items)
      : page_(std::move(page)), items_(items) {}
  std::shared_ptr<const Page> page_;  // null: nothing but nulls
  uint32_t items_;
};

// `mapped` null: a plain node.
struct NodeOutput {
  NodeIndex node = 0;
  Payload value;
  std::shared_ptr<const ItemOutputs> mapped;
};

}  // namespace pawl
