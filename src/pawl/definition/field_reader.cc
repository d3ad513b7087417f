#include "pawl/definition/field_reader.h"

#include "pawl/base/json.h"
#include "pawl/definition/nearest.h"
#include "pawl/definition/quantity.h"
#include "pawl/definition/shell_place.h"

namespace pawl {
namespace {

std::string quote(std::string_view text) {
  constexpr size_t shown = 60;
  std::string quoted = "\"" + std::string(text.substr(0, shown));
  return quoted + (text.size() > shown ? "...\"" : "\"");
}

bool is_scalar(const Value& value, ScalarKind kind) {
  return value.kind == ValueKind::scalar && scalar_kind(value) == kind;
}

void append(Template& into, std::string_view literal) {
  if (into.parts.empty() || into.parts.back().expression) into.parts.emplace_back();
  into.parts.back().literal += literal;
}

// "a${ .b }c" -> "a\(.b)c", which is jq for the same text.
Expression interpolated(const Template& text) {
  std::string jq = "\"";
  for (const TemplatePart& part : text.parts) {
    if (part.expression) {
      jq += "\\(" + part.expression.text;
      jq += part.expression.text.find('#') == std::string::npos ? ")" : "\n)";
      continue;
    }
    std::string quoted = json_quote(part.literal);
    jq.append(quoted, 1, quoted.size() - 2);
  }
  return make_expression(jq + "\"");
}

std::string plain_text(const Template& text) {
  return text.parts.empty() ? std::string() : text.parts[0].literal;
}

}  // namespace

void FieldReader::report_unknown(Mark at, std::string_view kind, std::string_view word,
                                 const std::vector<std::string_view>& known) {
  if (problems_.full()) return;
  report(at, "unknown " + std::string(kind) + " " + quote(word) + hint(word, known));
}

bool FieldReader::section(const Value& value, std::string_view what, Section section) {
  if (value.kind != ValueKind::mapping) {
    report(value.mark, std::string(what) + " must be a mapping, not " + describe(value));
    return false;
  }
  const auto& known = keys_of(section);
  for (const Value& key : value.keys) {
    bool found = false;
    for (std::string_view word : known) found = found || word == key.text;
    if (!found) report_unknown(key.mark, "key", key.text, known);
  }
  return true;
}

std::string FieldReader::text(const Value& value, std::string_view field) {
  bool usable = value.kind == ValueKind::scalar && scalar_kind(value) != ScalarKind::null;
  if (!usable || value.text.empty()) {
    report(value.mark,
           quote(field) + " must be a text, not " + (usable ? "an empty one" : describe(value)));
    return {};
  }
  return value.text;
}

uint64_t FieldReader::integer(const Value& value, std::string_view field, uint64_t min,
                              uint64_t max) {
  uint64_t number = 0;
  bool good = is_scalar(value, ScalarKind::number) && value.text.size() <= 18;
  for (char c : value.text) {
    good = good && c >= '0' && c <= '9';
    number = number * 10 + static_cast<uint64_t>(c - '0');
  }
  if (good && number >= min && number <= max) return number;
  report(value.mark,
         quote(field) + " must be a whole number from " + std::to_string(min) + " to " +
             std::to_string(max) +
             (value.kind == ValueKind::scalar ? ", not " + quote(value.text)
                                              : std::string(", not ") + describe(value)));
  return min;
}

Duration FieldReader::duration(const Value& value, std::string_view field) {
  if (value.kind != ValueKind::scalar) {
    report(value.mark, quote(field) + " must be a duration such as 30s, not " + describe(value));
    return {};
  }
  Result<Duration> parsed = parse_duration(value.text);
  if (parsed.ok()) return *parsed;
  report(value.mark, std::string(field) + ": " + parsed.error().message);
  return {};
}

uint64_t FieldReader::size(const Value& value, std::string_view field) {
  if (value.kind != ValueKind::scalar) {
    report(value.mark, quote(field) + " must be a size such as 64MiB, not " + describe(value));
    return 0;
  }
  Result<uint64_t> parsed = parse_size(value.text);
  if (parsed.ok()) return *parsed;
  report(value.mark, std::string(field) + ": " + parsed.error().message);
  return 0;
}

uint32_t FieldReader::permille(const Value& value, std::string_view field, uint32_t max_permille) {
  if (value.kind != ValueKind::scalar) {
    report(value.mark, quote(field) + " must be a number, not " + describe(value));
    return 0;
  }
  Result<uint32_t> parsed = parse_permille(value.text, max_permille);
  if (parsed.ok()) return *parsed;
  report(value.mark, std::string(field) + ": " + parsed.error().message);
  return 0;
}

size_t FieldReader::choice(const Value& value, std::string_view field,
                           const std::vector<std::string_view>& words, size_t otherwise) {
  if (value.kind != ValueKind::scalar) {
    report(value.mark, quote(field) + " must be a word, not " + describe(value));
    return otherwise;
  }
  for (size_t i = 0; i < words.size(); ++i)
    if (words[i] == value.text) return i;
  report_unknown(value.mark, field, value.text, words);
  return otherwise;
}

// Where in the file the content of a scalar begins. A block scalar's first line is only its header.
Mark FieldReader::mark_of_content(const Value& scalar) const {
  std::string_view text = source_.text();
  size_t at = source_.offset_of(scalar.mark);
  if (at >= text.size() || (text[at] != '|' && text[at] != '>')) return scalar.mark;
  at = text.find('\n', at);
  if (at != std::string_view::npos) at = text.find_first_not_of(" \t\r\n", at);
  return at == std::string_view::npos ? scalar.mark : source_.mark_of(at);
}

// The places in the file of a scalar's expressions, asked for in ascending order: the n-th ${ of
// the content is the n-th ${ of its text in the file, whatever its style. An author who escapes the
// dollar itself gets the scalar's own place.
class FieldReader::ExpressionMarks {
 public:
  ExpressionMarks(const Source& source, const Value& scalar)
      : source_(source),
        scalar_(scalar),
        in_file_(source.text().find("${", source.offset_of(scalar.mark))),
        file_end_(source.offset_of(scalar.end)),
        in_content_(scalar.text.find("${")) {}

