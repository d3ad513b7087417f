#include "pawl/access/token_authenticator.h"

#include <map>
#include <mutex>
#include <optional>
#include <set>

#include "pawl/access/authority.h"
#include "pawl/access/identity.h"
#include "pawl/access/token.h"
#include "pawl/access/watched_file.h"
#include "pawl/api/permissions.h"

namespace pawl {
namespace {

Error unknown(std::string what) {
  return {Code::unauthenticated, std::move(what)};
}

// One entry per line; what follows # is for people.
std::set<std::string> entries_of(const std::string& text) {
  std::set<std::string> entries;
  for (size_t begin = 0; begin < text.size();) {
    size_t end = std::min(text.find('\n', begin), text.size());
    std::string line = text.substr(begin, end - begin);
    line.resize(std::min(line.find('#'), line.size()));
    size_t first = line.find_first_not_of(" \t\r");
    if (first != std::string::npos)
      entries.insert(line.substr(first, line.find_last_not_of(" \t\r") - first + 1));
    begin = end + 1;
  }
  return entries;
}

}  // namespace

struct TokenAuthenticator::Impl {
  Impl(const std::string& directory, Clock& own_clock, Telemetry& operator_log)
      : clock(own_clock),
        telemetry(operator_log),
        keys_file(directory + "/" + token_keys_file, own_clock),
        revoked(directory + "/" + revoked_file, own_clock) {}

  Clock& clock;
  Telemetry& telemetry;
  std::mutex mutex;
  WatchedFile keys_file;
  WatchedFile revoked;
  std::optional<TokenKeys> keys;
  std::set<std::string> revoked_entries;
  std::string told;  // why a file cannot be read
  std::map<std::string, TokenClaims, std::less<>> remembered;

  Status read_keys() {
    Result<TokenKeys> read = TokenKeys::from_pem(keys_file.content());
    if (!read.ok()) return std::move(read.error()).within(keys_file.path());
    keys = std::move(*read);
    return {};
  }

  void read_revoked() { revoked_entries = entries_of(revoked.content()); }

  // What people have changed meanwhile; what cannot be read leaves what was.
  void look() {
    if (keys_file.changed()) {
      remembered.clear();
      if (Status read = read_keys(); !read.ok())
        telemetry.warn("keys_not_read", read.error().message + "; the keys of before stay");
    }
    if (revoked.changed()) {
      remembered.clear();
      read_revoked();
    }
    const std::string& problem =
        revoked.problem().empty() ? keys_file.problem() : revoked.problem();
    if (problem == told) return;
    told = problem;
    if (!told.empty()) telemetry.warn("keys_not_read", told + "; what it said before stays");
  }

  Result<Caller> of_token(const std::string& token) {
    WallTime now = clock.wall();
    if (auto known = remembered.find(token); known != remembered.end()) {
      if (now.ns < known->second.expires.ns && now.ns >= known->second.not_before.ns)
        return known->second.caller;
      remembered.erase(known);
    }
    PAWL_ASSIGN(TokenClaims claims, keys->verify(token, now));
    bool gone = revoked_entries.contains(claims.id) ||
                revoked_entries.contains(identity_uri(claims.caller));
    if (gone) return unknown("the token has been revoked");
    if (remembered.size() >= tokens_remembered_max) remembered.clear();
    return remembered.emplace(token, std::move(claims)).first->second.caller;
  }

  Result<Caller> of_certificate(const std::string& uri) {
    Result<Caller> caller = caller_from_uri(uri);
    if (!caller.ok()) return unknown(caller.error().message);
    if (revoked_entries.contains(uri)) return unknown("the certificate has been revoked");
    return caller;
  }
};

TokenAuthenticator::TokenAuthenticator(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TokenAuthenticator::~TokenAuthenticator() = default;

Result<std::unique_ptr<TokenAuthenticator>> TokenAuthenticator::open(const std::string& directory,
                                                                     Clock& clock,
                                                                     Telemetry& telemetry) {
  auto impl = std::make_unique<Impl>(directory, clock, telemetry);
  for (WatchedFile* file : {&impl->keys_file, &impl->revoked}) {
    (void)file->changed();
    if (!file->problem().empty())
      return Error{Code::not_found,
                   file->problem() + "; `pawl init --dir " + directory + "` makes what is needed"};
  }
  PAWL_TRY(impl->read_keys());
  impl->read_revoked();
  return std::unique_ptr<TokenAuthenticator>(new TokenAuthenticator(std::move(impl)));
}

Result<Caller> TokenAuthenticator::authenticate(const Credentials& credentials) const {
  if (credentials.trusted_path) return Caller{};
  std::lock_guard<std::mutex> lock(impl_->mutex);
  impl_->look();
  if (!credentials.bearer.empty()) return impl_->of_token(credentials.bearer);
  if (!credentials.certificate.empty()) return impl_->of_certificate(credentials.certificate);
  return unknown("neither a token nor a certificate was shown");
}

Status WorkerGate::admit(const std::string& certificate) {
  PAWL_ASSIGN(Caller caller, authenticator_.authenticate({.certificate = certificate}));
  return permit_work(caller);
}

}  // namespace pawl
