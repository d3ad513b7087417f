// The keys of a cluster, in a folder: a certificate authority of its own, and the key that signs tokens.
//
//   PAWL_ASSIGN(Authority authority, Authority::create("/home/ann/.config/pawl", clock.wall(), false));
//   PAWL_TRY(authority.issue({.caller = {"w1", "default", worker_bit}, .file = "w1"}, clock.wall()));
//   PAWL_ASSIGN(std::string token, authority.token({"ci", "team-a", roles}, Duration::hours(24), now));
//
//   ca.pem, ca.key          who signs certificates            NAME.pem, NAME.key   a certificate
//   token.pub, token.key    who signs tokens                  revoked              names and ids, by hand
//
// The two `.key` files of the authority are needed to make more, not to check: keep them where only you
// are. Every file is made with mode 0600 (certificates and public keys too: one rule) and in one go; none
// is written over unless `force` says so.
// Keys: P-256 for TLS, Ed25519 for tokens. Certificates last certificate_valid_for, the authority
// authority_valid_for.
// Errors: ALREADY_EXISTS with the file; NOT_FOUND: no authority is here; INVALID_ARGUMENT.
// Threading: one caller.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "pawl/api/access.h"
#include "pawl/base/time.h"

namespace pawl {

inline constexpr const char* authority_certificate_file = "ca.pem";
inline constexpr const char* token_keys_file = "token.pub";
inline constexpr const char* revoked_file = "revoked";
constexpr Duration authority_valid_for = Duration::hours(3650 * 24);
constexpr Duration certificate_valid_for = Duration::hours(365 * 24);

struct CertificateRequest {
  Caller caller;                     // stands in it as identity_uri()
  std::string file;                  // NAME of NAME.pem and NAME.key
  std::vector<std::string> hosts{};  // names and addresses that a server has; none: a client's
  Duration valid_for = certificate_valid_for;  // in whole seconds
};

// That a certificate can name it.
Status check_host(const std::string& host);

class Authority {
 public:
  // Makes the folder, for its owner alone, if there is none.
  static Result<Authority> create(const std::string& directory, WallTime now, bool force);
  static Result<Authority> open(const std::string& directory);
  Authority(Authority&&) noexcept;
  ~Authority();

  Status issue(const CertificateRequest& request, WallTime now, bool force = false) const;
  Result<std::string> token(const Caller& caller, Duration valid_for, WallTime now) const;
  // The token as a file of the folder.
  Status keep(const std::string& file, const std::string& content, bool force) const;

 private:
  struct Impl;
  explicit Authority(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace pawl
