#include "pawl/api/http/open_api.h"

#include <algorithm>
#include <map>
#include <vector>

#include "pawl/api/event_fields.h"
#include "pawl/api/http/routes.h"
#include "pawl/api/json_codec.h"
#include "pawl/base/json.h"

namespace pawl {
namespace {

constexpr const char* execution_pattern = "^e[1-9][0-9]{0,18}$";

// Takes the part of a writer in fields(io, value), and writes what the members look like.
class SchemaWriter {
 public:
  explicit SchemaWriter(JsonWriter& out) : out_(out) {}

  template <class T>
  void operator()(const char* key, const T& value) {
    if (!begin(key)) return;
    schema(value);
  }
  template <class T>
  void required(const char* key, const T& value) {
    required_.push_back(key);
    (*this)(key, value);
  }
  template <class T>
  void unless_null(const char* key, const std::optional<T>&) {
    (*this)(key, T{});
  }
  void json(const char* key, const std::string&) { simple(key, "object", nullptr); }
  void json_list(const char* key, const std::vector<std::string>&) {
    if (!begin(key)) return;
    out_.begin_object().key("type").string("array");
    out_.key("items").begin_object().key("type").string("object").end_object().end_object();
  }
  template <class V>
  void choice(const char* key, const char* with, const V&) {
    simple(key, "string", nullptr);
    simple(with, "object", nullptr);
  }
  template <class T>
  void text(const char* key, const T&, const char* what) {
    simple(key, "string", what);
  }
  void random(const char* key, uint64_t) { simple(key, "string", "16 hex digits"); }
  void bytes(const char* key, const Bytes&) { simple(key, "string", "hex digits"); }
  void milliseconds(const char* key, const Duration&) { simple(key, "integer", "milliseconds"); }
  void encoded(const char* key, const Payload&) { simple(key, nullptr, "null, items or a blob"); }

  // `without`: members that come from elsewhere.
  template <class T>
  void object(const T& value, const std::vector<std::string_view>& without = {}) {
    without_ = without;
    out_.begin_object().key("type").string("object").key("properties").begin_object();
    fields(*this, value);
    out_.end_object();
    std::erase_if(required_, [&](std::string_view one) { return left_out(one); });
    if (!required_.empty()) {
      out_.key("required").begin_array();
      for (std::string_view one : required_) out_.string(one);
      out_.end_array();
    }
    out_.end_object();
  }

 private:
  bool left_out(std::string_view key) const {
    return std::find(without_.begin(), without_.end(), key) != without_.end();
  }
  bool begin(const char* key) {
    if (left_out(key)) return false;
    out_.key(key);
    return true;
  }
  void simple(const char* key, const char* type, const char* about) {
    if (begin(key)) simple(type, about);
  }
  void simple(const char* type, const char* about) {
    out_.begin_object();
    if (type != nullptr) out_.key("type").string(type);
    if (about != nullptr) out_.key("description").string(about);
    out_.end_object();
  }

  template <class T>
  void schema(const T& value) {
    if constexpr (std::is_enum_v<T>) {
      names<T>();
    } else if constexpr (std::same_as<T, bool>) {
      simple("boolean", nullptr);
    } else if constexpr (std::is_integral_v<T>) {
      simple("integer", nullptr);
    } else {
      SchemaWriter(out_).object(value);
    }
  }
  void schema(const std::string&) { simple("string", nullptr); }
  void schema(const ExecutionId&) {
    out_.begin_object().key("type").begin_array().string("string").string("null").end_array();
    out_.key("pattern").string(execution_pattern);
    out_.key("description").string("an execution's id, as e17").end_object();
  }
  template <class Tag>
  void schema(const Id<Tag>&) {
    simple("integer", nullptr);
  }
  void schema(const WallTime&) { simple_or_null("string", "RFC 3339"); }
  void schema(const Instant&) { simple("integer", "nanoseconds of the duration clock"); }
  void schema(const Hash128&) { simple("string", "32 hex digits"); }
  void schema(const Payload&) { simple(nullptr, "null, {\"json\": value} or {\"blob\": {...}}"); }
  template <class T>
  void schema(const std::optional<T>&) {
    out_.begin_object().key("anyOf").begin_array();
    schema(T{});
    out_.begin_object().key("type").string("null").end_object().end_array().end_object();
  }
  template <class T>
  void schema(const std::vector<T>&) {
    out_.begin_object().key("type").string("array").key("items");
    schema(T{});
    out_.end_object();
  }
  void simple_or_null(const char* type, const char* about) {
    out_.begin_object().key("type").begin_array().string(type).string("null").end_array();
    out_.key("description").string(about).end_object();
  }
  template <class T>
  void names() {
    std::vector<std::string_view> known;
    for (int i = 0; i < json_enumerators_max; ++i) {
      std::string_view one = name(static_cast<T>(i));
      if (one == "unknown" || one == "UNKNOWN_CODE") continue;
      if (std::find(known.begin(), known.end(), one) == known.end()) known.push_back(one);
    }
    out_.begin_object().key("type").string("string").key("enum").begin_array();
    for (std::string_view one : known) out_.string(one);
    out_.end_array().end_object();
  }

