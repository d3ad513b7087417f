#include "pawl/definition/shell_place.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

namespace pawl {
namespace {

constexpr char value_mark = '\0';  // which no shell line holds
constexpr int nesting_max = 64;

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

bool is_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

bool ends_word(char c) {
  return is_blank(c) || std::string_view("\n;&|<>()").find(c) != std::string_view::npos;
}

// A line of a here-document that both shells read as one line, whatever it expands.
bool is_simple(std::string_view line) {
  int round = 0, curly = 0, ticks = 0;
  for (char c : line) {
    if (c == '\\' || c == '\'' || c == '"' || c == '#') return false;
    round += c == '(' ? 1 : c == ')' ? -1 : 0;
    curly += c == '{' ? 1 : c == '}' ? -1 : 0;
    ticks += c == '`';
  }
  return round == 0 && curly == 0 && ticks % 2 == 0;
}

bool expands(std::string_view line) {
  return line.ends_with('\\') || line.find('`') != std::string_view::npos ||
         line.find("$(") != std::string_view::npos || line.find("${") != std::string_view::npos;
}

struct Document {
  std::string_view end;
  bool quoted = false;  // nothing in it is expanded
  bool tabs = false;    // <<-
};

enum class Ending : bool { of_line, bracket };

// Reads the line once, construct by construct, until the first value that may not stand where it does.
class ShellReader {
 public:
  explicit ShellReader(std::string_view text) : text_(text) {}

  // Where that value is, and why.
  std::optional<std::pair<size_t, std::string>> read() {
    commands(Ending::of_line);
    return trouble_;
  }

 private:
  bool more() const { return at_ < text_.size(); }
  char next(size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\n';
  }
  bool sees(std::string_view what) const { return text_.substr(at_).starts_with(what); }

  void refuse(std::string where) {
    if (!trouble_) trouble_ = {at_, std::move(where)};
    at_ = text_.size();
  }

  // From here on it is not known what the shell makes of the line.
  void lose(const std::string& behind) {
    at_ = std::min(text_.find(value_mark, at_), text_.size());
    if (more()) refuse("behind " + behind + ", where shells differ");
  }

  // A new line within quotes or brackets, while a here-document of the line around them is to begin.
  void line_end() {
    if (waiting_ > 0) lose("a line end between << and its text");
  }

  void commands(Ending ending);
  void value();
  void document_word(std::vector<Document>& documents);
  void documents(std::vector<Document>& documents);
  void document(const Document& one);
  void bracket();
  void escaped();
  void single();
  void double_quoted();
  void backticks();
  void comment();
  void dollar(bool quoted);
  void arithmetic();
  void parameter(bool quoted);
  void keyword(Ending ending);

