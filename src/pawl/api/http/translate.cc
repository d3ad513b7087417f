#include "pawl/api/http/translate.h"

#include <algorithm>

#include "pawl/api/json_codec.h"
#include "pawl/base/json.h"
#include "pawl/definition/nearest.h"
#include "pawl/definition/quantity.h"

namespace pawl {
namespace {

using Type = RouteMember::Type;

constexpr std::string_view access_token_name = "access_token";
// Of a run whose client does not say how long it waits: most clients' own patience.
constexpr Duration run_wait = Duration::milliseconds(30'000);

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return text;
}

bool is_yaml(std::string_view type) {
  return type == "application/yaml" || type == "application/x-yaml" || type == "text/yaml";
}

std::string lower_type(const std::string& value) {
  std::string type = value.substr(0, value.find(';'));
  while (type.ends_with(' ')) type.pop_back();
  return lower(std::move(type));
}

bool is_digits(std::string_view text) {
  return !text.empty() && text.size() <= 19 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; }) &&
         (text.size() == 1 || text[0] != '0');
}

// A call's members on their way to becoming one: the text of a JSON object, still open.
class Members {
 public:
  Status begin(const HttpRequest& request, const Route& route) {
    if (!route.body || request.body.empty()) {
      if (!route.body && !request.body.empty())
        return Error{Code::invalid_argument,
                     std::string(route.method) + " " + route.path + " takes no body"};
      return {};
    }
    const std::string* type = request.field("content-type");
    std::string given = type != nullptr ? lower_type(*type) : "application/json";
    if (is_yaml(given)) return add("definition", Type::text, request.body);
    PAWL_TRY(json_validate(request.body));
    std::string_view body(request.body);
    if (json_kind(body) != JsonKind::object)
      return Error{Code::invalid_argument, "the body must be a JSON object"};
    if (route.kind == RouteKind::run) {
      fresh_ = false;
      text_.append("\"input\":").append(body);
      return {};
    }
    body = body.substr(0, body.rfind('}'));
    body.remove_prefix(body.find('{') + 1);
    fresh_ = body.find_first_not_of(" \t\r\n") == std::string_view::npos;
    if (!fresh_) text_ += body;
    return {};
  }
  // INVALID_ARGUMENT: a text that JSON could carry only with other characters.
  Status add(std::string_view name, Type type, const std::string& value) {
    bool raw = (type == Type::number && is_digits(value)) ||
               (type == Type::yes && (value == "true" || value == "false"));
    const std::string written = raw ? value : json_quote(value);
    const std::string same = json_unquote(written);
    if (same != value) {
      auto at = std::mismatch(value.begin(), value.end(), same.begin(), same.end()).first;
      return Error{Code::invalid_argument, json_quote(name) + " is not UTF-8, at byte " +
                                               std::to_string(at - value.begin())};
    }
    if (!fresh_) text_ += ',';
    fresh_ = false;
    text_.append(json_quote(name)).append(":").append(written);
    return {};
  }
  std::string take() { return std::move(text_) + "}"; }

 private:
  std::string text_ = "{";
  bool fresh_ = true;
};

HttpResponse no_route(const HttpRequest& request, const Matched& matched) {
  if (!matched.allowed.empty()) {
    std::string allow = "OPTIONS";
    for (std::string_view method : matched.allowed) {
      allow.append(", ").append(method);
    }
    HttpResponse response;
    if (request.method == "OPTIONS") {
      response.status = 204;
      response.content_type.clear();
    } else {
      response = problem(405, Code::unimplemented,
                         request.method.substr(0, 20) + " is not allowed here, but " + allow);
    }
    response.fields.push_back({"Allow", allow});
    return response;
  }
  std::vector<std::string_view> paths;
  for (const Route& route : routes()) paths.push_back(route.path);
  std::string path(request.path().substr(0, 200));
  return problem(404, Code::not_found,
                 "there is no " + path + did_you_mean(path, paths) +
                     "; GET /v1/openapi.json describes all there is");
}

