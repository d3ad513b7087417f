#include "pawl/testing/map_view.h"

#include "pawl/testing/contract/view_contract.h"

namespace pawl {
namespace {

class MapViewHarness final : public ViewHarness {
 public:
  View& view() override { return view_; }
  void finish() override { view_.complete_one(); }
  void power_cut() override { view_.crash(MapView::InFlight::lost); }
  void power_cut_with_damage() override {
    view_.corrupt_newest();
    power_cut();
  }

 private:
  MapView view_;
};

std::unique_ptr<ViewHarness> make() {
  return std::make_unique<MapViewHarness>();
}
INSTANTIATE_TEST_SUITE_P(Map, ViewContract, testing::Values(&make));

ViewBatch sealed(uint64_t position) {
  ViewBatch batch;
  batch.position = position;
  batch.puts = {{"at", std::to_string(position)}};
  batch.seal = true;
  return batch;
}

TEST(MapView, NothingHappensBeforeTheOwnerSaysSo) {
  MapView view;
  view.submit(sealed(1));
  EXPECT_TRUE(view.busy());
  EXPECT_FALSE(view.poll().has_value());
  EXPECT_EQ(view.position(), 0u);
  view.complete_one();
  EXPECT_FALSE(view.busy());
  EXPECT_EQ(view.position(), 1u);
  EXPECT_TRUE(view.poll()->ok());
}

TEST(MapView, ACrashMeetsTheBatchBeforeOrAfterItsWork) {
  MapView view;
  view.submit(sealed(1));
  view.crash(MapView::InFlight::lost);
  EXPECT_EQ(view.position(), 0u);
  view.submit(sealed(1));
  view.crash(MapView::InFlight::done);
  EXPECT_EQ(view.position(), 1u);
  EXPECT_FALSE(view.poll().has_value()) << "the answer died with the process";
}

TEST(MapView, AFailedBatchChangesNothingAndMayBeTriedAgain) {
  MapView view;
  view.submit(sealed(1));
  view.fail_one(Error{Code::resource_exhausted, "no space left"});
  EXPECT_EQ(view.poll()->error().code, Code::resource_exhausted);
  EXPECT_EQ(view.position(), 0u);
  view.submit_again();
  view.complete_one();
  EXPECT_TRUE(view.poll()->ok());
  EXPECT_EQ(view.position(), 1u);
  EXPECT_EQ(*view.get("at").value(), "1");
}

TEST(MapView, DamageBelongsToOneCheckpoint) {
  MapView view;
  for (uint64_t position : {1, 2}) {
    view.submit(sealed(position));
    view.complete_one();
    ASSERT_TRUE(view.poll()->ok());
  }
  view.corrupt_newest();
  view.submit(sealed(3));
  view.complete_one();
  ASSERT_TRUE(view.poll()->ok());
  view.crash(MapView::InFlight::lost);
  EXPECT_EQ(view.position(), 3u);
  EXPECT_EQ(view.newest_checkpoint(), 3u);
}

}  // namespace
}  // namespace pawl
