#include "pawl/isolate/output_capture.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "pawl/base/json.h"

namespace pawl {
namespace {

void make_parents(const std::string& path) {
  for (size_t slash = path.find('/', 1); slash != std::string::npos;
       slash = path.find('/', slash + 1)) {
    mkdir(path.substr(0, slash).c_str(), 0777);
  }
}

constexpr int open_flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC;

}  // namespace

OutputCapture::OutputCapture(std::string path, uint64_t file_bytes_max, Sink<OutputPart>* copies,
                             std::string copy_path)
    : path_(std::move(path)),
      file_bytes_max_(file_bytes_max),
      copies_(copies),
      copy_path_(std::move(copy_path)) {}

OutputCapture::~OutputCapture() {
  if (file_ >= 0) close(file_);
}

void OutputCapture::append(std::string_view bytes) {
  if (bytes.empty()) return;
  size_t room = output_head_bytes - output_.head.size();
  bool outgrows = bytes.size() > room;
  if (outgrows || follow_) keep_file();
  if (outgrows && output_.whole_in_head()) remember_tail(output_.head);
  if (outgrows) remember_tail(bytes);
  output_.bytes += bytes.size();
  output_.head.append(bytes.substr(0, room));
  write_file(bytes);
}

void OutputCapture::remember_tail(std::string_view bytes) {
  if (bytes.size() >= output_tail_bytes) {
    output_.tail.assign(bytes.substr(bytes.size() - output_tail_bytes));
    return;
  }
  output_.tail.append(bytes);
  if (output_.tail.size() > 4 * output_tail_bytes) {
    output_.tail.erase(0, output_.tail.size() - output_tail_bytes);
  }
}

void OutputCapture::follow() {
  follow_ = true;
  if (!empty()) keep_file();
}

void OutputCapture::keep_file() {
  if (file_ >= 0 || path_.empty() || !output_.error.empty()) return;
  open_file();
  write_file(output_.head);
}

void OutputCapture::open_file() {
  file_ = open(path_.c_str(), open_flags, 0666);
  if (file_ < 0 && errno == ENOENT) {
    make_parents(path_);
    file_ = open(path_.c_str(), open_flags, 0666);
  }
  if (file_ < 0) return give_up("cannot create");
  output_.path = path_;
}

void OutputCapture::write_file(std::string_view bytes) {
  if (file_ < 0 || output_.cut) return;
  std::string_view part = bytes.substr(0, file_bytes_max_ - file_bytes_);
  copy(part);
  while (!part.empty()) {
    ssize_t n = write(file_, part.data(), part.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return give_up("cannot write");
    file_bytes_ += static_cast<uint64_t>(n);
    bytes.remove_prefix(static_cast<size_t>(n));
    part.remove_prefix(static_cast<size_t>(n));
  }
  if (bytes.empty()) return;
  output_.cut = true;
  std::string marker = "\n[pawl: output limit of " + std::to_string(file_bytes_max_) +
                       " bytes reached; the rest was dropped]\n";
  copy(marker);
  [[maybe_unused]] ssize_t n = write(file_, marker.data(), marker.size());
}

void OutputCapture::copy(std::string_view bytes) {
  if (copies_ == nullptr || bytes.empty()) return;
  copies_->put({copy_path_, copied_, Bytes(bytes)});
  copied_ += bytes.size();
}

void OutputCapture::give_up(const std::string& what) {
  output_.error = what + " " + path_ + ": " + std::strerror(errno);
  output_.cut = true;
  if (file_ >= 0) close(file_);
  file_ = -1;
}

bool OutputCapture::is_plain_text() const {
  std::string_view text = output_.head;
  bool one_line_end = text.size() > 1 && text.ends_with('\n') && !text.ends_with("\n\n");
  return one_line_end && output_.whole_in_head() &&
         json_unquote(json_quote(text)) == text;  // UTF-8
}

ProcessOutput OutputCapture::finish() {
  if (file_ >= 0) close(file_);
  file_ = -1;
  if (output_.tail.size() > output_tail_bytes) {
    output_.tail.erase(0, output_.tail.size() - output_tail_bytes);
  }
  return std::move(output_);
}

}  // namespace pawl