  Mark at(size_t offset) {
    while (in_content_ < offset) {
      in_content_ = scalar_.text.find("${", in_content_ + 2);
      if (in_file_ < file_end_) in_file_ = source_.text().find("${", in_file_ + 2);
    }
    return in_file_ < file_end_ ? source_.mark_of(in_file_) : scalar_.mark;
  }

 private:
  const Source& source_;
  const Value& scalar_;
  size_t in_file_;
  size_t file_end_;
  size_t in_content_;
};

void FieldReader::note(const Expression& expression, Mark at, std::string_view field) {
  sites_.push_back({expression, at.line, at.column, node_, std::string(field)});
}

ScannedTemplate FieldReader::scan(const Value& scalar, std::string_view field) {
  ScannedTemplate scanned = scan_template(scalar.text);
  if (scanned.text.parts.empty() && !scanned.error) return scanned;
  ExpressionMarks marks(source_, scalar);
  if (scanned.error) {
    report(marks.at(scanned.error->offset), scanned.error->message);
    return scanned;
  }
  for (size_t i = 0; i < scanned.text.parts.size(); ++i)
    if (scanned.text.parts[i].expression)
      note(scanned.text.parts[i].expression, marks.at(scanned.offsets[i]), field);
  return scanned;
}

Template FieldReader::process_text(const Value& value, std::string_view field) {
  if (value.kind != ValueKind::scalar || scalar_kind(value) == ScalarKind::null) {
    report(value.mark, quote(field) + " must be a text, not " + describe(value));
    return {};
  }
  if (value.text.find('\0') != std::string::npos) {
    report(value.mark, quote(field) + " cannot hold a NUL character");
    return {};
  }
  return scan(value, field).text;
}

Template FieldReader::shell_text(const Value& value, std::string_view field) {
  size_t reported = problems_.count();
  size_t noted = sites_.size();
  Template line = process_text(value, field);
  if (problems_.count() > reported) return line;
  std::optional<ShellTrouble> trouble = shell_trouble(line);
  if (!trouble) return line;
  for (size_t i = 0; i < trouble->part; ++i) noted += line.parts[i].expression ? 1 : 0;
  const ExpressionSite& site = sites_[noted];
  std::string written = "${ " + site.expression.text + " }";
  report({site.line, site.column}, written + " stands " + trouble->where +
                                       ", where its value is not safe from the shell; " +
                                       shell_advice(written));
  return line;
}

Expression FieldReader::expression(const Value& value, std::string_view field) {
  Template parts = json(value, field);
  if (parts.parts.size() == 1 && parts.parts[0].expression) return parts.parts[0].expression;
  std::string jq;
  for (const TemplatePart& part : parts.parts) {
    if (!part.expression) {
      jq += part.literal;
      continue;
    }
    jq += "(" + part.expression.text;
    jq += part.expression.text.find('#') == std::string::npos ? ")" : "\n)";
  }
  return make_expression(std::move(jq));
}

Template FieldReader::json(const Value& value, std::string_view field) {
  Template parts;
  append_json(value, field, parts);
  return parts;
}

void FieldReader::append_json(const Value& value, std::string_view field, Template& into) {
  if (value.kind == ValueKind::scalar) {
    ScalarKind kind = scalar_kind(value);
    if (kind == ScalarKind::not_finite)
      report(value.mark, "JSON has no " + value.text + "; use a number or a text in quotes");
    if (kind == ScalarKind::string)
      append_text_json(value, field, into);
    else
      append(into, scalar_json(value));
    return;
  }
  bool mapping = value.kind == ValueKind::mapping;
  append(into, mapping ? "{" : "[");
  for (size_t i = 0; i < value.items.size(); ++i) {
    if (i > 0) append(into, ",");
    if (mapping) append(into, json_quote(value.keys[i].text) + ":");
    append_json(value.items[i], field, into);
  }
  append(into, mapping ? "}" : "]");
}

void FieldReader::append_text_json(const Value& scalar, std::string_view field, Template& into) {
  ScannedTemplate scanned = scan(scalar, field);
  const auto& parts = scanned.text.parts;
  if (scanned.is_expression())
    into.parts.push_back(parts[0]);
  else if (parts.size() <= 1)
    append(into, json_quote(plain_text(scanned.text)));
  else
    into.parts.push_back({{}, interpolated(scanned.text)});
}

Expression FieldReader::transform(const Value& value, std::string_view field) {
  std::string jq = text(value, field);
  if (jq.empty()) return {};
  if (value.text.starts_with("${")) {
    ScannedTemplate scanned = scan_template(value.text);
    if (!scanned.error && scanned.is_expression()) jq = scanned.text.parts[0].expression.text;
  }
  while (!jq.empty() && (jq.back() == '\n' || jq.back() == ' ')) jq.pop_back();
  if (jq.find('\0') != std::string::npos || jq.empty()) {
    report(value.mark, quote(field) + " must be a jq expression");
    return {};
  }
  Expression expression = make_expression(jq);
  note(expression, mark_of_content(value), field);
  return expression;
}

std::string FieldReader::constant(const Value& value, std::string_view field) {
  size_t before = sites_.size();
  Template parts = json(value, field);
  if (sites_.size() == before) return plain_text(parts);
  report({sites_[before].line, sites_[before].column},
         "an expression has nothing to read here; " + quote(field) + " takes constants");
  sites_.resize(before);
  return "null";
}

}  // namespace pawl
