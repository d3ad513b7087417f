// Workflow files: YAML or JSON text becomes a model::Workflow, or a list of everything that is
// wrong with it. The format is described in docs/workflows.md and docs/schema/workflow.schema.json.
//
//   Loaded loaded = load_definition(text, "nightly.yaml");
//   for (const Problem& p : loaded.problems) print(to_text(p));
//       nightly.yaml:7:13: error: unknown node "lst"; did you mean "list"?
//   if (loaded.ok()) submit(loaded.workflow);
//
// jq is not checked here, because that takes an Evaluator: `expressions` says where each one
// stands, so that its error can be shown at file:line:column too. Pure functions; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "pawl/base/result.h"
#include "pawl/model/expression.h"
#include "pawl/model/limits.h"
#include "pawl/model/workflow.h"

namespace pawl {

constexpr size_t definition_problems_max = 20;

// Lines and columns count from 1; a column is a character, not a byte.
struct Problem {
  std::string file;
  uint32_t line = 1;
  uint32_t column = 1;
  std::string message;
};

std::string to_text(const Problem& problem);  // "file:line:column: error: message"

// One expression as the author wrote it. A value that mixes text and expressions holds several.
struct ExpressionSite {
  Expression expression;
  uint32_t line = 1;
  uint32_t column = 1;
  std::string node;   // empty: the workflow's own output
  std::string field;  // "for_each", "env.NAME", ...
};

struct Loaded {
  Workflow workflow;              // finished, and meaningful only when ok()
  std::vector<Problem> problems;  // by position; at most definition_problems_max
  std::vector<ExpressionSite> expressions;

  bool ok() const { return problems.empty(); }
};

// Text longer than `bytes_max` is refused unread.
Loaded load_definition(std::string_view text, std::string_view file_name,
                       uint64_t bytes_max = Limits{}.definition_bytes_max);

// Whether `input` (a valid JSON object, or empty) fits the inputs that the workflow
// declares: none is unknown, and none declared as null is missing. A workflow that declares
// no inputs takes anything.
Status check_input(const Workflow& workflow, std::string_view input);

}  // namespace pawl
