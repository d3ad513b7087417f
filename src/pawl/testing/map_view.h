// port/view.h over std::map, with the durability of a real one: what no completed seal covers is
// lost in a crash. Nothing happens by itself; the owner (a test, the simulator) says when the batch
// in flight completes, and what a crash does to it. The same calls give the same states.
//
//   MapView view;
//   view.submit({.position = 7, .puts = {{"k", "v"}}, .seal = true});
//   view.complete_one();                     // applied and sealed; view.poll() says so
//   view.submit({.position = 9, .deletes = {"k"}});
//   view.complete_one();                     // position() is 9, "k" is gone
//   view.crash(MapView::InFlight::lost);     // position() is 7, "k" is back
//
// The checkpoints are one full image and two lists of batches above it, so that a seal costs as
// much as what changed since the last one; only a crash copies an image.
#pragma once

#include <map>

#include "pawl/port/view.h"

namespace pawl {

class MapView final : public View {
 public:
  // A crash may meet a batch before it did anything, or after it was done and before it answered.
  enum class InFlight : uint8_t { lost, done };

  uint64_t position() const override { return live_.position; }
  uint64_t trim_position() const override { return checkpoints_ == 2 ? older_.position : 0; }
  void submit(ViewBatch batch) override;
  void submit_again() override;
  std::optional<Status> poll() override;
  Result<std::optional<Bytes>> get(ByteView key) override;
  std::unique_ptr<ViewCursor> scan(ByteView from, ByteView to) override;

  bool busy() const { return in_flight_.has_value(); }
  void complete_one();  // nothing if no batch is in flight
  // The batch in flight answers with `error` and changes nothing; submit_again() finds it.
  void fail_one(Error error);
  // Power loss and opening again: the newest undamaged checkpoint, or the empty view at position 0.
  void crash(InFlight fate);
  // The newest checkpoint, if any, will not verify when it is opened after the next crash.
  void corrupt_newest() { newest_damaged_ = checkpoints_ > 0; }
  uint64_t newest_checkpoint() const;  // its position; 0 if none

 private:
  using Map = std::map<Bytes, Bytes, std::less<>>;
  struct Image {
    Map entries;
    uint64_t position = 0;
  };
  static void apply(Image& image, const ViewBatch& batch);
  void carry_out(ViewBatch batch);
  void seal();

  Image live_;
  Image older_;                     // the older checkpoint; the only one if between_ is empty
  std::vector<ViewBatch> between_;  // older to newest checkpoint
  std::vector<ViewBatch> since_;    // newest checkpoint to live
  int checkpoints_ = 0;             // 0, 1 or 2
  bool newest_damaged_ = false;
  std::optional<ViewBatch> in_flight_;
  std::optional<ViewBatch> failed_;
  std::optional<Status> answer_;
};

}  // namespace pawl
