// The text of a definition, addressed by line and column, and the list of what is wrong in it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "pawl/definition/definition.h"

namespace pawl {

// From 1; columns count characters, as editors do.
struct Mark {
  uint32_t line = 1;
  uint32_t column = 1;
};

class Source {
 public:
  explicit Source(std::string_view text);

  std::string_view text() const { return text_; }
  size_t offset_of(Mark mark) const;  // in bytes; the end of the text for a mark behind it
  Mark mark_of(size_t offset) const;

 private:
  // Known places, at every line's beginning and every few hundred bytes, so that a file in one long
  // line costs no more than another.
  struct Place {
    size_t offset;
    Mark mark;
  };

  std::string_view text_;
  std::vector<Place> places_;
};

// Keeps the first definition_problems_max, each once.
class Problems {
 public:
  explicit Problems(std::string_view file) : file_(file) {}

  void add(Mark at, std::string message);
  bool full() const { return problems_.size() >= definition_problems_max; }
  size_t count() const { return problems_.size(); }
  bool empty() const { return problems_.empty(); }
  std::vector<Problem> take();  // by position

 private:
  std::string file_;
  std::vector<Problem> problems_;
};

}  // namespace pawl
