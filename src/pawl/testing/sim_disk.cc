#include "pawl/testing/sim_disk.h"

#include <algorithm>

namespace pawl {

namespace {

constexpr uint64_t page_bytes = 4096;
constexpr uint64_t sector_bytes = 512;

Error power_is_off() {
  return Error{Code::unavailable, "the simulated machine has stopped"};
}
Error io_error(const std::string& what) {
  return Error{Code::unknown, "cannot " + what + ": Input/output error"};
}
Error disk_full(const std::string& what) {
  return Error{Code::resource_exhausted, "cannot " + what + ": No space left on device"};
}

using Pages = std::map<uint64_t, std::string>;

// `only_known`: into pages that are there already.
void put(Pages& pages, uint64_t offset, ByteView bytes, bool only_known) {
  while (!bytes.empty()) {
    uint64_t inside = offset % page_bytes;
    uint64_t part = std::min<uint64_t>(page_bytes - inside, bytes.size());
    auto page = pages.find(offset / page_bytes);
    if (page == pages.end() && !only_known)
      page = pages.emplace(offset / page_bytes, std::string(page_bytes, '\0')).first;
    if (page != pages.end()) page->second.replace(inside, part, bytes.substr(0, part));
    offset += part;
    bytes.remove_prefix(part);
  }
}

void put(SimFileContent& content, uint64_t offset, ByteView bytes) {
  content.size = std::max(content.size, offset + bytes.size());
  put(content.pages, offset, bytes, false);
  if (!content.honest.empty()) put(content.honest, offset, bytes, true);
}

// From here on the pages of this range may lie: what they should hold is kept beside them.
void keep_honest(SimFileContent& content, uint64_t offset, uint64_t size) {
  for (uint64_t page = offset / page_bytes; page * page_bytes < offset + size; ++page) {
    auto now = content.pages.find(page);
    content.honest.emplace(
        page, now == content.pages.end() ? std::string(page_bytes, '\0') : now->second);
  }
}

Bytes get(const SimFileContent& content, uint64_t offset, uint64_t size) {
  if (offset >= content.size) return {};
  size = std::min(size, content.size - offset);
  Bytes bytes(size, '\0');
  uint64_t end = offset + size;
  for (auto page = content.pages.lower_bound(offset / page_bytes);
       page != content.pages.end() && page->first * page_bytes < end; ++page) {
    uint64_t page_begin = page->first * page_bytes;
    uint64_t from = std::max(offset, page_begin);
    uint64_t to = std::min(end, page_begin + page_bytes);
    bytes.replace(from - offset, to - from, page->second, from - page_begin, to - from);
  }
  return bytes;
}

}  // namespace

class SimFile final : public File {
 public:
  SimFile(SimDisk& disk, std::string path, std::shared_ptr<SimFileContent> content)
      : disk_(disk), path_(std::move(path)), content_(std::move(content)), life_(disk.life_) {
    disk_.open_files_.push_back(this);
  }
  ~SimFile() override { disk_.forget(*this); }

  Status write(uint64_t offset, ByteView bytes) override {
    PAWL_CHECK(!flying_ && !landed_, "write() while a started write is in flight");
    return disk_.store(*this, offset, bytes);
  }
  void start_write(uint64_t offset, ByteView bytes) override {
    PAWL_CHECK(!flying_ && !landed_, "a second start_write() on one file");
    if (disk_.completion_ == Completion::at_once) {
      landed_ = disk_.store(*this, offset, bytes);
      if (disk_.wake_ != nullptr) disk_.wake_->wake();
      return;
    }
    flying_ = true;
    disk_.flights_.push_back({this, content_, offset, bytes});
  }
  std::optional<Status> poll_write() override {
    std::optional<Status> answer = std::move(landed_);
    landed_.reset();
    return answer;
  }
  Result<Bytes> read(uint64_t offset, uint64_t size) override {
    if (dead()) return power_is_off();
    SimFault fault = disk_.next_fault();
    if (fault == SimFault::crash) {
      disk_.crash();
      return power_is_off();
    }
    if (fault == SimFault::io_error)
      return Error{Code::data_loss, "cannot read " + path_ + ": Input/output error"};
    return get(*content_, offset, size);
  }
  uint64_t size() const override { return content_->size; }

