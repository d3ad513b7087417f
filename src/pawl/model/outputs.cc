#include "pawl/model/outputs.h"

#include <array>

#include "pawl/base/check.h"

namespace pawl {

// `place[i]` is 1 + where the encoded payload of item i begins in `text`; 0 is null. Values lie in
// the order in which they came; only the encoding puts them in item order.
struct ItemOutputs::Page {
  std::array<uint32_t, page_items> place{};
  Bytes text;

  Payload at(uint32_t slot) const {
    if (place[slot] == 0) return {};
    ByteReader in(ByteView(text).substr(place[slot] - 1));
    return Payload::decode(in);
  }
};

ItemOutputs::ItemOutputs(uint32_t count)
    : count_(count), pages_((uint64_t{count} + page_items - 1) / page_items) {}
ItemOutputs::~ItemOutputs() = default;
ItemOutputs::ItemOutputs(ItemOutputs&&) noexcept = default;
ItemOutputs& ItemOutputs::operator=(ItemOutputs&&) noexcept = default;

void ItemOutputs::set(ItemIndex item, const Payload& value) {
  PAWL_CHECK(item < count_, "an output for an item that does not exist");
  if (value.is_absent()) return;
  std::shared_ptr<Page>& page = pages_[item / page_items];
  if (!page) page = std::make_shared<Page>();
  if (page.use_count() > 1) page = std::make_shared<Page>(*page);  // frozen
  PAWL_CHECK(page->place[item % page_items] == 0, "a second output for one item");
  PAWL_CHECK(page->text.size() < UINT32_MAX, "a page of outputs above 4 GiB");
  page->place[item % page_items] = static_cast<uint32_t>(page->text.size() + 1);
  ByteWriter out;
  value.encode(out);
  page->text.append(out.view());
  bytes_ += value.size();
}

Payload ItemOutputs::get(ItemIndex item) const {
  PAWL_CHECK(item < count_, "the output of an item that does not exist");
  const Page* page = pages_[item / page_items].get();
  return page == nullptr ? Payload() : page->at(item % page_items);
}

ItemOutputs::FrozenPage ItemOutputs::freeze_page(uint32_t page) const {
  return {pages_[page], std::min(page_items, count_ - page * page_items)};
}

void ItemOutputs::encode_page(uint32_t page, ByteWriter& out) const {
  freeze_page(page).encode(out);
}

void ItemOutputs::FrozenPage::encode(ByteWriter& out) const {
  if (page_ == nullptr) return;
  for (uint32_t slot = 0; slot < items_; ++slot) page_->at(slot).encode(out);
}

bool ItemOutputs::decode_page(uint32_t page, ByteReader& in) {
  uint32_t first = page * page_items;
  uint32_t items = std::min(page_items, count_ - first);
  for (uint32_t slot = 0; pages_[page] && slot < items; ++slot)
    bytes_ -= pages_[page]->at(slot).size();
  pages_[page].reset();
  if (in.at_end()) return in.ok();
  for (uint32_t slot = 0; slot < items && in.ok(); ++slot) set(first + slot, Payload::decode(in));
  return in.ok();
}

}  // namespace pawl
