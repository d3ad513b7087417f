// Expressions and texts with expressions in them, as the definition declares them.
//
// An expression is jq over one context object:
//   .input                   the execution's input
//   .nodes.<id>.output       the output of a node that this one (transitively) needs
//   .item                    the item, inside a mapped node
//   .execution               {"id": "e17", "workflow": "name"}
// A *plain path* (`.input.a.b`, `.nodes.x.output[3]`) is followed natively, and JSON text stands for
// itself; so all digits of a number are kept. What is *composed* of these and of jq,
// `{"id":(.input.id),"n":(.item | length)}`, is put together natively; everything else goes through
// the Evaluator port.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pawl {

// {"id":(.input.id)} -> literal {"id":, path .input.id, literal }
struct ExpressionPart {
  enum class Kind : uint8_t { literal, path, jq };

  Kind kind = Kind::literal;
  bool in_text = false;           // \(.b) in "a\(.b)c": its value goes on with a text
  std::string text;               // JSON, cut where other parts stand; else jq
  std::vector<std::string> path;  // of a path

  friend bool operator==(const ExpressionPart&, const ExpressionPart&) = default;
};

struct Expression {
  std::string text;                   // jq, without the ${ }; empty: absent
  bool plain = false;                 // `path` says it all
  std::vector<std::string> path;      // {"nodes", "x", "output", "3"}
  std::vector<ExpressionPart> parts;  // of JSON, and of what is composed; else empty

  explicit operator bool() const { return !text.empty(); }
  friend bool operator==(const Expression&, const Expression&) = default;
};

// "a${ .b }c" -> {literal "a"}, {expression .b}, {literal "c"}.
struct TemplatePart {
  std::string literal;  // when `expression` is absent
  Expression expression;

  friend bool operator==(const TemplatePart&, const TemplatePart&) = default;
};

struct Template {
  std::vector<TemplatePart> parts;

  bool empty() const { return parts.empty(); }
  friend bool operator==(const Template&, const Template&) = default;
};

// Recognises in jq text a plain path (a sequence of .name, ."name", ["name"], [number] steps), and
// JSON in which ( ) stands for values and \( ) goes on with texts.
Expression make_expression(std::string jq);

// Appends `value`, JSON too, to the JSON text of the parts before: as "a\(.b)" does in a text, as it
// is elsewhere.
void append_value(std::string& json, std::string_view value, bool in_text);

}  // namespace pawl
