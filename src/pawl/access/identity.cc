#include "pawl/access/identity.h"

namespace pawl {
namespace {

constexpr std::string_view scheme = "pawl:";
constexpr unsigned roles_count = static_cast<unsigned>(Role::admin) + 1;

}  // namespace

Result<uint8_t> roles_from_text(const std::string& text) {
  uint8_t roles = 0;
  for (size_t begin = 0; begin <= text.size();) {
    size_t end = std::min(text.find('+', begin), text.size());
    const std::string word = text.substr(begin, end - begin);
    unsigned role = 0;
    while (role < roles_count && word != name(static_cast<Role>(role))) ++role;
    if (role == roles_count)
      return Error{Code::invalid_argument, "\"" + word +
                                               "\" is no role; there are reader, submitter, "
                                               "worker, operator and admin"};
    roles = static_cast<uint8_t>(roles | 1u << role);
    begin = end + 1;
  }
  return roles;
}

std::string roles_to_text(uint8_t roles, char between) {
  std::string text;
  for (unsigned role = 0; role < roles_count; ++role) {
    if (((roles >> role) & 1u) == 0) continue;
    if (!text.empty()) text += between;
    text += name(static_cast<Role>(role));
  }
  return text;
}

std::string identity_uri(const Caller& caller) {
  return std::string(scheme) + roles_to_text(caller.roles) + "/" + caller.name_space + "/" +
         caller.name;
}

Result<Caller> caller_from_uri(const std::string& uri) {
  Error bad{Code::invalid_argument,
            "the certificate names no caller: it has \"" + uri +
                "\" where pawl:ROLES/NAMESPACE/NAME should stand, as `pawl certificate` makes it"};
  if (!uri.starts_with(scheme)) return bad;
  size_t first = uri.find('/');
  size_t second = first == std::string::npos ? first : uri.find('/', first + 1);
  if (second == std::string::npos) return bad;
  Result<uint8_t> roles = roles_from_text(uri.substr(scheme.size(), first - scheme.size()));
  if (!roles.ok()) return bad;
  Caller caller{uri.substr(second + 1), uri.substr(first + 1, second - first - 1), *roles};
  if (Status good = check_caller(caller); !good.ok()) return bad;
  return caller;
}

Status check_caller(const Caller& caller) {
  if (!check_name_space(caller.name).ok())
    return Error{Code::invalid_argument,
                 "\"" + caller.name +
                     "\" is no name: it has 1 to 63 letters, digits, '.', '_' and '-', and begins "
                     "with a letter or digit"};
  if (caller.name == local_caller)
    return Error{Code::invalid_argument,
                 "the name \"local\" is kept for whoever opens the state directory itself"};
  PAWL_TRY(check_name_space(caller.name_space));
  if (caller.roles == 0) return Error{Code::invalid_argument, "a caller needs a role"};
  return {};
}

}  // namespace pawl
