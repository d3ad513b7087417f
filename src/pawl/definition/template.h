// Finds the expressions in a text: "wc ${ .item }" -> literal "wc ", expression ".item".
//
// The end of an expression is the } that jq itself would take for it: braces inside jq strings,
// string interpolations, objects and comments do not count. "$${" stands for a literal "${": where
// dollars stand before a brace, two of them mean one, so "$$${ .a }" is a dollar and an expression.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pawl/model/expression.h"

namespace pawl {

struct ScanError {
  size_t offset = 0;  // in bytes, of the ${ at fault
  std::string message;
};

struct ScannedTemplate {
  Template text;                // no two literals in a row, no empty part
  std::vector<size_t> offsets;  // per part, where it begins in the scanned text
  std::optional<ScanError> error;

  // The template is nothing but one expression.
  bool is_expression() const { return text.parts.size() == 1 && text.parts[0].expression; }
};

ScannedTemplate scan_template(std::string_view text);

// The text that scans to `text` again.
std::string to_source(const Template& text);

}  // namespace pawl
