// Who asks, and how that is found out: between a door (socket, gRPC, HTTP) and the gateway.
//
//   PAWL_ASSIGN(Caller caller, authenticator.authenticate({.bearer = token}));   // at the door
//   gateway.call({7, Cancel{...}}, sink, caller);                               // what it may, is decided there
//
// A door never decides: it hands over what the client has shown and passes on who that is. Errors of
// authenticate(): UNAUTHENTICATED, saying what is wrong with what was shown, never what would be right.
// Threading: authenticate() from any thread.
#pragma once

#include <cstdint>
#include <string>

#include "pawl/base/result.h"
#include "pawl/model/name_space.h"

namespace pawl {

enum class Role : uint8_t {
  reader = 0,     // asks
  submitter = 1,  // asks and submits, cancels what is its namespace's
  worker = 2,     // runs attempts
  operator_ = 3,  // asks, changes, redrives, discards, forgets
  admin = 4,      // everything, in every namespace
};
const char* name(Role role);  // "operator"

inline constexpr const char* local_caller = "local";  // whoever may open the state directory itself

struct Caller {
  std::string name = local_caller;              // of a token or certificate; for the audit and logs
  std::string name_space = default_namespace;   // all it sees, unless it is an admin
  uint8_t roles = 1u << unsigned(Role::admin);  // bit per Role
  bool counted = false;  // the call goes on with a request that counts against its rate already

  bool has(Role role) const { return (roles >> unsigned(role)) & 1u; }
};

// What a client has shown.
struct Credentials {
  std::string bearer{};       // a token, without "Bearer "
  std::string certificate{};  // the name in a certificate that TLS has verified
  bool trusted_path = false;  // a Unix socket of mode 0600, or this process
};

class Authenticator {
 public:
  virtual ~Authenticator() = default;
  virtual Result<Caller> authenticate(const Credentials& credentials) const = 0;
};

}  // namespace pawl
