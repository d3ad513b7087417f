// `pawl init`, `pawl certificate` and `pawl token`: the keys of a cluster.

#include <unistd.h>

#include <cstdlib>

#include "pawl/access/authority.h"
#include "pawl/access/identity.h"
#include "pawl/adapter/linux_loop/linux_clock.h"
#include "pawl/cli/verbs.h"
#include "pawl/definition/quantity.h"

namespace pawl::cli {
namespace {

constexpr Duration admin_token_valid = Duration::hours(365 * 24);
constexpr Duration token_valid_default = Duration::hours(30 * 24);

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

std::string keys_directory(const Arguments& given) {
  if (auto named = given.value("dir")) return *named;
  std::string base = environment("XDG_CONFIG_HOME");
  if (base.empty()) base = environment("HOME") + "/.config";
  return base + "/pawl";
}

uint8_t bit(Role role) {
  return static_cast<uint8_t>(1u << static_cast<unsigned>(role));
}

std::vector<std::string> own_hosts(const Arguments& given) {
  std::vector<std::string> hosts = given.values("host");
  for (const char* host : {"localhost", "127.0.0.1", "::1"}) hosts.emplace_back(host);
  return hosts;
}

Status make_everything(const Arguments& given, const std::string& directory, WallTime now) {
  bool force = given.has("force");
  for (const std::string& host : own_hosts(given)) PAWL_TRY(check_host(host));
  PAWL_ASSIGN(Authority authority, Authority::create(directory, now, force));
  auto issue = [&](const char* file, Role role, std::vector<std::string> hosts) {
    return authority.issue(
        {{file, default_namespace, bit(role)}, file, std::move(hosts), certificate_valid_for}, now,
        force);
  };
  PAWL_TRY(issue("server", Role::reader, own_hosts(given)));
  PAWL_TRY(issue("worker", Role::worker, {}));
  PAWL_TRY(issue("client", Role::admin, {}));
  PAWL_ASSIGN(std::string token, authority.token({"admin", default_namespace, bit(Role::admin)},
                                                 admin_token_valid, now));
  return authority.keep("admin.token", token + "\n", force);
}

void tell_what_was_made(Session& session, const std::string& directory) {
  session.console().out(
      "made in " + directory +
      ":\n"
      "  ca.pem, ca.key            signs certificates, for ten years; keep ca.key to yourself\n"
      "  token.pub, token.key      signs tokens; keep token.key to yourself\n"
      "  server.pem, server.key    for `pawl server`\n"
      "  worker.pem, worker.key    for `pawl worker`\n"
      "  client.pem, client.key    for whoever calls, as an admin\n"
      "  admin.token               for whoever calls, as an admin, for a year\n"
      "  revoked                   what is not valid any more: a line each\n"
      "next:\n"
      "  copy ca.pem, worker.pem and worker.key to the machines that work, and nothing else\n"
      "  pawl token --role submitter --namespace team-a --name ci --dir " +
      directory + "\n");
}

// Who the new certificate or token speaks for.
Result<Caller> caller_of(const Arguments& given, const char* fallback_role) {
  std::string roles;
  for (const std::string& role : given.values("role")) roles += (roles.empty() ? "" : "+") + role;
  if (roles.empty() && fallback_role == nullptr)
    return Error{Code::invalid_argument,
                 "--role says what it may: reader, submitter, worker, operator or admin"};
  Caller caller;
  PAWL_ASSIGN(caller.roles, roles_from_text(roles.empty() ? fallback_role : roles));
  caller.name_space = given.value("namespace").value_or(default_namespace);
  caller.name = given.value("name").value_or(roles_to_text(caller.roles, '-'));
  PAWL_TRY(check_caller(caller));
  return caller;
}

Result<Duration> valid_for(const Arguments& given, Duration fallback) {
  auto text = given.value("for");
  if (!text) return fallback;
  Result<Duration> parsed = parse_duration(*text);
  if (!parsed.ok()) return Error{Code::invalid_argument, "--for: " + parsed.error().message};
  if (*parsed < Duration::seconds(1))
    return Error{Code::invalid_argument, "--for: at least 1s, not " + *text};
  return parsed;
}

Result<std::string> make_certificate(const Arguments& given, WallTime now) {
  PAWL_ASSIGN(Caller caller, caller_of(given, "worker"));
  if (!given.has("name"))
    return Error{Code::invalid_argument, "--name says whose it is, and names its files"};
  PAWL_ASSIGN(Duration valid, valid_for(given, certificate_valid_for));
  if (valid > authority_valid_for)
    return Error{Code::invalid_argument,
                 "--for: at most as long as the authority itself, " +
                     std::to_string(authority_valid_for.ns / Duration::hours(24).ns) + "d"};
  PAWL_ASSIGN(Authority authority, Authority::open(keys_directory(given)));
  PAWL_TRY(
      authority.issue({caller, caller.name, given.values("host"), valid}, now, given.has("force")));
  return keys_directory(given) + "/" + caller.name + ".pem and " + caller.name + ".key, for " +
         identity_uri(caller) + "\n";
}

Result<std::string> make_token(const Arguments& given, WallTime now) {
  PAWL_ASSIGN(Caller caller, caller_of(given, nullptr));
  PAWL_ASSIGN(Duration valid, valid_for(given, token_valid_default));
  PAWL_ASSIGN(Authority authority, Authority::open(keys_directory(given)));
  PAWL_ASSIGN(std::string token, authority.token(caller, valid, now));
  return token + "\n";
}

int print(Session& session, Result<std::string> made) {
  if (!made.ok()) return session.fail(made.error());
  session.console().out(*made);
  return exit_ok;
}

}  // namespace

int verb_init(Session& session, const Arguments& given) {
  std::string directory = keys_directory(given);
  Status made = make_everything(given, directory, LinuxClock().wall());
  if (!made.ok()) return session.fail(made.error());
  tell_what_was_made(session, directory);
  return exit_ok;
}

int verb_certificate(Session& session, const Arguments& given) {
  return print(session, make_certificate(given, LinuxClock().wall()));
}

int verb_token(Session& session, const Arguments& given) {
  return print(session, make_token(given, LinuxClock().wall()));
}

}  // namespace pawl::cli
