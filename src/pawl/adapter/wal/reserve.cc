#include "pawl/adapter/wal/reserve.h"

#include <algorithm>

namespace pawl::wal {

namespace {

constexpr const char* ballast_name = "ballast";
constexpr std::string_view spare_prefix = "spare-";

}  // namespace

Status Reserve::adopt() {
  PAWL_ASSIGN(std::vector<std::string> names, disk_.list(directory_));
  for (const std::string& name : names) {
    if (name != ballast_name && !name.starts_with(spare_prefix)) continue;
    PAWL_ASSIGN(std::unique_ptr<File> file, disk_.open(path(name)));
    bool ballast = name == ballast_name;
    if (file->size() != (ballast ? options_.ballast_bytes : options_.segment_bytes)) {
      file.reset();
      PAWL_TRY(disk_.remove(path(name)));  // of other options, or cut off by a crash
    } else if (ballast) {
      ballast_ = true;
    } else {
      spares_.push_back({path(name), std::move(file)});
    }
  }
  // A fresh number, so that no new spare meets an old name.
  for (const Spare& spare : spares_) {
    uint64_t number = 0;
    for (char c : spare.path.substr(path(std::string(spare_prefix)).size()))
      if (c >= '0' && c <= '9') number = number * 10 + static_cast<uint64_t>(c - '0');
    next_spare_ = std::max(next_spare_, number + 1);
  }
  return {};
}

Result<std::unique_ptr<File>> Reserve::take(const std::string& final_path, uint64_t size) {
  if (size == options_.segment_bytes && !spares_.empty()) {
    Spare& spare = spares_.back();
    PAWL_TRY(disk_.publish(spare.path, final_path));
    std::unique_ptr<File> file = std::move(spare.file);
    spares_.pop_back();
    if (file) return file;
    return disk_.open(final_path);
  }
  Result<std::unique_ptr<File>> file = disk_.create(final_path, size);
  if (file.ok() || file.error().code != Code::resource_exhausted || !ballast_) return file;
  PAWL_TRY(disk_.remove(path(ballast_name)));
  ballast_ = false;
  return disk_.create(final_path, size);
}

Status Reserve::give_back(const std::string& file_path, uint64_t size) {
  if (size != options_.segment_bytes || spares_.size() >= options_.spares_max)
    return disk_.remove(file_path);
  std::string spare = path(std::string(spare_prefix) + std::to_string(next_spare_++));
  PAWL_TRY(disk_.publish(file_path, spare));
  spares_.push_back({std::move(spare), nullptr});
  return {};
}

// Failing is normal here (the disk is full): judge() tells the consequences.
void Reserve::replenish() {
  if (spares_.empty()) {
    std::string spare = path(std::string(spare_prefix) + std::to_string(next_spare_++));
    auto file = disk_.create(spare, options_.segment_bytes);
    if (!file.ok()) return;
    spares_.push_back({std::move(spare), std::move(file).value()});
  }
  if (!ballast_) ballast_ = disk_.create(path(ballast_name), options_.ballast_bytes).ok();
}

DiskSpace Reserve::judge() {
  Result<uint64_t> free = disk_.free_bytes();
  if (!free.ok() || !complete() || *free < options_.hard_free_bytes) return DiskSpace::hard;
  return *free < options_.soft_free_bytes ? DiskSpace::soft : DiskSpace::plenty;
}

}  // namespace pawl::wal
