// The value of an expression as far as paths and JSON give it, and what an evaluator is to be asked
// for the rest. What does not pass the evaluator keeps every digit: jq's numbers are doubles.
//
//   PAWL_ASSIGN(Draft draft, make_draft(context, expression, item));   // {"a":(.input.a),"n":(.item + 1)}
//   if (draft.is_whole()) return draft.take_value();
//   evaluator.start(ticket, draft.take_program(), draft.take_document(), at_most);
//   ...
//   Result<std::string> value = draft.filled(std::move(evaluation.value));
//
// Threading: plain values.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "pawl/context/context.h"

namespace pawl {

constexpr uint64_t composed_bytes_max = 256 << 20;  // that paths and JSON bring into one value

class Draft {
 public:
  // No evaluator is needed.
  bool is_whole() const { return whole_; }
  std::string take_value() { return std::move(json_); }

  // Of what is not whole.
  std::string take_program() { return std::move(program_); }
  std::shared_ptr<const std::string> take_document() { return std::move(document_); }
  Result<std::string> filled(Result<std::string> answer) const;  // `answer`: the program's value

  uint64_t size() const { return json_.size(); }

 private:
  friend Result<Draft> make_draft(Context& context, const Expression& expression, ItemIndex item);

  struct Hole {
    size_t at = 0;  // in `json_`
    bool in_text = false;
  };

  Status add(const ExpressionPart& part, Context& context, ItemIndex item);

  bool whole_ = false;
  std::string json_;
  std::vector<Hole> holes_;  // none: the answer is the value
  std::string program_;
  std::shared_ptr<const std::string> document_;
};

// What Context::value() and Context::document() refuse; RESOURCE_EXHAUSTED above composed_bytes_max.
Result<Draft> make_draft(Context& context, const Expression& expression, ItemIndex item);

}  // namespace pawl
