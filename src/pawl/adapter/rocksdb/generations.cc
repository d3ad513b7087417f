#include "pawl/adapter/rocksdb/generations.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <thread>

namespace pawl {
namespace {

namespace fs = std::filesystem;

constexpr int format_version = 1;
const std::string generation_prefix = "gen-";
const std::string format_intro = "pawl-view ";

Error error_from(int number, const std::string& doing, const std::string& path) {
  Code code = Code::unavailable;
  if (number == ENOSPC || number == EDQUOT) code = Code::resource_exhausted;
  if (number == EACCES || number == EPERM || number == EROFS) code = Code::permission_denied;
  if (number == ENOENT) code = Code::data_loss;
  return {code, path + ": cannot " + doing + ": " + std::strerror(number)};
}

Status sync_path(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return error_from(errno, "open it to sync", path);
  const int failed = ::fsync(descriptor) == 0 ? 0 : errno;
  ::close(descriptor);
  if (failed != 0) return error_from(failed, "sync it", path);
  return {};
}

Result<std::vector<std::string>> names_in(const std::string& directory) {
  std::error_code failed;
  std::vector<std::string> names;
  for (fs::directory_iterator at(directory, failed), end; !failed && at != end;
       at.increment(failed)) {
    names.push_back(at->path().filename().string());
  }
  if (failed) return error_from(failed.value(), "list it", directory);
  std::sort(names.begin(), names.end());
  return names;
}

Status remove_tree(const std::string& path) {
  std::error_code failed;
  fs::remove_all(path, failed);
  if (failed) return error_from(failed.value(), "remove it", path);
  return {};
}

bool is_table(const std::string& name) {
  return name.ends_with(".sst");
}

// gen-00000000000000000017 -> 17
std::optional<uint64_t> position_of(const std::string& name) {
  if (!name.starts_with(generation_prefix)) return std::nullopt;
  uint64_t position = 0;
  const char* end = name.data() + name.size();
  auto parsed = std::from_chars(name.data() + generation_prefix.size(), end, position);
  if (parsed.ec != std::errc() || parsed.ptr != end || position == 0) return std::nullopt;
  return position;
}

Status write_format(const std::string& generation) {
  const std::string path = generation + "/FORMAT";
  std::ofstream out(path, std::ios::trunc);
  out << format_intro << format_version << '\n';
  out.close();
  if (!out) return Error{Code::unavailable, path + ": cannot write it"};
  return {};
}

}  // namespace

std::string Generations::path(uint64_t position) const {
  const std::string digits = std::to_string(position);
  return directory_ + "/" + generation_prefix + std::string(20 - digits.size(), '0') + digits;
}

Status Generations::open() {
  std::error_code failed;
  fs::create_directories(directory_, failed);
  if (failed) return error_from(failed.value(), "make the directory", directory_);
  if (::access(directory_.c_str(), W_OK | X_OK) != 0) {
    return error_from(errno, "write to the directory", directory_);
  }
  return look();
}

Status Generations::look() {
  positions_.clear();
  std::error_code failed;
  if (!fs::exists(directory_, failed) && !failed) return {};
  PAWL_ASSIGN(const std::vector<std::string> names, names_in(directory_));
  for (const std::string& name : names) {
    if (auto position = position_of(name)) positions_.push_back(*position);
  }
  std::sort(positions_.begin(), positions_.end());
  if (positions_.empty()) return {};
  // A damaged generation is for verify() to find; only a newer writer stops the program here.
  Status newest = check_format(path(positions_.back()));
  if (!newest.ok() && newest.error().code == Code::failed_precondition) return newest;
  return {};
}

Status Generations::check_format(const std::string& generation) const {
  const std::string path = generation + "/FORMAT";
  std::ifstream in(path);
  std::string line;
  if (!std::getline(in, line)) return Error{Code::data_loss, path + ": missing or empty"};
  int version = 0;
  const char* end = line.data() + line.size();
  if (line.starts_with(format_intro)) {
    auto parsed = std::from_chars(line.data() + format_intro.size(), end, version);
    if (parsed.ec != std::errc() || parsed.ptr != end) version = 0;
  }
  if (version < 1) return Error{Code::data_loss, path + ": not a format line: '" + line + "'"};
  if (version > format_version) {
    return Error{Code::failed_precondition,
                 path + ": written in format " + std::to_string(version) +
                     ", this program reads up to " + std::to_string(format_version) +
                     "; run the newer pawl that wrote it"};
  }
  return {};
}

Status Generations::check_files(const std::string& generation, ReadFrom from, unsigned threads) {
  PAWL_TRY(check_format(generation));
  PAWL_ASSIGN(const std::vector<std::string> names, names_in(generation));
  std::vector<std::string> fresh;
  for (const std::string& name : names) {
    if (is_table(name) && !verified_tables_.contains(name)) fresh.push_back(name);
  }
  std::vector<Status> verdicts(fresh.size());
  std::atomic<size_t> next{0};
  auto verify_some = [&] {
    for (size_t i; (i = next++) < fresh.size();)
      verdicts[i] = verify_table(generation + "/" + fresh[i], from);
  };
  std::vector<std::thread> others(std::min<size_t>(std::max(threads, 1u), fresh.size() + 1) - 1);
  for (std::thread& other : others) other = std::thread(verify_some);
  verify_some();
  for (std::thread& other : others) other.join();
  for (size_t i = 0; i < fresh.size(); ++i) {
    PAWL_TRY(std::move(verdicts[i]));
    if (from == ReadFrom::medium) verified_tables_.insert(fresh[i]);
  }
  std::erase_if(verified_tables_, [&names](const std::string& name) {
    return !std::binary_search(names.begin(), names.end(), name);
  });
  return {};
}

Status Generations::verify(uint64_t position, ReadFrom from) {
  verified_tables_.clear();
  const std::string generation = path(position);
  PAWL_TRY(check_files(generation, from, std::thread::hardware_concurrency()));
  PAWL_ASSIGN(const uint64_t found, verify_store(generation));
  if (found != position) {
    return Error{Code::data_loss,
                 generation + ": holds position " + std::to_string(found) + " instead"};
  }
  return {};
}

Status Generations::clear_live() {
  return remove_tree(live());
}

// RocksDB stages a checkpoint beside its final name.
Status Generations::clear_making() {
  PAWL_TRY(remove_tree(making() + ".tmp"));
  return remove_tree(making());
}

Status Generations::copy_to_live(uint64_t position) {
  PAWL_TRY(clear_live());
  const std::string from = path(position);
  PAWL_ASSIGN(const std::vector<std::string> names, names_in(from));
  std::error_code failed;
  fs::create_directory(live(), failed);
  if (failed) return error_from(failed.value(), "make the directory", live());
  for (const std::string& name : names) {
    const std::string source = from + "/" + name;
    const std::string target = live() + "/" + name;
    if (is_table(name)) {
      fs::create_hard_link(source, target, failed);
      if (!failed) continue;  // else a file system without links: copy
    }
    fs::copy_file(source, target, failed);
    if (failed) return error_from(failed.value(), "copy it to live/", source);
  }
  return {};
}

Status Generations::publish(uint64_t position, const std::vector<uint64_t>& keep) {
  PAWL_TRY(write_format(making()));
  PAWL_ASSIGN(const std::vector<std::string> files, names_in(making()));
  for (const std::string& name : files) PAWL_TRY(sync_path(making() + "/" + name));
  PAWL_TRY(sync_path(making()));
  PAWL_TRY(check_files(making(), ReadFrom::medium, 1));
  PAWL_ASSIGN(const uint64_t found, verify_store(making()));
  if (found != position) {
    return Error{Code::data_loss, making() + ": read back position " + std::to_string(found) +
                                      " instead of " + std::to_string(position)};
  }
  // One that did not verify may stand in the way under the same name.
  PAWL_TRY(remove_tree(path(position)));
  std::error_code failed;
  fs::rename(making(), path(position), failed);
  if (failed) return error_from(failed.value(), "name the generation", path(position));
  PAWL_TRY(sync_path(directory_));

  positions_.push_back(position);
  std::vector<uint64_t> kept;
  for (uint64_t old : positions_) {
    const bool wanted = old == position || std::find(keep.begin(), keep.end(), old) != keep.end();
    if (wanted && (kept.empty() || kept.back() != old)) kept.push_back(old);
    if (!wanted) PAWL_TRY(remove_tree(path(old)));
  }
  positions_ = std::move(kept);
  return {};
}

}  // namespace pawl