Status read_wait(const std::string& text, Duration wait_max, Duration& wait) {
  Result<Duration> parsed = parse_duration(is_digits(text) ? text + "s" : text);
  if (!parsed.ok() || *parsed > wait_max)
    return Error{Code::invalid_argument, "\"wait\" must be a time like 30s, at most wait_max (" +
                                             std::to_string(wait_max.whole_milliseconds()) +
                                             "ms), not " + text.substr(0, 40)};
  wait = *parsed;
  return {};
}

// Prefer: wait=30 (RFC 7240); other preferences may be there.
std::string preferred_wait(const HttpRequest& request) {
  const std::string* prefer = request.field("prefer");
  size_t at = prefer != nullptr ? prefer->find("wait=") : std::string::npos;
  if (at == std::string::npos || (at > 0 && (*prefer)[at - 1] != ' ' && (*prefer)[at - 1] != ','))
    return {};
  size_t end = prefer->find_first_of(",; ", at);
  return prefer->substr(at + 5, end == std::string::npos ? end : end - at - 5);
}

Status add_query(const HttpRequest& request, const Route& route, Duration wait_max,
                 Members& members, Duration& wait) {
  std::string_view query = request.query();
  std::string name, value;
  while (!query.empty()) {
    std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    if (pair.empty()) continue;
    size_t equals = std::min(pair.find('='), pair.size());
    bool decoded = percent_decode(pair.substr(0, equals), true, name) &&
                   percent_decode(pair.substr(std::min(equals + 1, pair.size())), true, value);
    if (!decoded) return Error{Code::invalid_argument, "the query has a broken %-escape"};
    auto known = std::find_if(route.query.begin(), route.query.end(),
                              [&](const RouteMember& one) { return one.name == name; });
    if (known == route.query.end()) {
      std::vector<std::string_view> names;
      for (const RouteMember& one : route.query) names.push_back(one.name);
      return Error{Code::invalid_argument, std::string(route.path) + " has no parameter \"" +
                                               name.substr(0, 40) + "\"" + hint(name, names)};
    }
    if (name == access_token_name)
      continue;  // that is for whoever authenticates
    else if (name == "wait")
      PAWL_TRY(read_wait(value, wait_max, wait));
    else
      PAWL_TRY(members.add(name, known->type, value));
  }
  return {};
}

Status fill(const HttpRequest& request, const Matched& matched, Duration wait_max, Members& members,
            Duration& wait) {
  const Route& route = *matched.route;
  PAWL_TRY(members.begin(request, route));
  if (may_wait(route)) {
    std::string preferred = preferred_wait(request);
    if (!preferred.empty()) PAWL_TRY(read_wait(preferred, wait_max, wait));
  }
  PAWL_TRY(add_query(request, route, wait_max, members, wait));
  for (const auto& [name, value] : matched.members)
    PAWL_TRY(members.add(name, type_of_segment(name), value));
  const std::string* key = request.field("idempotency-key");
  if (key != nullptr && std::string_view(route.call).starts_with("submit"))
    PAWL_TRY(members.add("request_id", Type::text, *key));
  // One that says nothing is left out, as W3C Trace Context asks for: the trace begins here then.
  const std::string* trace = request.field("traceparent");
  if (trace != nullptr && std::string_view(route.call).starts_with("submit") &&
      parse_traceparent(*trace).ok())
    return members.add("traceparent", Type::text, *trace);
  return {};
}

bool media_fits(const HttpRequest& request, const Route& route) {
  const std::string* type = request.field("content-type");
  if (!route.body || request.body.empty() || type == nullptr) return true;
  std::string given = lower_type(*type);
  return given == "application/json" || (takes_yaml(route) && is_yaml(given));
}

bool nothing_started(const SubmittedMany& many) {
  return !many.executions.empty() &&
         std::all_of(many.executions.begin(), many.executions.end(),
                     [](const SubmittedMany::One& one) { return one.error.has_value(); });
}

// The blob is an object of its own in the call.
std::string payload_members(const std::string& flat) {
  return "{\"blob\":" + flat + "}";
}

}  // namespace

