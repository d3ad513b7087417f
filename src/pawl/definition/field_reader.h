// Reads one field at a time from a document: each method gives the value, or reports what is wrong
// and gives something harmless. Notes every expression with its place.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "pawl/base/time.h"
#include "pawl/definition/document.h"
#include "pawl/definition/keys.h"
#include "pawl/definition/template.h"

namespace pawl {

class FieldReader {
 public:
  FieldReader(const Source& source, Problems& problems, std::vector<ExpressionSite>& sites)
      : source_(source), problems_(problems), sites_(sites) {}

  // Expressions found from now on belong to this node.
  void enter(std::string node) { node_ = std::move(node); }

  void report(Mark at, std::string message) { problems_.add(at, std::move(message)); }
  size_t problems() const { return problems_.count(); }
  void report_unknown(Mark at, std::string_view kind, std::string_view word,
                      const std::vector<std::string_view>& known);

  // False (and reported) if `value` is no mapping. Keys outside `section` are reported.
  bool section(const Value& value, std::string_view what, Section section);

  std::string text(const Value& value, std::string_view field);  // not empty
  uint64_t integer(const Value& value, std::string_view field, uint64_t min, uint64_t max);
  Duration duration(const Value& value, std::string_view field);
  uint64_t size(const Value& value, std::string_view field);
  uint32_t permille(const Value& value, std::string_view field, uint32_t max_permille);
  // Index into `words`; `otherwise` if it is none of them.
  size_t choice(const Value& value, std::string_view field,
                const std::vector<std::string_view>& words, size_t otherwise);

  // A text with expressions in it, for a process.
  Template process_text(const Value& value, std::string_view field);
  // The same for a shell line, where expressions stand outside of quotes.
  Template shell_text(const Value& value, std::string_view field);
  // Any value with expressions in its texts, as one jq expression: {"n": "${ .item }"} ->
  // {"n":(.item)}; "a${ .b }" -> "a\(.b)". An expression alone stays itself.
  Expression expression(const Value& value, std::string_view field);
  // The same as JSON text, each expression where its JSON belongs.
  Template json(const Value& value, std::string_view field);
  Expression transform(const Value& value, std::string_view field);
  // Any value as JSON; it may hold no expressions.
  std::string constant(const Value& value, std::string_view field);

 private:
  class ExpressionMarks;

  ScannedTemplate scan(const Value& scalar, std::string_view field);
  Mark mark_of_content(const Value& scalar) const;
  void note(const Expression& expression, Mark at, std::string_view field);
  void append_json(const Value& value, std::string_view field, Template& into);
  void append_text_json(const Value& scalar, std::string_view field, Template& into);

  const Source& source_;
  Problems& problems_;
  std::vector<ExpressionSite>& sites_;
  std::string node_;
};

}  // namespace pawl
