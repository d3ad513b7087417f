#include "pawl/testing/map_view.h"

namespace pawl {
namespace {

class MapCursor final : public ViewCursor {
 public:
  using Iterator = std::map<Bytes, Bytes, std::less<>>::const_iterator;
  MapCursor(Iterator at, Iterator end) : at_(at), end_(end) {}
  bool valid() const override { return at_ != end_; }
  ByteView key() const override { return at_->first; }
  ByteView value() const override { return at_->second; }
  void next() override { ++at_; }
  Status status() const override { return {}; }

 private:
  Iterator at_;
  Iterator end_;
};

}  // namespace

void MapView::apply(Image& image, const ViewBatch& batch) {
  for (const auto& [from, to] : batch.delete_ranges) {
    if (from < to)
      image.entries.erase(image.entries.lower_bound(from), image.entries.lower_bound(to));
  }
  for (const Bytes& key : batch.deletes) image.entries.erase(key);
  for (const auto& [key, value] : batch.puts) image.entries[key] = value;
  image.position = batch.position;
}

void MapView::submit(ViewBatch batch) {
  PAWL_CHECK(!in_flight_ && !answer_, "a view batch while another is in flight");
  PAWL_CHECK(batch.may_follow(live_.position), "view positions must ascend");
  in_flight_ = std::move(batch);
  failed_.reset();
}

void MapView::submit_again() {
  PAWL_CHECK(failed_ && !in_flight_ && !answer_, "only a batch that has failed is tried again");
  in_flight_ = std::exchange(failed_, std::nullopt);
}

void MapView::carry_out(ViewBatch batch) {
  const bool sealing = batch.seal;
  apply(live_, batch);
  since_.push_back(std::move(batch));
  if (sealing && live_.position != newest_checkpoint()) seal();
}

void MapView::seal() {
  for (const ViewBatch& batch : between_) apply(older_, batch);
  between_ = std::move(since_);
  since_.clear();
  checkpoints_ = checkpoints_ == 0 ? 1 : 2;
  newest_damaged_ = false;
}

uint64_t MapView::newest_checkpoint() const {
  return between_.empty() ? older_.position : between_.back().position;
}

void MapView::complete_one() {
  if (!in_flight_) return;
  carry_out(std::move(*in_flight_));
  in_flight_.reset();
  answer_ = Status();
}

void MapView::fail_one(Error error) {
  if (!in_flight_) return;
  failed_ = std::exchange(in_flight_, std::nullopt);
  answer_ = Status(std::move(error));
}

std::optional<Status> MapView::poll() {
  std::optional<Status> answer = std::move(answer_);
  answer_.reset();
  return answer;
}

void MapView::crash(InFlight fate) {
  if (in_flight_ && fate == InFlight::done) carry_out(std::move(*in_flight_));
  in_flight_.reset();
  failed_.reset();
  answer_.reset();
  since_.clear();
  if (newest_damaged_) {
    // With one checkpoint, older_ is the empty view unless it has itself been fallen back to.
    if (checkpoints_ == 1) older_ = Image{};
    between_.clear();
    --checkpoints_;
    newest_damaged_ = false;
  }
  live_ = older_;
  for (const ViewBatch& batch : between_) apply(live_, batch);
}

Result<std::optional<Bytes>> MapView::get(ByteView key) {
  auto found = live_.entries.find(key);
  if (found == live_.entries.end()) return std::optional<Bytes>();
  return std::optional<Bytes>(found->second);
}

std::unique_ptr<ViewCursor> MapView::scan(ByteView from, ByteView to) {
  auto begin = live_.entries.lower_bound(from);
  auto end = from < to ? live_.entries.lower_bound(to) : begin;
  return std::make_unique<MapCursor>(begin, end);
}

}  // namespace pawl