 private:
  friend class SimDisk;
  bool dead() const { return disk_.crashed_ || life_ != disk_.life_; }

  SimDisk& disk_;
  std::string path_;
  std::shared_ptr<SimFileContent> content_;
  uint64_t life_;
  bool poisoned_ = false;
  bool flying_ = false;
  std::optional<Status> landed_;
};

SimDisk::SimDisk(uint64_t seed, Completion completion) : dice_(seed), completion_(completion) {}

SimDisk::~SimDisk() {
  PAWL_CHECK(open_files_.empty(), "files must be closed before their disk");
}

void SimDisk::forget(SimFile& file) {
  std::erase(open_files_, &file);
  std::erase_if(flights_, [&](const Flight& flight) {
    if (flight.file != &file) return false;
    land(*flight.content, flight.offset, flight.bytes, survival_);
    return true;
  });
}

void SimDisk::random_faults(SimFault fault, uint32_t permille) {
  random_[fault] = permille;
}

void SimDisk::calm() {
  planned_.clear();
  random_.clear();
}

SimFault SimDisk::next_fault() {
  ++calls_;
  SimFault fault = SimFault::none;
  if (auto planned = planned_.find(calls_); planned != planned_.end()) {
    fault = planned->second;
    planned_.erase(planned);
  }
  for (auto [kind, permille] : random_)
    if (dice_.chance(permille)) fault = kind;
  if (fault != SimFault::none) ++faults_injected_;
  return fault;
}

uint64_t SimDisk::used() const {
  uint64_t sum = 0;
  for (const auto& [path, content] : files_) sum += content->allocated;
  return sum;
}

Status SimDisk::reserve(SimFileContent& content, uint64_t end) {
  uint64_t wanted = (end + page_bytes - 1) / page_bytes * page_bytes;
  if (wanted <= content.allocated) return {};
  if (used() + wanted - content.allocated > capacity_) return disk_full("allocate");
  content.allocated = wanted;
  return {};
}

void SimDisk::land(SimFileContent& content, uint64_t offset, ByteView bytes, Survival survival) {
  constexpr Survival kinds[] = {Survival::nothing, Survival::everything, Survival::prefix,
                                Survival::sectors};
  if (survival == Survival::random) survival = kinds[dice_.below(4)];
  if (survival == Survival::nothing) return;
  if (survival == Survival::everything) return put(content, offset, bytes);
  uint64_t sectors = (bytes.size() + sector_bytes - 1) / sector_bytes;
  if (survival == Survival::prefix)
    return put(content, offset, bytes.substr(0, dice_.below(sectors + 1) * sector_bytes));
  for (uint64_t i = 0; i < sectors; ++i)
    if (dice_.chance(500))
      put(content, offset + i * sector_bytes, bytes.substr(i * sector_bytes, sector_bytes));
}

void SimDisk::misdirect(SimFileContent& content, uint64_t offset, ByteView bytes) {
  uint64_t blocks = std::max<uint64_t>(content.size / page_bytes, 1);
  uint64_t block = dice_.below(blocks);
  if (block == offset / page_bytes) block = (block + 1) % blocks;
  uint64_t room = content.size - std::min(content.size, block * page_bytes);
  bytes = bytes.substr(0, std::min<uint64_t>(bytes.size(), room));
  keep_honest(content, block * page_bytes, bytes.size());
  put(content.pages, block * page_bytes, bytes, false);
}

bool SimDisk::lied() const {
  for (const auto& [path, content] : files_)
    for (const auto& [page, text] : content->honest) {
      auto now = content->pages.find(page);
      if (now == content->pages.end() || now->second != text) return true;
    }
  return false;
}

void SimDisk::mend() {
  for (auto& [path, content] : files_) {
    for (auto& [page, text] : content->honest) content->pages[page] = std::move(text);
    content->honest.clear();
  }
}

// Acknowledged, and not what is on the disk.
void SimDisk::lie(SimFault how, SimFileContent& content, uint64_t offset, ByteView bytes) {
  keep_honest(content, offset, bytes.size());
  put(content.honest, offset, bytes, true);
  if (how == SimFault::misdirected_write) return misdirect(content, offset, bytes);
  if (how == SimFault::lost_write) return;
  Bytes wrong(bytes);
  uint64_t bit = dice_.below(wrong.size() * 8);
  wrong[bit / 8] = static_cast<char>(wrong[bit / 8] ^ (1 << (bit % 8)));
  content.size = std::max(content.size, offset + wrong.size());
  put(content.pages, offset, wrong, false);
}

Status SimDisk::store(SimFile& file, uint64_t offset, ByteView bytes) {
  if (file.dead()) return power_is_off();
  if (file.poisoned_)
    return Error{Code::failed_precondition, file.path_ + " is poisoned by an earlier error"};
  SimFault fault = next_fault();
  SimFileContent& content = *file.content_;
  Status space = fault == SimFault::disk_full && offset + bytes.size() > content.allocated
                     ? disk_full("write " + file.path_)
                     : reserve(content, offset + bytes.size());
  if (!space.ok()) {
    file.poisoned_ = true;
    return space;
  }
  switch (fault) {
    case SimFault::crash:
      land(content, offset, bytes, survival_);
      crash();
      return power_is_off();
    case SimFault::io_error:
    case SimFault::short_write:
      land(content, offset, bytes,
           fault == SimFault::io_error ? Survival::random : Survival::prefix);
      file.poisoned_ = true;
      return io_error("write " + file.path_);
    case SimFault::lost_write:
    case SimFault::misdirected_write:
    case SimFault::flipped_bit:
      lie(fault, content, offset, bytes);
      return {};
    case SimFault::none:
    case SimFault::disk_full:
      put(content, offset, bytes);
      return {};
  }
  return {};
}

bool SimDisk::complete_one(size_t index) {
  if (index >= flights_.size()) return false;
  Flight flight = flights_[index];
  flights_.erase(flights_.begin() + static_cast<std::ptrdiff_t>(index));
  flight.file->flying_ = false;
  flight.file->landed_ = store(*flight.file, flight.offset, flight.bytes);
  if (wake_ != nullptr) wake_->wake();
  return true;
}

void SimDisk::complete_all() {
  while (complete_one()) {
  }
}

void SimDisk::crash() {
  if (crashed_) return;
  crashed_ = true;
  for (Flight& flight : flights_) {
    land(*flight.content, flight.offset, flight.bytes, survival_);
    flight.file->flying_ = false;
    flight.file->landed_ = Status(power_is_off());
  }
  flights_.clear();
}

void SimDisk::restart() {
  crash();
  crashed_ = false;
  ++life_;
}

// The fate of a directory change: whether it goes on at all, by `fault`.
Status SimDisk::directory_call(SimFault& fault, const std::string& what) {
  if (crashed_) return power_is_off();
  fault = next_fault();
  if (fault == SimFault::disk_full) return disk_full(what);
  return {};
}

// A change in which the machine stopped or the directory sync failed has happened or not.
bool SimDisk::happened_despite(SimFault fault) {
  if (fault == SimFault::crash || fault == SimFault::io_error) return dice_.chance(500);
  return true;
}

Result<std::unique_ptr<File>> SimDisk::create(const std::string& path, uint64_t size) {
  SimFault fault = SimFault::none;
  PAWL_TRY(directory_call(fault, "create " + path));
  if (files_.contains(path))
    return Error{Code::already_exists, "cannot create " + path + ": File exists"};
  auto content = std::make_shared<SimFileContent>();
  PAWL_TRY(reserve(*content, size));
  content->size = size;
  if (fault == SimFault::crash && dice_.chance(500)) content->size = content->allocated = 0;
  if (happened_despite(fault)) files_[path] = content;
  if (fault == SimFault::crash) {
    crash();
    return power_is_off();
  }
  if (fault == SimFault::io_error) return io_error("create " + path);
  return std::unique_ptr<File>(std::make_unique<SimFile>(*this, path, std::move(content)));
}

Result<std::unique_ptr<File>> SimDisk::open(const std::string& path) {
  SimFault fault = SimFault::none;
  if (crashed_) return power_is_off();
  fault = next_fault();
  if (fault == SimFault::crash) {
    crash();
    return power_is_off();
  }
  if (fault == SimFault::io_error)
    return Error{Code::resource_exhausted, "cannot open " + path + ": Too many open files"};
  auto found = files_.find(path);
  if (found == files_.end())
    return Error{Code::not_found, "cannot open " + path + ": No such file or directory"};
  return std::unique_ptr<File>(std::make_unique<SimFile>(*this, path, found->second));
}

Status SimDisk::publish(const std::string& temporary, const std::string& final_name) {
  SimFault fault = SimFault::none;
  PAWL_TRY(directory_call(fault, "rename " + temporary));
  auto found = files_.find(temporary);
  if (found == files_.end())
    return Error{Code::not_found, "cannot rename " + temporary + ": No such file or directory"};
  if (happened_despite(fault)) {
    auto content = found->second;
    files_.erase(found);
    files_[final_name] = std::move(content);
  }
  if (fault == SimFault::crash) {
    crash();
    return power_is_off();
  }
  if (fault == SimFault::io_error) return io_error("rename " + temporary);
  return {};
}

Status SimDisk::remove(const std::string& path) {
  SimFault fault = SimFault::none;
  if (crashed_) return power_is_off();
  fault = next_fault();
  if (happened_despite(fault)) files_.erase(path);
  if (fault == SimFault::crash) {
    crash();
    return power_is_off();
  }
  if (fault == SimFault::io_error) return io_error("remove " + path);
  return {};
}

// Directories exist as soon as they are named.
Status SimDisk::make_directory(const std::string& path) {
  SimFault fault = SimFault::none;
  PAWL_TRY(directory_call(fault, "create directory " + path));
  if (fault == SimFault::crash) {
    crash();
    return power_is_off();
  }
  if (fault == SimFault::io_error) return io_error("create directory " + path);
  return {};
}

Result<std::vector<std::string>> SimDisk::list(const std::string& directory) {
  if (crashed_) return power_is_off();
  SimFault fault = next_fault();
  if (fault == SimFault::crash) {
    crash();
    return power_is_off();
  }
  if (fault == SimFault::io_error) return io_error("list " + directory);
  std::string prefix = directory.empty() ? "" : directory + "/";
  std::vector<std::string> names;
  for (const auto& [path, content] : files_) {
    if (!path.starts_with(prefix)) continue;
    std::string name = path.substr(prefix.size());
    name = name.substr(0, name.find('/'));
    if (names.empty() || names.back() != name) names.push_back(std::move(name));
  }
  return names;
}

Result<uint64_t> SimDisk::free_bytes() {
  if (crashed_) return power_is_off();
  uint64_t taken = used();
  return taken > capacity_ ? 0 : capacity_ - taken;
}

std::vector<std::string> SimDisk::files() const {
  std::vector<std::string> names;
  for (const auto& [path, content] : files_) names.push_back(path);
  return names;
}

uint64_t SimDisk::file_size(const std::string& path) const {
  return files_.at(path)->size;
}

void SimDisk::flip_bit(const std::string& path, uint64_t offset, uint32_t bit) {
  Bytes byte = content(path, offset, 1);
  PAWL_CHECK(byte.size() == 1 && bit < 8, "flip_bit() outside the file");
  byte[0] = static_cast<char>(byte[0] ^ (1 << bit));
  overwrite(path, offset, byte);
}

void SimDisk::overwrite(const std::string& path, uint64_t offset, ByteView bytes) {
  put(*files_.at(path), offset, bytes);
}

Bytes SimDisk::content(const std::string& path, uint64_t offset, uint64_t size) const {
  return get(*files_.at(path), offset, size);
}

void SimDisk::truncate(const std::string& path, uint64_t size) {
  SimFileContent& content = *files_.at(path);
  content.size = size;
  content.pages.erase(content.pages.upper_bound(size / page_bytes), content.pages.end());
  if (auto last = content.pages.find(size / page_bytes); last != content.pages.end())
    std::fill(last->second.begin() + static_cast<std::ptrdiff_t>(size % page_bytes),
              last->second.end(), '\0');
}

void SimDisk::erase(const std::string& path) {
  files_.erase(path);
}

SimDisk::Image SimDisk::image() const {
  Image image;
  for (const auto& [path, content] : files_) image[path] = *content;
  return image;
}

void SimDisk::restore(const Image& image) {
  files_.clear();
  for (const auto& [path, content] : image)
    files_[path] = std::make_shared<SimFileContent>(content);
}

}  // namespace pawl