int http_status(Code code) {
  switch (code) {
    case Code::ok:
      return 200;
    case Code::cancelled:
      return 499;
    case Code::invalid_argument:
    case Code::out_of_range:
      return 400;
    case Code::unauthenticated:
      return 401;
    case Code::permission_denied:
      return 403;
    case Code::not_found:
      return 404;
    case Code::already_exists:
    case Code::failed_precondition:
    case Code::aborted:
      return 409;
    case Code::resource_exhausted:
      return 429;
    case Code::unimplemented:
      return 501;
    case Code::unavailable:
    case Code::unknown:  // it may have happened: ask again, with the same request id
      return 503;
    case Code::deadline_exceeded:
      return 504;
    case Code::internal:
    case Code::data_loss:
      return 500;
  }
  return 500;
}

HttpResponse to_response(const Error& error) {
  HttpResponse response =
      problem(http_status(error.code), error.code, error.message, error.retry_after);
  if (error.retry_after == Duration{} && (response.status == 429 || response.status == 503))
    response.fields.push_back({"Retry-After", "1"});
  if (response.status == 401) response.fields.push_back({"WWW-Authenticate", "Bearer"});
  return response;
}

Credentials shown_by(const HttpRequest& request) {
  Credentials shown;
  shown.certificate = request.certificate;
  constexpr std::string_view scheme = "bearer ";
  const std::string* field = request.field("authorization");
  if (field != nullptr && lower(field->substr(0, scheme.size())) == scheme)
    shown.bearer = field->substr(scheme.size());
  if (field != nullptr) return shown;
  std::string_view query = request.query();
  size_t at = query.find(std::string(access_token_name) + "=");
  bool begins = at == 0 || (at != std::string_view::npos && query[at - 1] == '&');
  if (!begins) return shown;
  query.remove_prefix(at + access_token_name.size() + 1);
  (void)percent_decode(query.substr(0, query.find('&')), true, shown.bearer);
  return shown;
}

Translation translate(const HttpRequest& request, Duration wait_max) {
  Translation result;
  Matched matched = match(request.method, request.path());
  if (matched.route == nullptr) {
    result.refusal = no_route(request, matched);
    return result;
  }
  const Route& route = *matched.route;
  if (!media_fits(request, route)) {
    result.refusal = problem(415, Code::invalid_argument,
                             "the body must be JSON, sent with Content-Type: application/json (a "
                             "definition also as application/yaml)");
    return result;
  }
  Members members;
  if (route.kind == RouteKind::run) result.wait = std::min(run_wait, wait_max);
  if (Status filled = fill(request, matched, wait_max, members, result.wait); !filled.ok()) {
    result.refusal = to_response(filled.error());
    return result;
  }
  if (route.call[0] != '\0' && route.kind != RouteKind::ready) {
    bool runs = route.kind == RouteKind::run ||
                (route.kind == RouteKind::submit && result.wait > Duration{});
    std::string with = members.take();
    if (route.kind == RouteKind::payload) with = payload_members(with);
    Result<Call> call = call_from_json(runs ? "run" : route.call, with);
    if (!call.ok()) {
      result.refusal = to_response(call.error());
      return result;
    }
    result.call = std::move(*call);
    if (route.kind == RouteKind::log)
      std::get<ReadLog>(*result.call).wait = result.wait > Duration{};
  }
  result.route = &route;
  return result;
}

HttpField location_of(ExecutionId execution) {
  return {"Location", "/v1/executions/" + to_text(execution)};
}

HttpResponse to_response(const Route& route, const CallResult& result) {
  if (const auto* error = std::get_if<Error>(&result)) return to_response(*error);
  const auto* many = std::get_if<SubmittedMany>(&result);
  if (many != nullptr && nothing_started(*many)) return to_response(*many->executions[0].error);
  HttpResponse response;
  response.status = route.status;
  response.body = to_json(result);
  ExecutionId started;
  if (const auto* submitted = std::get_if<Submitted>(&result)) started = submitted->execution;
  if (const auto* detail = std::get_if<ExecutionDetail>(&result)) {
    bool waits = detail->summary.status == ExecutionStatus::running;
    if (route.kind == RouteKind::submit || route.kind == RouteKind::run) {
      response.status = waits ? 202 : 200;
      started = detail->summary.id;
    }
  }
  if (started) response.fields.push_back(location_of(started));
  return response;
}

}  // namespace pawl
