#include "pawl/adapter/jq/jq_evaluator.h"
#include "pawl/base/json.h"
#include "pawl/cli/inputs.h"
#include "pawl/cli/verbs.h"
#include "pawl/definition/definition.h"
#include "pawl/definition/graph.h"

namespace pawl::cli {
namespace {

class NoAnswers final : public Sink<Evaluation> {
 public:
  void put(Evaluation) override {}
};

// What jq says about the expressions that are more than paths, at their places.
void check_expressions(Loaded& loaded, const std::string& file) {
  NoAnswers nobody;
  JqEvaluator jq(JqOptions{}, nobody);
  for (const ExpressionSite& site : loaded.expressions) {
    if (site.expression.plain) continue;
    Status compiled = jq.check(site.expression.text);
    if (!compiled.ok()) {
      loaded.problems.push_back({file, site.line, site.column, compiled.error().message});
    }
  }
}

Result<Loaded> load(const std::string& file) {
  PAWL_ASSIGN(std::string text, read_text(file, Limits{}.definition_bytes_max));
  return load_definition(text, file);
}

void tell_json(Console& console, const Loaded& loaded) {
  JsonWriter json;
  json.begin_object().key("valid").boolean(loaded.ok()).key("problems").begin_array();
  for (const Problem& problem : loaded.problems) {
    json.begin_object().key("file").string(problem.file);
    json.key("line").number(uint64_t{problem.line}).key("column").number(uint64_t{problem.column});
    json.key("message").string(problem.message).end_object();
  }
  console.out(json.end_array().end_object().take() + "\n");
}

}  // namespace

int verb_validate(Session& session, const Arguments& given) {
  if (Status fits = Session::check_output(given); !fits.ok()) return session.fail(fits.error());
  Console& console = session.console();
  bool good = true;
  for (const std::string& file : given.positionals()) {
    Result<Loaded> loaded = load(file);
    if (!loaded.ok()) {
      session.fail(loaded.error());
      return exit_usage;
    }
    if (loaded->ok()) check_expressions(*loaded, file);
    good = good && loaded->ok();
    if (Session::wants_json(given)) {
      tell_json(console, *loaded);
      continue;
    }
    for (const Problem& problem : loaded->problems) console.err(to_text(problem) + "\n");
    if (loaded->ok()) {
      size_t nodes = loaded->workflow.nodes.size();
      console.out(file + ": " + loaded->workflow.name + ", " + std::to_string(nodes) +
                  (nodes == 1 ? " node" : " nodes") + ", no problems\n");
    }
  }
  return good ? exit_ok : exit_usage;
}

int verb_graph(Session& session, const Arguments& given) {
  Result<Loaded> loaded = load(given.positionals().front());
  if (!loaded.ok()) {
    session.fail(loaded.error());
    return exit_usage;
  }
  for (const Problem& problem : loaded->problems) session.console().err(to_text(problem) + "\n");
  if (!loaded->ok()) return exit_usage;
  session.console().out(to_mermaid(loaded->workflow));
  return exit_ok;
}

}  // namespace pawl::cli
