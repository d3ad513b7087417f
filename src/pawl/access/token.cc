#include "pawl/access/token.h"

#include <openssl/evp.h>

#include <charconv>
#include <map>

#include "pawl/access/base64url.h"
#include "pawl/access/identity.h"
#include "pawl/access/openssl.h"
#include "pawl/base/json.h"

namespace pawl {
namespace {

using Digest = std::unique_ptr<EVP_MD_CTX, OpensslRelease<EVP_MD_CTX_free>>;

constexpr int64_t second = 1'000'000'000;

Error wrong(std::string what) {
  return {Code::unauthenticated, std::move(what)};
}

const unsigned char* data_of(const std::string& text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

struct Parts {
  std::string signed_text;  // header.claims
  std::string header;       // JSON
  std::string claims;       // JSON
  Bytes signature;
};

Result<Parts> parts_of(const std::string& token) {
  if (token.size() > token_bytes_max)
    return wrong("the token is longer than token_bytes_max (" + std::to_string(token_bytes_max) +
                 " bytes)");
  const Error malformed =
      wrong("the token is malformed: three parts with dots between them, in base64url");
  size_t first = token.find('.');
  size_t second_dot = first == std::string::npos ? first : token.find('.', first + 1);
  if (second_dot == std::string::npos) return malformed;
  auto header = from_base64url(token.substr(0, first));
  auto claims = from_base64url(token.substr(first + 1, second_dot - first - 1));
  auto signature = from_base64url(token.substr(second_dot + 1));
  if (!header || !claims || !signature) return malformed;
  for (const std::string* json : {&*header, &*claims})
    if (!json_validate(*json).ok() || json_kind(*json) != JsonKind::object)
      return wrong("the token is malformed: its parts are not JSON objects");
  return Parts{token.substr(0, second_dot), *header, *claims, *signature};
}

std::string text_at(const std::string& json, const char* key) {
  auto value = json_find(json, {key});
  return value && json_kind(*value) == JsonKind::string ? json_unquote(*value) : "";
}

// Whole seconds; a fraction is cut off.
std::optional<int64_t> seconds_at(const std::string& json, const char* key) {
  auto value = json_find(json, {key});
  if (!value || json_kind(*value) != JsonKind::number) return std::nullopt;
  int64_t seconds = 0;
  auto [end, error] = std::from_chars(value->data(), value->data() + value->size(), seconds);
  bool whole = error == std::errc() && (end == value->data() + value->size() || *end == '.');
  if (!whole || seconds < 0 || seconds > INT64_MAX / second) return std::nullopt;
  return seconds;
}

bool is_audience(const std::string& claims) {
  auto value = json_find(claims, {"aud"});
  if (!value) return false;
  if (json_kind(*value) != JsonKind::array) return text_at(claims, "aud") == token_audience;
  for (JsonItems items(*value); items.next();)
    if (json_unquote(items.value()) == token_audience) return true;
  return false;
}

Result<uint8_t> roles_in(const std::string& claims) {
  auto value = json_find(claims, {"roles"});
  std::string roles;
  if (value && json_kind(*value) == JsonKind::array)
    for (JsonItems items(*value); items.next();)
      roles += (roles.empty() ? "" : "+") + json_unquote(items.value());
  return roles_from_text(roles);
}

Result<TokenClaims> claims_in(const std::string& claims, WallTime now) {
  auto expires = seconds_at(claims, "exp");
  if (!expires) return wrong("the token has no time at which it expires (exp)");
  auto from = seconds_at(claims, "nbf");
  if (!from && json_find(claims, {"nbf"}))
    return wrong("what the token gives as the time from which it is valid (nbf) is none");
  TokenClaims found;
  found.expires.ns = *expires * second;
  found.not_before.ns = from.value_or(0) * second;
  int64_t late = (now.ns - found.expires.ns - token_skew_max.ns) / second;
  if (now.ns - found.expires.ns >= token_skew_max.ns)
    return wrong("the token has expired, " + std::to_string(late + 60) + " s ago");
  if (found.not_before.ns - now.ns > token_skew_max.ns)
    return wrong("the token is not valid yet, for another " +
                 std::to_string((found.not_before.ns - now.ns) / second) + " s");
  if (!is_audience(claims)) return wrong("the token was made for another audience");
  Result<uint8_t> roles = roles_in(claims);
  if (!roles.ok()) return wrong("the token's roles are wrong: " + roles.error().message);
  found.caller = {text_at(claims, "sub"), text_at(claims, "ns"), *roles};
  if (Status good = check_caller(found.caller); !good.ok())
    return wrong("the token's claims are wrong: " + good.error().message);
  found.id = text_at(claims, "jti");
  return found;
}

}  // namespace

struct TokenSigner::Impl {
  Key key;
};

TokenSigner::TokenSigner(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TokenSigner::TokenSigner(TokenSigner&&) noexcept = default;
TokenSigner::~TokenSigner() = default;

Result<TokenSigner> TokenSigner::from_pem(const std::string& private_key) {
  PAWL_ASSIGN(Key key, private_key_from_pem(private_key));
  if (EVP_PKEY_id(key.get()) != EVP_PKEY_ED25519)
    return Error{Code::invalid_argument, "tokens are signed with a key of the kind Ed25519"};
  return TokenSigner(std::make_unique<Impl>(Impl{std::move(key)}));
}

std::string TokenSigner::sign(const TokenClaims& claims) const {
  JsonWriter header;
  header.begin_object().key("alg").string("EdDSA").key("typ").string("JWT");
  header.key("kid").string(key_id(impl_->key.get())).end_object();
  JsonWriter body;
  body.begin_object().key("sub").string(claims.caller.name);
  body.key("ns").string(claims.caller.name_space).key("roles").begin_array();
  for (unsigned role = 0; role <= static_cast<unsigned>(Role::admin); ++role)
    if (claims.caller.has(static_cast<Role>(role))) body.string(name(static_cast<Role>(role)));
  body.end_array().key("aud").string(token_audience);
  body.key("iat").number(claims.not_before.ns / second);
  body.key("nbf").number(claims.not_before.ns / second);
  body.key("exp").number(claims.expires.ns / second).key("jti").string(claims.id).end_object();
  const std::string text = base64url(header.take()) + "." + base64url(body.take());
  Digest digest(EVP_MD_CTX_new());
  size_t size = 64;
  Bytes signature(size, '\0');
  bool done = EVP_DigestSignInit(digest.get(), nullptr, nullptr, nullptr, impl_->key.get()) == 1 &&
              EVP_DigestSign(digest.get(), reinterpret_cast<unsigned char*>(signature.data()),
                             &size, data_of(text), text.size()) == 1;
  PAWL_CHECK(done && size == signature.size(), "a key that was read can sign");
  return text + "." + base64url(signature);
}

struct TokenKeys::Impl {
  std::map<std::string, Key> by_id;
};

TokenKeys::TokenKeys(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TokenKeys::TokenKeys(TokenKeys&&) noexcept = default;
TokenKeys& TokenKeys::operator=(TokenKeys&&) noexcept = default;
TokenKeys::~TokenKeys() = default;

Result<TokenKeys> TokenKeys::from_pem(std::string public_keys) {
  auto impl = std::make_unique<Impl>();
  while (Key key = take_public_key(public_keys)) {
    if (EVP_PKEY_id(key.get()) != EVP_PKEY_ED25519)
      return Error{Code::invalid_argument, "tokens are checked with keys of the kind Ed25519"};
    std::string id = key_id(key.get());
    impl->by_id[id] = std::move(key);
  }
  if (impl->by_id.empty()) return Error{Code::invalid_argument, "there is no public key in it"};
  return TokenKeys(std::move(impl));
}

Result<TokenClaims> TokenKeys::verify(const std::string& token, WallTime now) const {
  PAWL_ASSIGN(Parts parts, parts_of(token));
  const std::string algorithm = text_at(parts.header, "alg");
  if (algorithm != "EdDSA")
    return wrong("tokens of the algorithm \"" + algorithm.substr(0, 20) + "\" are not accepted");
  if (json_find(parts.header, {"crit"}))
    return wrong("the token demands extensions that are not known here (crit)");
  auto key = impl_->by_id.find(text_at(parts.header, "kid"));
  if (key == impl_->by_id.end()) return wrong("the token was signed by somebody unknown here");
  Digest digest(EVP_MD_CTX_new());
  bool fits =
      EVP_DigestVerifyInit(digest.get(), nullptr, nullptr, nullptr, key->second.get()) == 1 &&
      EVP_DigestVerify(digest.get(), data_of(parts.signature), parts.signature.size(),
                       data_of(parts.signed_text), parts.signed_text.size()) == 1;
  if (!fits) return wrong("the token's signature does not fit: it was changed, or forged");
  return claims_in(parts.claims, now);
}

}  // namespace pawl
