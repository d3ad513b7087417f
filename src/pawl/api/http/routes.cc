#include "pawl/api/http/routes.h"

#include <algorithm>
#include <array>
#include <optional>

namespace pawl {
namespace {

using Type = RouteMember::Type;

const RouteMember limit{"limit", Type::number, "at most so many"};
const RouteMember wait{"wait", Type::text,
                       "answer once it has ended or is parked, at the latest after this long: 30s"};
const RouteMember access_token{
    "access_token", Type::text,
    "instead of Authorization, for browsers, which cannot send that here"};
const RouteMember after{"after", Type::text, "only what comes behind this place: 12-3"};

const RouteMember message{"message", Type::yes, "with the task as a message"};
const RouteMember item{"item", Type::number, "of a mapped node"};
const RouteMember attempt{"attempt", Type::number, "not the newest, but this"};
const RouteMember stream{"stream", Type::text, "stdout, which is meant without it, or stderr"};
const RouteMember offset{"offset", Type::number, "from this byte on"};

using Kind = RouteKind;

const std::vector<Route> table = {
    {"POST",
     "/v1/executions",
     Kind::submit,
     "submit",
     "submitted",
     201,
     "Start an execution",
     {wait},
     true},
    {"GET",
     "/v1/executions",
     Kind::call,
     "list_executions",
     "executions",
     200,
     "Executions, newest first",
     {{"before", Type::text, "only those before this execution: e17"},
      limit,
      {"status", Type::text, "only those with this status"}}},
    {"POST",
     "/v1/execution-batches",
     Kind::call,
     "submit_many",
     "submitted_many",
     201,
     "Start an execution for each of many inputs",
     {},
     true},
    {"GET",
     "/v1/executions/{execution}",
     Kind::read,
     "get_execution",
     "execution",
     200,
     "Everything about an execution",
     {wait}},
    {"DELETE", "/v1/executions/{execution}", Kind::call, "forget", "changed", 200,
     "Remove an execution that has ended"},
    {"GET",
     "/v1/executions/{execution}/state",
     Kind::record,
     "get_execution",
     "",
     200,
     "The ExecutionState record: WorkflowID, ExecutionID, Status, NodeStates, StartTime, EndTime, "
     "Error, Metadata",
     {wait}},
    {"GET",
     "/v1/executions/{execution}/output",
     Kind::output,
     "get_execution",
     "",
     200,
     "The output itself",
     {wait}},
    {"GET",
     "/v1/executions/{execution}/history",
     Kind::call,
     "read_history",
     "history",
     200,
     "Its events, oldest first",
     {after, limit}},
    {"GET",
     "/v1/executions/{execution}/progress",
     Kind::call,
     "get_progress",
     "progress",
     200,
     "The newest word of each running task that has reported any",
     {limit, {"words_after", Type::number, "also all that was said behind this \"words_cursor\""}}},
    {"GET",
     "/v1/executions/{execution}/why",
     Kind::call,
     "explain",
     "reasons",
     200,
     "Why it is not running, and what would change it",
     {{"node", Type::text, "this node alone"}, {"item", Type::number, "this item of it"}}},
    {"GET",
     "/v1/executions/{execution}/events",
     Kind::events,
     "read_history",
     "",
     200,
     "Server-sent events: history, progress and state, until it has ended",
     {after,
      {"words_after", Type::number, "the \"words_cursor\" of the last progress that was seen"},
      access_token}},
    {"GET",
     "/v1/executions/{execution}/tasks/{node}",
     Kind::call,
     "get_task",
     "task",
     200,
     "The task of a node",
     {message}},
    {"GET",
     "/v1/executions/{execution}/logs",
     Kind::call,
     "list_logs",
     "logs",
     200,
     "What is kept of what its programs have written",
     {{"node", Type::text, "this node alone"},
      item,
      {"after", Type::text, "the \"next\" of the page before"},
      limit}},
    {"GET",
     "/v1/executions/{execution}/tasks/{node}/logs",
     Kind::log,
     "read_log",
     "log_part",
     200,
     "What the program of an attempt has written, part by part",
     {item,
      attempt,
      stream,
      offset,
      {"wait", Type::text, "for more to come, at most so long: 30s"}}},
    {"GET",
     "/v1/executions/{execution}/tasks/{node}/logs/events",
     Kind::log_events,
     "read_log",
     "",
     200,
     "The same as server-sent events, as it is written, until the attempt has ended",
     {item, attempt, stream, offset, access_token}},
    {"GET",
     "/v1/executions/{execution}/tasks/{node}/{item}",
     Kind::call,
     "get_task",
     "task",
     200,
     "The task of an item of a mapped node",
     {message}},
    {"POST",
     "/v1/executions/{execution}/cancel",
     Kind::call,
     "cancel",
     "changed",
     200,
     "Cancel an execution, a plain node, or an item",
     {},
     true},
    {"POST",
     "/v1/executions/{execution}/redrive",
     Kind::call,
     "redrive",
     "changed",
     200,
     "Give its dead letters a new round of attempts",
     {},
     true},
    {"POST",
     "/v1/executions/{execution}/discard",
     Kind::call,
     "discard",
     "changed",
     200,
     "Give its dead letters up",
     {},
     true},
    {"GET",
     "/v1/dead-letters",
     Kind::call,
     "list_dead_letters",
     "dead_letters",
     200,
     "What has failed for good and waits for somebody",
     {{"execution", Type::text, "of this execution alone"}, limit}},
    {"PUT",
     "/v1/workflows",
     Kind::call,
     "register",
     "registered",
     200,
     "Make a definition known, so that it can be started by its name",
     {},
     true},
    {"GET",
     "/v1/workflows",
     Kind::call,
     "list_workflows",
     "workflows",
     200,
     "Registered versions, newest first",
     {{"before", Type::number, "only those before this id"}, limit}},
    {"GET", "/v1/workflows/{name}", Kind::call, "get_workflow", "workflow", 200,
     "The newest version of a name, or of name@version"},
    {"POST",
     "/v1/workflows/{workflow}/run",
     Kind::run,
     "submit",
     "",
     200,
     "Run the newest version of a name, or name@version: the body is its input, the answer its "
     "output",
     {wait},
     true},
    {"GET",
     "/v1/payloads/{owner}/{sequence}",
     Kind::payload,
     "read_payload",
     "",
     200,
     "A large payload itself, as a \"blob\" names it",
     {{"size", Type::number, "of the blob", true}, {"hash", Type::text, "of the blob", true}}},
    {"GET", "/v1/queues", Kind::call, "list_queues", "queues", 200,
     "Every queue that a workflow or a configuration names"},
    {"PUT",
     "/v1/queues/{queue}",
     Kind::call,
     "configure_queue",
     "changed",
     200,
     "Change how a queue is handed out, from the next task on",
     {},
     true},
    {"GET", "/v1/workers", Kind::call, "list_workers", "workers", 200, "Every connected worker"},
    {"GET", "/v1/overview", Kind::call, "get_overview", "overview", 200, "Counts over everything"},
    {"GET", "/v1/server", Kind::call, "get_server", "server", 200, "Who serves"},
    {"GET",
     "/v1/ws",
     Kind::socket,
     "",
     "",
     101,
     "A WebSocket for any number of calls and watches",
     {access_token}},
    {"GET", "/metrics", Kind::metrics, "get_metrics", "", 200,
     "Figures in Prometheus' text format"},
    {"GET", "/v1/openapi.json", Kind::document, "", "", 200, "This document", {}, false, true},
    {"GET", "/livez", Kind::live, "", "", 200, "Whether the process serves", {}, false, true},
    {"GET",
     "/readyz",
     Kind::ready,
     "get_server",
     "",
     200,
     "Whether it takes work: 503 while it stops, has failed, or has a full disk",
     {},
     false,
     true},
    {"GET", "/startupz", Kind::live, "", "", 200, "Whether it has started", {}, false, true},
};

constexpr size_t segments_max = 8;
struct Segments {
  std::array<std::string_view, segments_max> of;
  size_t count = 0;
};

std::optional<Segments> segments_of(std::string_view path) {
  Segments segments;
  while (!path.empty()) {
    path.remove_prefix(1);  // the slash
    size_t end = std::min(path.find('/'), path.size());
    if (segments.count == segments_max) return std::nullopt;
    segments.of[segments.count++] = path.substr(0, end);
    path.remove_prefix(end);
  }
  return segments;
}

struct Pattern {
  const Route* route;
  Segments segments;
};

const std::vector<Pattern>& patterns() {
  static const std::vector<Pattern> made = [] {
    std::vector<Pattern> list;
    for (const Route& route : routes()) list.push_back({&route, *segments_of(route.path)});
    return list;
  }();
  return made;
}

bool is_member(std::string_view segment) {
  return segment.starts_with('{');
}

bool fits(const Segments& pattern, const Segments& path) {
  if (pattern.count != path.count) return false;
  for (size_t i = 0; i < path.count; ++i) {
    bool same = is_member(pattern.of[i]) ? !path.of[i].empty() : pattern.of[i] == path.of[i];
    if (!same) return false;
  }
  return true;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

const std::vector<Route>& routes() {
  return table;
}

bool may_wait(const Route& route) {
  return std::any_of(route.query.begin(), route.query.end(),
                     [](const RouteMember& one) { return std::string_view(one.name) == "wait"; });
}

bool takes_yaml(const Route& route) {
  return route.kind == RouteKind::submit || std::string_view(route.call) == "register";
}

Type type_of_segment(std::string_view name) {
  return name == "item" ? Type::number : Type::text;
}

Matched match(std::string_view method, std::string_view path) {
  Matched matched;
  if (!path.starts_with('/')) return matched;
  std::optional<Segments> segments = segments_of(path);
  if (!segments) return matched;
  for (const Pattern& pattern : patterns()) {
    if (!fits(pattern.segments, *segments)) continue;
    std::string_view wanted = method == "HEAD" && !is_stream(*pattern.route) ? "GET" : method;
    matched.allowed.push_back(pattern.route->method);
    if (matched.allowed.back() == "GET" && !is_stream(*pattern.route))
      matched.allowed.push_back("HEAD");
    if (pattern.route->method != wanted) continue;
    for (size_t i = 0; i < segments->count; ++i) {
      std::string_view name = pattern.segments.of[i];
      if (!is_member(name)) continue;
      std::string value;
      if (!percent_decode(segments->of[i], false, value)) return {};
      matched.members.emplace_back(name.substr(1, name.size() - 2), std::move(value));
    }
    matched.route = pattern.route;
    return matched;
  }
  return matched;
}

bool percent_decode(std::string_view text, bool plus, std::string& decoded) {
  decoded.clear();
  decoded.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus) {
      decoded += ' ';
    } else if (text[i] != '%') {
      decoded += text[i];
    } else {
      int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
      int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
      if (high < 0 || low < 0) return false;
      decoded += static_cast<char>(high << 4 | low);
      i += 2;
    }
  }
  return true;
}

}  // namespace pawl
