// The two streams of the program and what stands at their other end.
//
//   Console console(ConsoleFacts::of_process());
//   console.out("result\n");                 // standard output: what was asked for
//   console.err("pawl: no such file\n");     // standard error: everything else
//   console.show(lines);                     // a live region at the end of standard error
//   console.clear();
//
// The live region is redrawn in place by one write, so that it does not flicker; what is printed
// while it stands goes above it. Each redraw asks for the terminal's size, and a region that a
// narrower window has wrapped is erased whole. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "pawl/base/result.h"
#include "pawl/cli/style.h"

namespace pawl::cli {

struct ConsoleFacts {
  int out_fd = 1;
  int err_fd = 2;
  bool out_terminal = false;
  bool err_terminal = false;
  Style out_style;
  Style err_style;

  // Colours on terminals unless NO_COLOR is set or TERM is dumb; unicode by the locale's name.
  static ConsoleFacts of_process();
};

class Console {
 public:
  explicit Console(ConsoleFacts facts) : facts_(facts) {}
  ~Console();
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;

  const Style& out_style() const { return facts_.out_style; }
  const Style& err_style() const { return facts_.err_style; }
  bool out_terminal() const { return facts_.out_terminal; }
  bool live() const { return facts_.err_terminal; }  // a region can be shown

  void out(std::string_view text);
  void err(std::string_view text);
  void flush();
  // The reader of standard output has gone, or it takes nothing: nothing more needs to be printed.
  bool abandoned() const { return out_error_ != 0; }
  // Whether all that was printed has been taken. A reader that has gone wanted no more.
  Status written();

  struct Size {
    size_t columns = 80;
    size_t rows = 24;
  };
  Size size() const;  // of the terminal on standard error
  void show(const std::vector<std::string>& lines);
  void clear();

 private:
  std::string erase_region() const;

  ConsoleFacts facts_;
  std::string pending_;         // for standard output
  std::vector<size_t> region_;  // columns of each line that stands there
  int out_error_ = 0;           // errno
};

}  // namespace pawl::cli
