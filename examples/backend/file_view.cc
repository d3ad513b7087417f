#include "file_view.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "pawl/base/bytes.h"
#include "pawl/base/hash.h"

namespace backend_example {
namespace {

namespace fs = std::filesystem;
using pawl::Bytes;
using pawl::ByteView;
using pawl::Code;
using pawl::Error;
using pawl::Status;

Error io_error(const std::string& path) {
  return {errno == ENOSPC ? Code::resource_exhausted : Code::unavailable,
          path + ": " + std::strerror(errno)};
}

// Writes (or, without bytes, only opens) and syncs.
Status sync(const std::string& path, int flags, ByteView bytes) {
  const int descriptor = ::open(path.c_str(), flags | O_CLOEXEC, 0644);
  if (descriptor < 0) return io_error(path);
  Status done;
  while (!bytes.empty() && done.ok()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno != EINTR) done = io_error(path);
    } else {
      bytes.remove_prefix(static_cast<size_t>(written));
    }
  }
  if (done.ok() && ::fsync(descriptor) != 0) done = io_error(path);
  ::close(descriptor);
  return done;
}

class Cursor final : public pawl::ViewCursor {
 public:
  using Iterator = std::map<Bytes, Bytes, std::less<>>::const_iterator;
  Cursor(Iterator at, Iterator end) : at_(at), end_(end) {}
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

std::string FileView::path(uint64_t position) const {
  return directory_ + "/image-" + std::to_string(position);
}

pawl::Result<std::unique_ptr<FileView>> FileView::open(const std::string& directory) {
  std::error_code failed;
  fs::create_directories(directory, failed);
  std::unique_ptr<FileView> view(new FileView(directory));
  std::vector<uint64_t> found;
  for (fs::directory_iterator at(directory, failed), end; !failed && at != end;
       at.increment(failed)) {
    const std::string name = at->path().filename().string();
    if (name.starts_with("image-")) found.push_back(std::strtoull(name.c_str() + 6, nullptr, 10));
  }
  if (failed) return Error{Code::unavailable, directory + ": " + failed.message()};
  std::sort(found.begin(), found.end());
  while (!found.empty() && !view->load(found.back(), view->entries_).ok()) found.pop_back();
  if (found.empty()) return view;
  view->position_ = found.back();
  if (found.size() > 2) found.erase(found.begin(), found.end() - 2);
  view->images_ = std::move(found);
  return view;
}

Status FileView::load(uint64_t position, Entries& entries) const {
  std::ifstream file(path(position), std::ios::binary);
  const Bytes content((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const Error damaged{Code::data_loss, path(position) + ": damaged"};
  if (content.size() < 4) return damaged;
  const ByteView body = ByteView(content).substr(0, content.size() - 4);
  if (pawl::ByteReader(ByteView(content).substr(body.size())).u32() != pawl::crc32c(body)) {
    return damaged;
  }
  pawl::ByteReader in(body);
  Entries read;
  if (in.u64() != position) return damaged;
  for (uint64_t rest = in.count(); rest > 0; --rest) {
    const std::string_view key = in.text();
    read.emplace(key, in.text());
  }
  if (!in.ok() || !in.at_end()) return damaged;
  entries = std::move(read);
  return {};
}

Status FileView::seal() {
  if (!images_.empty() && images_.back() == position_) return {};
  pawl::ByteWriter out;
  out.u64(position_);
  out.varint(entries_.size());
  for (const auto& [key, value] : entries_) {
    out.text(key);
    out.text(value);
  }
  out.u32(pawl::crc32c(out.view()));
  const std::string making = directory_ + "/making";
  PAWL_TRY(sync(making, O_WRONLY | O_CREAT | O_TRUNC, out.view()));
  if (::rename(making.c_str(), path(position_).c_str()) != 0) return io_error(making);
  PAWL_TRY(sync(directory_, O_RDONLY, {}));
  Entries read_back;
  PAWL_TRY(load(position_, read_back));
  images_.push_back(position_);
  if (images_.size() > 2) {
    ::unlink(path(images_.front()).c_str());
    images_.erase(images_.begin());
  }
  return {};
}

void FileView::submit(pawl::ViewBatch batch) {
  PAWL_CHECK(!answer_ && batch.may_follow(position_), "one batch at a time, positions ascend");
  for (const auto& [from, to] : batch.delete_ranges) {
    if (from < to) entries_.erase(entries_.lower_bound(from), entries_.lower_bound(to));
  }
  for (const Bytes& key : batch.deletes) entries_.erase(key);
  for (auto& [key, value] : batch.puts) entries_[key] = std::move(value);
  position_ = batch.position;
  answer_ = batch.seal ? seal() : Status();
}

// Applying cannot fail here, so what failed is the seal.
void FileView::submit_again() {
  PAWL_CHECK(!answer_, "one batch at a time");
  answer_ = seal();
}

std::optional<Status> FileView::poll() {
  auto answer = std::move(answer_);
  answer_.reset();
  return answer;
}

pawl::Result<std::optional<Bytes>> FileView::get(ByteView key) {
  auto found = entries_.find(key);
  if (found == entries_.end()) return std::optional<Bytes>();
  return std::optional<Bytes>(found->second);
}

std::unique_ptr<pawl::ViewCursor> FileView::scan(ByteView from, ByteView to) {
  auto begin = entries_.lower_bound(from);
  return std::make_unique<Cursor>(begin, from < to ? entries_.lower_bound(to) : begin);
}

}  // namespace backend_example
