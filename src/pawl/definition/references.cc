#include "pawl/definition/references.h"

namespace pawl {
namespace {

constexpr int nesting_max = 256;

bool starts_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool in_word(char c) {
  return starts_word(c) || is_digit(c);
}
bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

// A reading of jq that is just deep enough to know, at every dot, whether it is the context.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  std::vector<Reference> run() {
    while (at_ < text_.size() && !too_deep_) code('\0', true, 0);
    return std::move(found_);
  }

 private:
  // What stood before, as far as it decides what comes next.
  enum class Before : uint8_t { operation, value, function };

  // One bracket's worth of code.
  struct Frame {
    char close;
    bool known_at_entry;  // whether the dot is the context
    bool known;
    bool binding = false;          // between `as` and its pipe, which leaves the dot alone
    int definitions = 0;           // `def` whose `;` is still to come
    std::vector<bool> conditions;  // per open `if`: `known` at its start
    Before before = Before::operation;
  };

  char peek(size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  void skip_space() {
    while (is_space(peek())) ++at_;
  }
  std::string word() {
    size_t begin = at_;
    while (in_word(peek())) ++at_;
    return std::string(text_.substr(begin, at_ - begin));
  }

  void code(char close, bool known, int depth);
  void string(bool known, int depth);
  void bracket(Frame& frame, int depth);
  void keyword(Frame& frame);
  void dot(Frame& frame);
  void symbol(Frame& frame);
  bool step(std::string& name);
  void reference();

  std::string_view text_;
  size_t at_ = 0;
  bool too_deep_ = false;
  std::vector<Reference> found_;
};

void Scanner::code(char close, bool known, int depth) {
  if (depth > nesting_max) {
    too_deep_ = true;
    return;
  }
  Frame frame{close, known, known, false, 0, {}, Before::operation};
  while (at_ < text_.size() && !too_deep_) {
    char c = peek();
    if (is_space(c)) {
      ++at_;
    } else if (c == '#') {
      while (at_ < text_.size() && peek() != '\n') ++at_;
    } else if (c == close || c == ')' || c == ']' || c == '}') {
      ++at_;
      return;
    } else if (c == '"') {
      ++at_;
      string(frame.known, depth);
      frame.before = Before::value;
    } else if (c == '(' || c == '[' || c == '{') {
      bracket(frame, depth);
    } else if (c == '.') {
      dot(frame);
    } else if (starts_word(c)) {
      keyword(frame);
    } else if (c == '$' || c == '@' || is_digit(c)) {
      ++at_;
      while (in_word(peek())) ++at_;
      frame.before = Before::value;
    } else {
      symbol(frame);
    }
  }
}

void Scanner::string(bool known, int depth) {
  while (at_ < text_.size() && !too_deep_) {
    char c = text_[at_++];
    if (c == '"') return;
    if (c != '\\' || at_ == text_.size()) continue;
    if (text_[at_++] == '(') code(')', known, depth + 1);
  }
}

void Scanner::bracket(Frame& frame, int depth) {
  char open = text_[at_++];
  bool known = frame.known;
  if (open == '(') {
    // An argument sees what the function gives it. reduce and foreach: (init; update).
    if (frame.before == Before::function || frame.binding) known = false;
    frame.binding = false;
  }
  code(open == '(' ? ')' : open == '[' ? ']' : '}', known, depth + 1);
  frame.before = Before::value;
}

void Scanner::keyword(Frame& frame) {
  std::string name = word();
  size_t behind = at_;
  skip_space();
  bool key = frame.close == '}' && peek() == ':';
  at_ = behind;
  frame.before = Before::operation;
  if (key) return;
  if (name == "as" || name == "label") {
    frame.binding = true;
  } else if (name == "if") {
    frame.conditions.push_back(frame.known);
  } else if (name == "then" || name == "elif" || name == "else" || name == "end") {
    if (frame.conditions.empty()) return;
    frame.known = frame.conditions.back();
    if (name != "end") return;
    frame.conditions.pop_back();
    frame.before = Before::value;
  } else if (name == "def") {
    ++frame.definitions;
    frame.known = false;
  } else if (name == "catch") {
    frame.known = false;
  } else if (name != "and" && name != "or" && name != "reduce" && name != "foreach" &&
             name != "try" && name != "import" && name != "include") {
    frame.before = Before::function;
  }
}

void Scanner::dot(Frame& frame) {
  char next = peek(1);
  bool root = frame.before == Before::operation && frame.known;
  frame.before = Before::value;
  if (is_digit(next)) {
    ++at_;
    while (in_word(peek())) ++at_;
  } else if (next == '.') {
    at_ += 2;
  } else if (root) {
    reference();
  } else {
    ++at_;
    while (in_word(peek())) ++at_;
  }
}

// Operators, of which few change what the dot is.
void Scanner::symbol(Frame& frame) {
  char c = text_[at_++];
  if (c == '?') return;
  frame.before = Before::operation;
  if (c == '|') {
    if (!frame.binding || peek() == '=') frame.known = false;
    frame.binding = false;
  } else if (c == ',' && frame.close == '}') {
    frame.known = frame.known_at_entry;
  } else if (c == ';' && frame.definitions > 0) {
    if (--frame.definitions == 0) frame.known = frame.known_at_entry;
  }
}

// .name, ."name", .["name"] or ["name"] at the cursor; leaves the cursor where it is otherwise.
bool Scanner::step(std::string& name) {
  size_t begin = at_;
  if (peek() == '.') ++at_;
  if (at_ > begin && starts_word(peek())) {
    name = word();
    return true;
  }
  bool bracketed = peek() == '[';
  if (bracketed) {
    ++at_;
    skip_space();
  }
  if ((bracketed || at_ > begin) && peek() == '"') {
    size_t end = text_.find_first_of("\"\\", at_ + 1);
    if (end != std::string_view::npos && text_[end] == '"') {
      name = text_.substr(at_ + 1, end - at_ - 1);
      at_ = end + 1;
      if (bracketed) skip_space();
      if (!bracketed || peek() == ']') {
        at_ += bracketed ? 1 : 0;
        return true;
      }
    }
  }
  at_ = begin;
  return false;
}

void Scanner::reference() {
  Reference reference;
  std::string name;
  while (reference.path.size() < 3 && step(name)) {
    reference.path.push_back(name);
    if (reference.path.size() != 2 || peek() != '-' || !in_word(peek(1))) continue;
    size_t end = at_;
    while (end < text_.size() && (in_word(text_[end]) || text_[end] == '-')) ++end;
    reference.dashed = name + std::string(text_.substr(at_, end - at_));
  }
  if (reference.path.empty())
    ++at_;  // the dot alone, or an index that is computed
  else
    found_.push_back(std::move(reference));
}

}  // namespace

std::vector<Reference> find_references(std::string_view jq) {
  return Scanner(jq).run();
}

}  // namespace pawl
