// Tokens: JSON Web Tokens (RFC 7519) signed with Ed25519 (`"alg":"EdDSA"`, RFC 8037), and no other way.
//
//   TokenClaims claims{{"ci-bot", "team-a", roles}, issued, expires, "k3J..."};
//   std::string token = signer.sign(claims);                 // header.claims.signature
//   PAWL_ASSIGN(TokenClaims shown, keys.verify(token, now)); // offline: with the public keys alone
//
// Claims: `sub` the name, `ns` the namespace, `roles` a list, `aud` always "pawl", `iat`, `nbf`, `exp` in
// seconds, `jti` by which it is revoked. A clock may be wrong by token_skew_max either way.
//
// Limits: token_bytes_max. Errors: UNAUTHENTICATED, with what is wrong with the token; what it claims is
// spoken of only once its signature fits. Threading: any; verify() changes nothing.
#pragma once

#include <memory>
#include <string>

#include "pawl/api/access.h"
#include "pawl/base/time.h"

namespace pawl {

inline constexpr const char* token_audience = "pawl";
constexpr size_t token_bytes_max = 4096;
constexpr Duration token_skew_max = Duration::seconds(60);

struct TokenClaims {
  Caller caller;
  WallTime not_before;
  WallTime expires;
  std::string id;
};

class TokenSigner {
 public:
  static Result<TokenSigner> from_pem(const std::string& private_key);
  TokenSigner(TokenSigner&&) noexcept;
  ~TokenSigner();

  std::string sign(const TokenClaims& claims) const;

 private:
  struct Impl;
  explicit TokenSigner(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// The public keys of those who may sign: several, while one takes the other's place.
class TokenKeys {
 public:
  static Result<TokenKeys> from_pem(std::string public_keys);
  TokenKeys(TokenKeys&&) noexcept;
  TokenKeys& operator=(TokenKeys&&) noexcept;
  ~TokenKeys();

  Result<TokenClaims> verify(const std::string& token, WallTime now) const;

 private:
  struct Impl;
  explicit TokenKeys(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace pawl
