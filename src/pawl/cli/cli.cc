#include "pawl/cli/cli.h"

#include "pawl/cli/verb_table.h"
#include "pawl/definition/nearest.h"

namespace pawl::cli {
namespace {

const VerbEntry* find_verb(const std::string& name) {
  for (const VerbEntry& entry : verb_table()) {
    if (entry.spec.name == name) return &entry;
  }
  return nullptr;
}

int unknown_verb(Session& session, const std::string& name) {
  std::vector<std::string_view> names;
  for (const VerbEntry& entry : verb_table()) names.push_back(entry.spec.name);
  return session.fail(
      {Code::invalid_argument,
       "there is no verb \"" + name + "\"" + did_you_mean(name, names) + " (pawl help shows all)"});
}

bool asks_for_help(const std::string& word) {
  return word == "help" || word == "--help" || word == "-h";
}

int help(Session& session, const std::vector<std::string>& words) {
  if (words.empty() || asks_for_help(words.front())) {
    session.console().out(overview());
    return exit_ok;
  }
  const VerbEntry* entry = find_verb(words.front());
  if (entry == nullptr) return unknown_verb(session, words.front());
  session.console().out(help_of(entry->spec));
  return exit_ok;
}

int run(Session& session, const std::vector<std::string>& words) {
  Console& console = session.console();
  if (words.empty()) {
    console.err(overview());
    return exit_usage;
  }
  const std::string& name = words.front();
  std::vector<std::string> rest(words.begin() + 1, words.end());
  if (asks_for_help(name)) return help(session, rest);
  if (name == "version" || name == "--version" || name == "-V") {
    console.out("pawl 0.1.0\n");
    return exit_ok;
  }
  const VerbEntry* entry = find_verb(name);
  if (entry == nullptr) return unknown_verb(session, name);
  Result<Arguments> given = parse_arguments(entry->spec, rest);
  if (!given.ok()) return session.fail(given.error());
  if (given->has("help")) return help(session, {name});
  return entry->run(session, *given);
}

}  // namespace

int run_command(const std::vector<std::string>& words, Stations& stations) {
  Console console(ConsoleFacts::of_process());
  Session session(console, stations);
  int code = run(session, words);
  Status written = console.written();
  if (written.ok()) return code;
  session.fail(written.error());
  return code == exit_ok ? exit_failed : code;
}

}  // namespace pawl::cli
