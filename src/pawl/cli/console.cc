#include "pawl/cli/console.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace pawl::cli {
namespace {

constexpr size_t flush_above = 64 * 1024;

bool set(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

bool locale_is_utf8() {
  for (const char* variable : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    if (!set(variable)) continue;
    std::string value = std::getenv(variable);
    std::transform(value.begin(), value.end(), value.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return value.find("utf-8") != std::string::npos || value.find("utf8") != std::string::npos;
  }
  return false;
}

// 0, or errno: EPIPE when the reader has gone. A full pipe that somebody made non-blocking is waited for.
int write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    ssize_t wrote = write(fd, text.data(), text.size());
    if (wrote > 0) {
      text.remove_prefix(static_cast<size_t>(wrote));
    } else if (wrote < 0 && errno == EAGAIN) {
      pollfd ready{fd, POLLOUT, 0};
      poll(&ready, 1, -1);
    } else if (wrote == 0 || errno != EINTR) {
      return wrote == 0 ? EIO : errno;
    }
  }
  return 0;
}

}  // namespace

ConsoleFacts ConsoleFacts::of_process() {
  ConsoleFacts facts;
  facts.out_terminal = isatty(1) == 1;
  facts.err_terminal = isatty(2) == 1;
  const char* term = std::getenv("TERM");
  bool dumb = term != nullptr && std::string_view(term) == "dumb";
  if (dumb) facts.err_terminal = false;  // it cannot move the cursor
  bool colours = !set("NO_COLOR") && !dumb;
  bool unicode = locale_is_utf8();
  facts.out_style = {colours && facts.out_terminal, unicode};
  facts.err_style = {colours && facts.err_terminal, unicode};
  return facts;
}

Console::~Console() {
  clear();
  flush();
}

void Console::flush() {
  if (pending_.empty()) return;
  if (!abandoned()) out_error_ = write_all(facts_.out_fd, pending_);
  pending_.clear();
}

Status Console::written() {
  flush();
  if (out_error_ == 0 || out_error_ == EPIPE) return {};
  return Error{Code::unknown,
               std::string("standard output cannot be written: ") + std::strerror(out_error_)};
}

void Console::out(std::string_view text) {
  bool erase = !region_.empty() && facts_.out_terminal;
  if (erase) clear();
  pending_ += text;
  if (facts_.out_terminal || pending_.size() > flush_above) flush();
}

void Console::err(std::string_view text) {
  flush();  // in the order in which it was said
  clear();
  write_all(facts_.err_fd, text);
}

Console::Size Console::size() const {
  winsize window{};
  Size size;
  if (ioctl(facts_.err_fd, TIOCGWINSZ, &window) == 0 && window.ws_col > 0) {
    size.columns = window.ws_col;
    size.rows = std::max<size_t>(window.ws_row, 2);
  }
  return size;
}

std::string Console::erase_region() const {
  size_t width = size().columns;
  size_t rows = 0;
  for (size_t line : region_) rows += std::max<size_t>(1, (line + width - 1) / width);
  if (rows == 0) return {};
  return "\r\x1b[" + std::to_string(rows) + "A";
}

void Console::show(const std::vector<std::string>& lines) {
  if (!live()) return;
  flush();
  Size window = size();
  std::string text = erase_region();
  bool wrapped = std::any_of(region_.begin(), region_.end(),
                             [&](size_t line) { return line >= window.columns; });
  if (wrapped) text += "\x1b[J";
  size_t before = region_.size();
  region_.clear();
  for (size_t i = 0; i < lines.size() && i + 1 < window.rows; ++i) {
    std::string line = clip(lines[i], window.columns - 1, facts_.err_style);
    region_.push_back(columns(line));
    text += line + "\x1b[K\n";
  }
  if (region_.size() < before) text += "\x1b[J";
  write_all(facts_.err_fd, text);
}

void Console::clear() {
  if (region_.empty()) return;
  write_all(facts_.err_fd, erase_region() + "\x1b[J");
  region_.clear();
}

}  // namespace pawl::cli
