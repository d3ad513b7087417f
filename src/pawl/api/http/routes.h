// Every resource of the REST API, in one table: what requests are matched against, what calls they
// become, and what the OpenAPI document says.
//
//   Matched found = match("GET", "/v1/executions/e17");
//   found.route->call == "get_execution"; found.members: {execution, "e17"}
//
// Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pawl {

// How a request is answered.
enum class RouteKind : uint8_t {
  call,        // one call, its answer as JSON
  submit,      // the same, or `run` when the client waits
  run,         // `run` with the body as the input; the output itself
  read,        // get_execution, after await when the client waits
  record,      // the same as the ExecutionState record
  output,      // the output of an execution itself
  payload,     // the content of a large payload itself
  events,      // server-sent events
  log,         // a part of what a program has written, awaited if the client waits
  log_events,  // all of it, as server-sent events
  socket,      // a WebSocket
  document,    // the OpenAPI document
  live,
  ready,
  metrics,
};

struct RouteMember {
  enum class Type : uint8_t { text, number, yes };
  const char* name;
  Type type;
  const char* about;
  bool required = false;
};

struct Route {
  const char* method;
  const char* path;  // "/v1/executions/{execution}"
  RouteKind kind;
  const char* call;    // its name in json_codec.h; empty: none
  const char* answer;  // likewise
  int status;
  const char* about;
  std::vector<RouteMember> query{};
  bool body = false;  // a JSON object, whose members are the call's (of `run`: its input)
  bool open = false;  // to everybody, authenticated or not
};

const std::vector<Route>& routes();
inline bool is_stream(const Route& route) {
  return route.kind == RouteKind::events || route.kind == RouteKind::log_events ||
         route.kind == RouteKind::socket;
}
bool may_wait(const Route& route);                         // has the parameter `wait`
bool takes_yaml(const Route& route);                       // the body may be a definition itself
RouteMember::Type type_of_segment(std::string_view name);  // of "{item}" and its kind

struct Matched {
  const Route* route = nullptr;                                   // null: none
  std::vector<std::pair<std::string_view, std::string>> members;  // from the path, decoded
  std::vector<std::string_view> allowed;  // methods of the path, where only the method is wrong
};
Matched match(std::string_view method, std::string_view path);

// %2F and its kind; false: malformed. `plus`: '+' is a space, as in a query.
bool percent_decode(std::string_view text, bool plus, std::string& decoded);

}  // namespace pawl
