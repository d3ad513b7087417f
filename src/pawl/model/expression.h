// Expressions and texts with expressions in them, as the definition declares them.
//
// An expression is jq over one context object:
//   .input                   the execution's input
//   .nodes.<id>.output       the output of a node that this one (transitively) needs
//   .item                    the item, inside a mapped node
//   .execution               {"id": "e17", "workflow": "name"}
// A *plain path* (`.input.a.b`, `.nodes.x.output[3]`) is followed natively; everything else goes
// through the Evaluator port.
#pragma once

#include <string>
#include <vector>

namespace pawl {

struct Expression {
  std::string text;               // jq, without the ${ }; empty: absent
  bool plain = false;             // `path` says it all
  std::vector<std::string> path;  // {"nodes", "x", "output", "3"}

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

// Recognises a plain path in jq text: a sequence of .name, ."name", ["name"], [number] steps.
Expression make_expression(std::string jq);

}  // namespace pawl
