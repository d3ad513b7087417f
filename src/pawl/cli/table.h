// Columns of text, as wide as their widest entry.
//
//   Table table({"ID", "STATUS"});
//   table.row({"e17", style.paint(Colour::green, "succeeded")});
//   console.out(table.text());
#pragma once

#include <string>
#include <vector>

namespace pawl::cli {

class Table {
 public:
  explicit Table(std::vector<std::string> header) { rows_.push_back(std::move(header)); }
  void row(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  std::string text() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace pawl::cli
