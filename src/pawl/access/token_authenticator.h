// Who it is that shows a token or a certificate, decided offline from a folder of public files.
//
//   PAWL_ASSIGN(auto authenticator, TokenAuthenticator::open("/etc/pawl", clock, telemetry));
//   PAWL_ASSIGN(Caller caller, authenticator->authenticate({.bearer = token}));
//
// In order: a trusted path (its client may open the state directory anyway), a token, the URI in a
// certificate that TLS has verified (identity.h); a wrong token is refused whatever certificate comes
// with it. `token.pub` and `revoked` are read again when they change, seen at most a second later.
//
// Limits: tokens_remembered_max verified tokens are not verified again; each ends with its own time, and
// all when a file changes. A file that cannot be read any more says what it said before, and the operator is told.
// Errors of open(): NOT_FOUND, INVALID_ARGUMENT with the file; of authenticate():
// UNAUTHENTICATED. Threading: any.
#pragma once

#include <memory>
#include <string>

#include "pawl/api/access.h"
#include "pawl/port/clock.h"
#include "pawl/port/telemetry.h"
#include "pawl/port/tls.h"

namespace pawl {

constexpr size_t tokens_remembered_max = 10'000;

class TokenAuthenticator final : public Authenticator {
 public:
  static Result<std::unique_ptr<TokenAuthenticator>> open(const std::string& directory,
                                                          Clock& clock, Telemetry& telemetry);
  ~TokenAuthenticator() override;

  Result<Caller> authenticate(const Credentials& credentials) const override;

 private:
  struct Impl;
  explicit TokenAuthenticator(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Lets those work whose certificate has a role that may. `authenticator` must outlive it.
class WorkerGate final : public PeerGate {
 public:
  explicit WorkerGate(const Authenticator& authenticator) : authenticator_(authenticator) {}
  Status admit(const std::string& certificate) override;

 private:
  const Authenticator& authenticator_;
};

}  // namespace pawl
