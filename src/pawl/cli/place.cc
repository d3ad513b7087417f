#include "pawl/cli/place.h"

#include <cstdlib>
#include <utility>
#include <vector>

#include "pawl/cli/contexts.h"
#include "pawl/cli/inputs.h"

namespace pawl::cli {
namespace {

constexpr const char* default_directory = ".pawl";

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

struct Wish {
  std::string state;
  std::string server;
  std::string context;

  bool any() const { return !state.empty() || !server.empty() || !context.empty(); }
  bool one() const { return !state.empty() + !server.empty() + !context.empty() == 1; }
};

Place directory(const std::string& path) {
  Place place;
  place.directory = path;
  place.name = path;
  return place;
}

Result<Place> server(const Context& context, std::string token) {
  PAWL_ASSIGN([[maybe_unused]] HttpUrl url, parse_http_url(context.server));
  if (context.certificate_file.empty() != context.key_file.empty())
    return Error{Code::invalid_argument, "a certificate and its key are given together"};
  if (!context.token_file.empty()) {
    PAWL_ASSIGN(token, read_text(context.token_file, token_bytes_max));
    while (!token.empty() && (token.back() == '\n' || token.back() == '\r')) token.pop_back();
  }
  Place place;
  place.name = context.server;
  place.server.emplace();
  place.server->url = context.server;
  place.server->token = std::move(token);
  place.server->tls = {context.ca_file, context.certificate_file, context.key_file};
  return place;
}

Result<Place> named(const std::string& name, const std::string& file) {
  if (name == local_context) return directory(default_directory);
  PAWL_ASSIGN(Contexts contexts, load_contexts(file));
  PAWL_ASSIGN(Context context, contexts.find(name));
  return server(context, "");
}

Result<Place> place_at(const Wish& wish, const Variables& variables) {
  if (!wish.state.empty()) return directory(wish.state);
  if (!wish.context.empty()) return named(wish.context, variables.contexts_file);
  Context context;
  context.server = wish.server;
  context.ca_file = variables.ca_file;
  context.certificate_file = variables.certificate_file;
  context.key_file = variables.key_file;
  return server(context, variables.token);
}

}  // namespace

Variables Variables::of_process() {
  Variables variables;
  variables.state = variable("PAWL_STATE");
  variables.server = variable("PAWL_SERVER");
  variables.context = variable("PAWL_CONTEXT");
  variables.token = variable("PAWL_TOKEN");
  variables.ca_file = variable("PAWL_CA");
  variables.certificate_file = variable("PAWL_CERTIFICATE");
  variables.key_file = variable("PAWL_KEY");
  variables.contexts_file = cli::contexts_file();
  return variables;
}

Result<Place> place_of(const Arguments& given, const Variables& variables) {
  Wish typed{given.value("state").value_or(""), given.value("server").value_or(""),
             given.value("context").value_or("")};
  if (typed.any() && !typed.one())
    return Error{Code::invalid_argument,
                 "--state, --server and --context each name a place; give one of them"};
  if (typed.any()) {
    PAWL_ASSIGN(Place place, place_at(typed, variables));
    if (!typed.state.empty() && typed.state != variables.state)
      place.option = " --state " + typed.state;
    if (!typed.server.empty() && typed.server != variables.server)
      place.option = " --server " + typed.server;
    if (!typed.context.empty() && typed.context != variables.context)
      place.option = " --context " + typed.context;
    return place;
  }
  Wish set{variables.state, variables.server, variables.context};
  if (set.any() && !set.one())
    return Error{Code::invalid_argument,
                 "PAWL_STATE, PAWL_SERVER and PAWL_CONTEXT each name a place, and more than one of "
                 "them is set; unset the others, or say --state, --server or --context"};
  if (set.any()) return place_at(set, variables);
  PAWL_ASSIGN(Contexts contexts, load_contexts(variables.contexts_file));
  return named(contexts.current, variables.contexts_file);
}

std::string local_directory(const Arguments& given) {
  if (std::optional<std::string> named_one = given.value("state")) return *named_one;
  std::string set = variable("PAWL_STATE");
  return set.empty() ? default_directory : set;
}

}  // namespace pawl::cli