  JsonWriter& out_;
  std::vector<std::string_view> required_;
  std::vector<std::string_view> without_;
};

// The schema of the alternative with this number.
template <class V, size_t... I>
void alternative(JsonWriter& out, size_t which, const std::vector<std::string_view>& without,
                 std::index_sequence<I...>) {
  auto one = [&](auto index) {
    if (index == which) SchemaWriter(out).object(std::variant_alternative_t<index, V>{}, without);
  };
  (one(std::integral_constant<size_t, I>()), ...);
}

size_t place_of(std::string_view name, const std::vector<std::string_view>& names) {
  return static_cast<size_t>(std::find(names.begin(), names.end(), name) - names.begin());
}

void put_schema(JsonWriter& out, const Route& route, bool of_answer,
                const std::vector<std::string_view>& without) {
  if (of_answer)
    alternative<CallResult>(out, 1 + place_of(route.answer, answer_names()), {},
                            std::make_index_sequence<std::variant_size_v<CallResult>>());
  else
    alternative<Call>(out, place_of(route.call, call_names()), without,
                      std::make_index_sequence<std::variant_size_v<Call>>());
}

std::vector<std::string_view> members_of(std::string_view path) {
  std::vector<std::string_view> found;
  for (size_t at = path.find('{'); at != std::string_view::npos; at = path.find('{', at + 1))
    found.push_back(path.substr(at + 1, path.find('}', at) - at - 1));
  return found;
}

void put_parameter(JsonWriter& out, std::string_view name, const char* in, bool required,
                   RouteMember::Type type, const char* about) {
  out.begin_object().key("name").string(name).key("in").string(in);
  if (required) out.key("required").boolean(true);
  if (about != nullptr) out.key("description").string(about);
  out.key("schema").begin_object();
  out.key("type").string(type == RouteMember::Type::number ? "integer"
                         : type == RouteMember::Type::yes  ? "boolean"
                                                           : "string");
  if (name == "execution" || name == "owner") out.key("pattern").string(execution_pattern);
  out.end_object().end_object();
}

void put_parameters(JsonWriter& out, const Route& route,
                    const std::vector<std::string_view>& in_path) {
  out.key("parameters").begin_array();
  for (std::string_view name : in_path)
    put_parameter(out, name, "path", true, type_of_segment(name), nullptr);
  for (const RouteMember& one : route.query)
    put_parameter(out, one.name, "query", one.required, one.type, one.about);
  auto header = [&](const char* name, const char* about) {
    put_parameter(out, name, "header", false, RouteMember::Type::text, about);
  };
  if (std::string_view(route.call).starts_with("submit")) {
    header("Idempotency-Key", "the request id: sent again, it has one effect");
    header("traceparent", "W3C Trace Context: the trace that the execution belongs to");
  }
  if (route.kind == RouteKind::events || route.kind == RouteKind::log_events)
    header("Last-Event-ID", "of the last event that has come: only what is behind it is sent");
  if (may_wait(route)) header("Prefer", "wait=30: the same as the parameter wait");
  out.end_array();
}

const char* media_type(const Route& route) {
  if (route.kind == RouteKind::metrics) return "text/plain";
  bool streams = is_stream(route) && route.kind != RouteKind::socket;
  return streams ? "text/event-stream" : "application/json";
}

void put_responses(JsonWriter& out, const Route& route) {
  out.key("responses").begin_object();
  auto response = [&](int status, const char* about, const char* answer) {
    out.key(std::to_string(status)).begin_object().key("description").string(about);
    if (status != 101 && status != 204) {
      out.key("content").begin_object().key(media_type(route)).begin_object();
      if (answer[0] != '\0') {
        out.key("schema");
        Route shown = route;
        shown.answer = answer;
        put_schema(out, shown, true, {});
      }
      out.end_object().end_object();
    }
    out.end_object();
  };
  response(route.status, route.about, route.answer);
  if (route.kind == RouteKind::submit) {
    response(200, "It was waited for, and has ended or is parked", "execution");
    response(202, "It was waited for, and is still running", "execution");
  }
  if (route.kind == RouteKind::run) response(202, "It is still running", "execution");
  if (is_stream(route) && route.kind != RouteKind::socket)
    response(204, "There is nothing left to tell", "");
  out.key("default").begin_object().key("$ref").string("#/components/responses/Problem");
  out.end_object().end_object();
}

void put_body(JsonWriter& out, const Route& route, const std::vector<std::string_view>& in_path) {
  out.key("requestBody").begin_object().key("content").begin_object();
  out.key("application/json").begin_object().key("schema");
  if (route.kind == RouteKind::run)
    out.begin_object().key("type").string("object").end_object();
  else
    put_schema(out, route, false, in_path);
  out.end_object();
  if (takes_yaml(route)) {
    out.key("application/yaml").begin_object().key("schema").begin_object();
    out.key("type").string("string").key("description").string("the definition itself");
    out.end_object().end_object();
  }
  out.end_object().end_object();
}

void put_operation(JsonWriter& out, const Route& route) {
  std::string method(route.method);
  std::transform(method.begin(), method.end(), method.begin(),
                 [](char c) { return static_cast<char>(c | 0x20); });
  std::vector<std::string_view> in_path = members_of(route.path);
  std::string id = method + std::string(route.path);
  std::replace_if(
      id.begin(), id.end(), [](char c) { return c == '/' || c == '{' || c == '}' || c == '.'; },
      '_');
  out.key(method).begin_object().key("summary").string(route.about);
  out.key("operationId").string(id);
  if (route.open) out.key("security").begin_array().end_array();
  put_parameters(out, route, in_path);
  if (route.body) put_body(out, route, in_path);
  put_responses(out, route);
  out.end_object();
}

std::string make_document() {
  JsonWriter out;
  out.begin_object().key("openapi").string("3.1.0");
  out.key("info").begin_object().key("title").string("Pawl").key("version").string("1");
  out.key("description").string("Durable workflows. docs/rest.md is the reference.").end_object();
  out.key("security").begin_array().begin_object();
  out.key("bearer").begin_array().end_array().end_object().end_array();
  std::map<std::string_view, std::vector<const Route*>> by_path;
  for (const Route& route : routes()) by_path[route.path].push_back(&route);
  out.key("paths").begin_object();
  for (const auto& [path, of_path] : by_path) {
    out.key(path).begin_object();
    for (const Route* route : of_path) put_operation(out, *route);
    out.end_object();
  }
  out.end_object();
  out.key("components").begin_object();
  out.key("securitySchemes").begin_object().key("bearer").begin_object();
  out.key("type").string("http").key("scheme").string("bearer").end_object().end_object();
  out.key("responses").begin_object().key("Problem").begin_object();
  out.key("description").string("What is wrong, and what to do");
  out.key("content").begin_object().key("application/json").begin_object();
  out.key("schema").begin_object().key("type").string("object");
  out.key("required").begin_array().string("error").end_array();
  out.key("properties").begin_object().key("error");
  SchemaWriter(out).object(Error{});
  out.end_object().end_object().end_object().end_object().end_object().end_object();
  out.end_object().end_object();
  return out.take();
}

}  // namespace

std::string open_api_json() {
  static const std::string document = make_document();
  return document;
}

}  // namespace pawl
