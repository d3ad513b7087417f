// `pawl context`: servers by name.

#include <unistd.h>

#include <climits>
#include <cstdlib>

#include "pawl/cli/contexts.h"
#include "pawl/cli/table.h"
#include "pawl/cli/verbs.h"

namespace pawl::cli {
namespace {

Result<std::string> whole_path(const Arguments& given, const char* option) {
  std::optional<std::string> file = given.value(option);
  if (!file) return std::string();
  char whole[PATH_MAX];
  if (realpath(file->c_str(), whole) == nullptr || access(whole, R_OK) != 0)
    return Error{Code::invalid_argument,
                 "--" + std::string(option) + ": " + *file + " cannot be read"};
  return std::string(whole);
}

Result<std::string> add(Contexts& contexts, const std::string& name, const Arguments& given) {
  if (!given.has("server"))
    return Error{Code::invalid_argument,
                 "which server? pawl context add " + name + " --server https://pawl.example.org"};
  Context context;
  context.name = name;
  context.server = *given.value("server");
  PAWL_ASSIGN(context.token_file, whole_path(given, "token-file"));
  PAWL_ASSIGN(context.ca_file, whole_path(given, "ca"));
  PAWL_ASSIGN(context.certificate_file, whole_path(given, "certificate"));
  PAWL_ASSIGN(context.key_file, whole_path(given, "key"));
  PAWL_TRY(contexts.add(std::move(context)));
  return "added " + name + "; pawl context use " + name + " makes it the one that verbs go to";
}

std::string proof_of(const Context& one) {
  if (!one.token_file.empty()) return "token";
  return one.certificate_file.empty() ? "" : "certificate";
}

void show(Session& session, const Contexts& contexts) {
  Table table({"", "NAME", "SERVER", "PROOF"});
  auto sign = [&](const std::string& name) { return name == contexts.current ? "*" : ""; };
  table.row({sign(local_context), local_context, "this machine's state directory", ""});
  for (const Context& one : contexts.all)
    table.row({sign(one.name), one.name, one.server, proof_of(one)});
  session.console().out(table.text());
}

Result<std::string> change(Contexts& contexts, const Arguments& given) {
  const std::string& action = given.positionals()[0];
  if (given.positionals().size() < 2)
    return Error{Code::invalid_argument, "which one? pawl context " + action + " NAME"};
  const std::string& name = given.positionals()[1];
  if (action == "add") return add(contexts, name, given);
  if (action == "use") {
    PAWL_TRY(contexts.use(name));
    return "verbs go to " + (name == local_context ? "the state directory" : name) + " from now on";
  }
  PAWL_TRY(contexts.remove(name));
  return "removed " + name;
}

}  // namespace

int verb_context(Session& session, const Arguments& given) {
  if (Status fits = Session::check_output(given); !fits.ok()) return session.fail(fits.error());
  std::string action = given.positionals().empty() ? "list" : given.positionals()[0];
  if (action != "list" && action != "add" && action != "use" && action != "remove")
    return session.fail(
        {Code::invalid_argument, "\"" + action + "\" is not add, use, list or remove"});
  if (action == "list" && given.positionals().size() > 1)
    return session.fail({Code::invalid_argument, "unexpected \"" + given.positionals()[1] +
                                                     "\"; pawl context list shows all"});
  std::string file = contexts_file();
  Result<Contexts> contexts = load_contexts(file);
  if (!contexts.ok()) return session.fail(contexts.error());
  if (action == "list") {
    if (Session::wants_json(given))
      session.console().out(to_json(*contexts) + "\n");
    else
      show(session, *contexts);
    return exit_ok;
  }
  Result<std::string> done = change(*contexts, given);
  if (!done.ok()) return session.fail(done.error());
  if (Status saved = save_contexts(file, *contexts); !saved.ok())
    return session.fail(saved.error());
  session.say(*done);
  return exit_ok;
}

}  // namespace pawl::cli
