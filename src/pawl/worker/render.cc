#include "pawl/worker/render.h"

#include <utility>

#include "pawl/base/json.h"

namespace pawl {

namespace {

const std::string& value_of(const Expression& expression, const Values& values) {
  auto found = values.find(expression.text);
  PAWL_CHECK(found != values.end(), "a template is rendered before its values are known");
  return found->second;
}

Error nul_byte(const Expression& expression) {
  return {Code::invalid_argument,
          "${ " + expression.text + " } holds a NUL byte, which no program can be given"};
}

std::string shell_words(const std::string& json) {
  if (json_kind(json) != JsonKind::array) return shell_quoted(plain_text(json));
  std::string words;
  for (JsonItems items(json); items.next();) {
    if (!words.empty()) words += ' ';
    words += shell_quoted(plain_text(items.value()));
  }
  return words;
}

bool begins_assignment(std::string_view word) {
  size_t name = 0;
  while (name < word.size() && (word[name] == '_' || (word[name] >= '0' && word[name] <= '9') ||
                                ((word[name] | 0x20) >= 'a' && (word[name] | 0x20) <= 'z')))
    ++name;
  word.remove_prefix(name);
  return name > 0 && (word.starts_with('=') || word.starts_with("+="));
}

// Whether the word at the end of `line` may be an assignment. Quotes may hold blanks, and comments
// quotes: so it is looked at with and without them.
bool assigns(std::string_view line) {
  constexpr std::string_view ends = " \t\n;&|()<>`";
  size_t plain = line.find_last_of(ends);
  char quote = '\0';
  size_t begin = 0;
  for (size_t i = 0; i < line.size(); ++i) {
    if (quote != '\0') {
      if (line[i] == quote) quote = '\0';
    } else if (line[i] == '\'' || line[i] == '"') {
      quote = line[i];
    } else if (line[i] == '\\') {
      ++i;
    } else if (ends.find(line[i]) != std::string_view::npos) {
      begin = i + 1;
    }
  }
  return begins_assignment(line.substr(begin)) ||
         begins_assignment(line.substr(plain == std::string_view::npos ? 0 : plain + 1));
}

template <class Write>
Result<std::string> joined(const Template& parts, const Values& values, Write write) {
  std::string out;
  for (const TemplatePart& part : parts.parts) {
    if (part.expression) {
      std::string text = write(value_of(part.expression, values));
      if (text.find('\0') != std::string::npos) return nul_byte(part.expression);
      out += text;
    } else {
      out += part.literal;
    }
  }
  return out;
}

}  // namespace

std::string plain_text(std::string_view json) {
  switch (json_kind(json)) {
    case JsonKind::null:
      return {};
    case JsonKind::string:
      return json_unquote(json);
    default:
      return json_compact(json);
  }
}

std::string shell_quoted(std::string_view text) {
  std::string out = "'";
  for (char c : text) {
    if (c == '\'')
      out += "'\\''";
    else
      out += c;
  }
  return out += '\'';
}

Result<std::string> render_shell(const Template& line, const Values& values) {
  std::string shape;  // of the line, a letter for each value
  for (const TemplatePart& part : line.parts) {
    shape += part.expression ? "v" : part.literal;
    if (!part.expression) continue;
    const std::string& json = value_of(part.expression, values);
    if (json_kind(json) != JsonKind::array || json_count(json) < 2) continue;
    shape.pop_back();
    if (assigns(shape))
      return Error{Code::invalid_argument, "${ " + part.expression.text + " } is a list of " +
                                               std::to_string(json_count(json)) +
                                               ", and the shell assigns one word"};
    shape += 'v';
  }
  return joined(line, values, shell_words);
}

Result<std::string> render_text(const Template& text, const Values& values) {
  return joined(text, values, plain_text);
}

Result<std::vector<std::string>> render_argument(const Template& argument, const Values& values) {
  std::vector<std::string> out;
  bool alone = argument.parts.size() == 1 && argument.parts[0].expression;
  if (alone) {
    const std::string& json = value_of(argument.parts[0].expression, values);
    if (json_kind(json) == JsonKind::array) {
      for (JsonItems items(json); items.next();) {
        out.push_back(plain_text(items.value()));
        if (out.back().find('\0') != std::string::npos)
          return nul_byte(argument.parts[0].expression);
      }
      return out;
    }
  }
  PAWL_ASSIGN(std::string text, render_text(argument, values));
  out.push_back(std::move(text));
  return out;
}

std::string render_json(const Template& json, const Values& values) {
  std::string out;
  for (const TemplatePart& part : json.parts)
    out += part.expression ? value_of(part.expression, values) : part.literal;
  return out;
}

}  // namespace pawl
