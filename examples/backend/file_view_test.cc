#include "file_view.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "pawl/testing/contract/view_contract.h"

namespace backend_example {
namespace {

namespace fs = std::filesystem;

class FileViewHarness final : public pawl::ViewHarness {
 public:
  FileViewHarness() {
    std::string name = (fs::temp_directory_path() / "pawl-backend-XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
    power_cut();
  }
  ~FileViewHarness() override { fs::remove_all(directory_); }
  pawl::View& view() override { return *view_; }
  void finish() override {}
  void power_cut() override {
    auto opened = FileView::open(directory_);
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    view_ = std::move(*opened);
  }
  void power_cut_with_damage() override {
    uint64_t newest = 0;
    for (const auto& entry : fs::directory_iterator(directory_)) {
      newest = std::max(newest, uint64_t{std::stoull(entry.path().filename().string().substr(6))});
    }
    std::fstream image(directory_ + "/image-" + std::to_string(newest),
                       std::ios::in | std::ios::out | std::ios::binary);
    image.seekp(9);
    image.put('\xee');
    image.close();
    power_cut();
  }

 private:
  std::string directory_;
  std::unique_ptr<FileView> view_;
};

std::unique_ptr<pawl::ViewHarness> make() {
  return std::make_unique<FileViewHarness>();
}

}  // namespace
}  // namespace backend_example

namespace pawl {
INSTANTIATE_TEST_SUITE_P(PlainFiles, ViewContract, testing::Values(&backend_example::make));
}  // namespace pawl