  std::string_view text_;
  size_t at_ = 0;
  size_t waiting_ = 0;       // here-documents of commands around this one, not begun
  int depth_ = 0;            // of commands in commands
  int double_brackets_ = 0;  // ((
  std::optional<std::pair<size_t, std::string>> trouble_;
};

void ShellReader::commands(Ending ending) {
  if (++depth_ > nesting_max) lose("so many brackets");
  std::vector<Document> pending;
  auto nested = [&](auto read) {
    waiting_ += pending.size();
    read();
    waiting_ -= pending.size();
  };
  bool fresh = true;  // a word may begin here
  while (more()) {
    char c = next();
    if (c == ')' && ending == Ending::bracket) {
      ++at_;
      if (!pending.empty()) lose("a << whose text is not there");
      break;
    }
    bool begins = fresh;
    fresh = ends_word(c);
    if (c == value_mark) {
      value();
    } else if (c == '\\') {
      fresh = begins && next(1) == '\n';
      escaped();
    } else if (c == '\'') {
      nested([&] { single(); });
    } else if (c == '"') {
      nested([&] { double_quoted(); });
    } else if (c == '`') {
      nested([&] { backticks(); });
    } else if (c == '$') {
      nested([&] { dollar(false); });
    } else if (c == '(') {
      nested([&] { bracket(); });
    } else if (c == '#' && begins) {
      comment();
    } else if (c == '<' || c == '>') {
      document_word(pending);
    } else if (c == '\n') {
      ++at_;
      line_end();
      documents(pending);
    } else if (begins && is_name(c)) {
      keyword(ending);
    } else {
      ++at_;
    }
  }
  --depth_;
}

void ShellReader::value() {
  if (double_brackets_ > 0) return refuse("inside (( ))");
  ++at_;
}

// A backslash and what it takes away.
void ShellReader::escaped() {
  ++at_;
  if (!more()) return;
  if (next() == value_mark) return refuse("behind a \\");
  at_ += 1;
}

void ShellReader::bracket() {
  bool twice = next(1) == '(';
  if (next(1) == '\\' && next(2) == '\n') return lose("a ( that ends a line");
  ++at_;
  double_brackets_ += twice;
  commands(Ending::bracket);
  double_brackets_ -= twice;
}

// A pattern of `case` ends in a bracket that nothing has opened.
void ShellReader::keyword(Ending ending) {
  size_t begin = at_;
  while (more() && is_name(next()) && next() != value_mark) ++at_;
  std::string_view word = text_.substr(begin, at_ - begin);
  bool broken = next() == '\\' && std::string_view("case").starts_with(word);
  if (ending == Ending::bracket && (broken || (word == "case" && ends_word(next()))))
    lose("a `case` inside brackets");
}

void ShellReader::comment() {
  if (double_brackets_ > 0) return lose("a # inside (( ))");
  while (more() && next() != '\n') {
    if (next() == value_mark) return refuse("behind a #");
    ++at_;
  }
}

void ShellReader::single() {
  for (++at_; more() && next() != '\''; ++at_) {
    if (next() == value_mark) return refuse("inside '...'");
    if (next() == '\n') line_end();
  }
  ++at_;
}

void ShellReader::double_quoted() {
  ++at_;
  while (more()) {
    char c = next();
    if (c == value_mark) return refuse("inside \"...\"");
    if (c == '"') break;
    if (c == '\\') {
      escaped();
    } else if (c == '`') {
      backticks();
    } else if (c == '$') {
      dollar(true);
    } else {
      if (c == '\n') line_end();
      ++at_;
    }
  }
  ++at_;
}

void ShellReader::backticks() {
  ++at_;
  while (more() && next() != '`') {
    if (next() == value_mark) return refuse("inside `...`");
    if (next() == '\n') line_end();
    next() == '\\' ? escaped() : void(++at_);
  }
  ++at_;
}

void ShellReader::dollar(bool quoted) {
  if (sees("$((")) return arithmetic();
  if (sees("${")) return parameter(quoted);
  if (sees("$[") || sees("$\\\n"))
    return lose(text_[at_ + 1] == '[' ? "$[" : "a $ that ends a line");
  ++at_;
  char c = next();
  if (!more() || (quoted && (c == '\'' || c == value_mark))) return;
  if (c == value_mark) return refuse("behind a $");
  if (c == '(') {
    ++at_;
    if (sees("\\\n")) return lose("a $( that ends a line");
    commands(Ending::bracket);
  } else if (c == '\'') {
    size_t begin = at_;
    single();
    if (text_.substr(begin, at_ - begin).find('\\') != std::string_view::npos) lose("$'...'");
  } else if (std::string_view("$#?!*@-").find(c) != std::string_view::npos) {
    ++at_;
  }
}

void ShellReader::arithmetic() {
  constexpr const char* doubtful = "a $(( that may be something else";
  at_ += 3;
  for (int open = 0; more();) {
    char c = next();
    if (c == value_mark) return refuse("inside $(( ))");
    if (c == '\'' || c == '"' || c == '\\' || c == '`') return lose(doubtful);
    if (c == '#' && !is_name(text_[at_ - 1])) return lose(doubtful);
    if (c == '$') {
      dollar(true);
      continue;
    }
    if (c == '\n') line_end();
    if (c == ')' && open == 0) {
      if (next(1) != ')') return lose(doubtful);
      at_ += 2;
      return;
    }
    open += c == '(' ? 1 : c == ')' ? -1 : 0;
    ++at_;
  }
}

void ShellReader::parameter(bool quoted) {
  constexpr const char* doubtful = "quotes or braces inside ${ }";
  at_ += 2;
  if (++depth_ > nesting_max) return lose("so many brackets");
  if (std::string_view(" \t\n|").find(next()) != std::string_view::npos) return lose("${");
  while (more() && next() != '}') {
    char c = next();
    if (c == value_mark) return refuse("inside ${ }");
    if (c == '{' || (quoted && (c == '\'' || c == '"'))) return lose(doubtful);
    if (c == '\\') {
      escaped();
    } else if (c == '\'') {
      single();
    } else if (c == '"') {
      double_quoted();
    } else if (c == '`') {
      backticks();
    } else if (c == '$') {
      dollar(quoted);
    } else {
      if (c == '\n') line_end();
      ++at_;
    }
  }
  ++at_;
  --depth_;
}

// Behind << stands what ends the text that begins in the next line.
void ShellReader::document_word(std::vector<Document>& documents) {
  bool here = sees("<<") && !sees("<<<");
  if (next(1) == '\\' && next(2) == '\n') return lose("a < that ends a line");
  if (!here) {
    at_ += sees("<<<") ? 3 : 1;
    return;
  }
  if (double_brackets_ > 0) return lose("a << inside (( ))");
  Document one;
  at_ += 2;
  one.tabs = next() == '-';
  at_ += one.tabs;
  while (more() && is_blank(next())) ++at_;
  char quote = next() == '\'' || next() == '"' ? next() : '\0';
  one.quoted = quote != '\0' || (more() && next() == '\\');
  at_ += one.quoted;
  size_t begin = at_;
  while (more() && (is_name(next()) || next() == '-' || next() == '.')) ++at_;
  one.end = text_.substr(begin, at_ - begin);
  bool closed = quote == '\0' || (more() && next() == quote);
  at_ += quote != '\0' && closed;
  if (one.end.empty() || !closed || (more() && !ends_word(next()))) return lose("such a <<");
  documents.push_back(one);
}

void ShellReader::documents(std::vector<Document>& documents) {
  for (const Document& one : documents) document(one);
  documents.clear();
}

void ShellReader::document(const Document& one) {
  while (more()) {
    size_t stop = std::min(text_.find('\n', at_), text_.size());
    std::string_view line = text_.substr(at_, stop - at_);
    if (size_t value = line.find(value_mark); value != std::string_view::npos) {
      at_ += value;
      return refuse("inside a here-document");
    }
    at_ = std::min(stop + 1, text_.size());
    if (one.tabs) line.remove_prefix(std::min(line.find_first_not_of('\t'), line.size()));
    if (line == one.end) return;
    bool doubtful = line.starts_with(one.end) || (!one.quoted && expands(line) && !is_simple(line));
    if (doubtful) return lose("such a here-document");
  }
}

}  // namespace

std::optional<ShellTrouble> shell_trouble(const Template& line) {
  std::string text;
  std::vector<size_t> values;  // the parts that are values
  for (size_t i = 0; i < line.parts.size(); ++i) {
    bool is_value = static_cast<bool>(line.parts[i].expression);
    if (is_value) values.push_back(i);
    text += is_value ? std::string(1, value_mark) : line.parts[i].literal;
  }
  auto trouble = ShellReader(text).read();
  if (!trouble) return std::nullopt;
  auto before = static_cast<size_t>(
      std::count(text.begin(), text.begin() + static_cast<ptrdiff_t>(trouble->first), value_mark));
  return ShellTrouble{values[before], std::move(trouble->second)};
}

std::string shell_advice(std::string_view value) {
  std::string name(value);
  return "write it outside of all quotes, or x=" + name + " before that and \"$x\" here";
}

}  // namespace pawl
