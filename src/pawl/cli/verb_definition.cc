#include <signal.h>
#include <unistd.h>

#include "pawl/adapter/jq/jq_evaluator.h"
#include "pawl/base/json.h"
#include "pawl/cli/expression_check.h"
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

// No loop watches for interrupts here, and whoever compiles cannot be asked to stop.
void let_interrupts_end_us() {
  struct sigaction end {};
  end.sa_handler = [](int) { _exit(exit_interrupted); };
  sigset_t interrupts;
  sigemptyset(&interrupts);
  for (int signal : {SIGINT, SIGTERM}) {
    sigaction(signal, &end, nullptr);
    sigaddset(&interrupts, signal);
  }
  pthread_sigmask(SIG_UNBLOCK, &interrupts, nullptr);
}

Result<Loaded> load(const std::string& file) {
  PAWL_ASSIGN(std::string text, read_text(file, Limits{}.definition_bytes_max));
  return load_definition(text, file);
}

void tell_json(Console& console, const std::string& file, bool good,
               const std::vector<Problem>& problems) {
  JsonWriter json;
  json.begin_object().key("file").string(file).key("valid").boolean(good);
  json.key("problems").begin_array();
  for (const Problem& problem : problems) {
    json.begin_object().key("file").string(problem.file);
    json.key("line").number(uint64_t{problem.line}).key("column").number(uint64_t{problem.column});
    json.key("message").string(problem.message).end_object();
  }
  console.out(json.end_array().end_object().take() + "\n");
}

bool is_valid(Session& session, const Arguments& given, const std::string& file) {
  Console& console = session.console();
  Result<Loaded> loaded = load(file);
  if (!loaded.ok()) {
    if (Session::wants_json(given))
      tell_json(console, file, false, {{file, 0, 0, loaded.error().message}});
    else
      session.fail(loaded.error());
    return false;
  }
  if (loaded->ok()) {
    NoAnswers nobody;
    JqEvaluator jq(JqOptions{}, nobody);
    check_expressions(*loaded, file, [&](const std::string& text) { return jq.check(text); });
  }
  if (Session::wants_json(given)) {
    tell_json(console, file, loaded->ok(), loaded->problems);
    return loaded->ok();
  }
  for (const Problem& problem : loaded->problems) console.err(to_text(problem) + "\n");
  if (loaded->ok()) {
    size_t nodes = loaded->workflow.nodes.size();
    console.out(file + ": " + loaded->workflow.name + ", " + std::to_string(nodes) +
                (nodes == 1 ? " node" : " nodes") + ", no problems\n");
  }
  return loaded->ok();
}

}  // namespace

int verb_validate(Session& session, const Arguments& given) {
  if (Status fits = Session::check_output(given); !fits.ok()) return session.fail(fits.error());
  let_interrupts_end_us();
  bool good = true;
  for (const std::string& file : given.positionals()) {
    good = is_valid(session, given, file) && good;
    session.console().flush();  // an interrupt takes what has not been written
  }
  return good ? exit_ok : exit_usage;
}

int verb_graph(Session& session, const Arguments& given) {
  let_interrupts_end_us();
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
