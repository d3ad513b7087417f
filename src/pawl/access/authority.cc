#include "pawl/access/authority.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <filesystem>

#include "pawl/access/base64url.h"
#include "pawl/access/identity.h"
#include "pawl/access/openssl.h"
#include "pawl/access/token.h"

namespace pawl {
namespace {

constexpr int64_t second = 1'000'000'000;
constexpr size_t key_file_bytes_max = 1 << 20;

Error file_error(const std::string& path, const char* doing) {
  return {errno == ENOENT ? Code::not_found : Code::unavailable,
          path + " cannot be " + doing + ": " + std::strerror(errno)};
}

Result<std::string> read_file(const std::string& path) {
  std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path.c_str(), "re"), std::fclose);
  if (file == nullptr) return file_error(path, "read");
  std::string content(key_file_bytes_max, '\0');
  content.resize(std::fread(content.data(), 1, content.size(), file.get()));
  return content;
}

// Whole or not at all, and never over another unless it is forced.
Status write_file(const std::string& path, const std::string& content, bool force) {
  const std::string draft = path + ".new";
  (void)unlink(draft.c_str());
  int fd = ::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (fd < 0) return file_error(draft, "written");
  bool written =
      write(fd, content.data(), content.size()) == static_cast<ssize_t>(content.size()) &&
      fsync(fd) == 0;
  (void)close(fd);
  bool placed = written && (force ? std::rename(draft.c_str(), path.c_str()) == 0
                                  : link(draft.c_str(), path.c_str()) == 0);
  if (placed && force) return {};
  int why = errno;
  (void)unlink(draft.c_str());
  if (placed) return {};
  errno = why;
  if (why == EEXIST)
    return Error{Code::already_exists, path +
                                           " exists; --force writes over it, and what was signed "
                                           "with the old one is not valid any more"};
  return file_error(path, "written");
}

Status add_extension(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  std::unique_ptr<X509_EXTENSION, OpensslRelease<X509_EXTENSION_free>> extension(
      X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
  if (extension == nullptr || X509_add_ext(certificate, extension.get(), -1) != 1)
    return openssl_error("a certificate with \"" + value + "\" cannot be made");
  return {};
}

bool is_address(const std::string& host) {
  unsigned char bytes[16];
  return inet_pton(AF_INET, host.c_str(), bytes) == 1 ||
         inet_pton(AF_INET6, host.c_str(), bytes) == 1;
}

// A certificate without its extensions and signature.
Result<Certificate> draft(EVP_PKEY* key, const std::string& common_name, Duration valid_for,
                          WallTime now) {
  Certificate certificate(X509_new());
  unsigned char serial[16];
  PAWL_CHECK(RAND_bytes(serial, sizeof serial) == 1, "the system gives no randomness");
  serial[0] &= 0x7f;
  std::unique_ptr<BIGNUM, OpensslRelease<BN_free>> number(
      BN_bin2bn(serial, sizeof serial, nullptr));
  BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate.get()));
  X509_set_version(certificate.get(), X509_VERSION_3);
  constexpr int64_t clocks_apart = 300;  // machines whose clock is behind take it at once
  ASN1_TIME_set(X509_getm_notBefore(certificate.get()), now.ns / second - clocks_apart);
  ASN1_TIME_set(X509_getm_notAfter(certificate.get()), (now.ns + valid_for.ns) / second);
  X509_set_pubkey(certificate.get(), key);
  X509_NAME* name = X509_get_subject_name(certificate.get());
  const auto* text = reinterpret_cast<const unsigned char*>(common_name.c_str());
  if (X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, text, -1, -1, 0) != 1)
    return openssl_error("a certificate for \"" + common_name + "\" cannot be made");
  return certificate;
}

std::string alternative_names(const CertificateRequest& request) {
  std::string names = "URI:" + identity_uri(request.caller);
  for (const std::string& host : request.hosts)
    names += std::string(",") + (is_address(host) ? "IP:" : "DNS:") + host;
  return names;
}

struct Pair {
  Key key;
  Certificate certificate;
};

Result<Pair> make_authority(WallTime now) {
  PAWL_ASSIGN(Key key, new_certificate_key());
  PAWL_ASSIGN(Certificate certificate,
              draft(key.get(), "pawl authority", authority_valid_for, now));
  X509* self = certificate.get();
  X509_set_issuer_name(self, X509_get_subject_name(self));
  PAWL_TRY(add_extension(self, self, NID_basic_constraints, "critical,CA:TRUE,pathlen:0"));
  PAWL_TRY(add_extension(self, self, NID_key_usage, "critical,keyCertSign,cRLSign"));
  PAWL_TRY(add_extension(self, self, NID_subject_key_identifier, "hash"));
  if (X509_sign(self, key.get(), EVP_sha256()) == 0) return openssl_error("signing");
  return Pair{std::move(key), std::move(certificate)};
}

}  // namespace

Status check_host(const std::string& host) {
  bool good = !host.empty() && host.size() <= 253 &&
              host.find_first_not_of(
                  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                  ".-:*") == std::string::npos;
  if (good) return {};
  return Error{Code::invalid_argument, "\"" + host + "\" is no host name or address"};
}

struct Authority::Impl {
  std::string directory;
  Key key;
  Certificate certificate;
  TokenSigner signer;

  std::string path(const std::string& file) const { return directory + "/" + file; }
};

Authority::Authority(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Authority::Authority(Authority&&) noexcept = default;
Authority::~Authority() = default;

Result<Authority> Authority::create(const std::string& directory, WallTime now, bool force) {
  std::error_code failed;
  bool made = std::filesystem::create_directories(directory, failed);
  if (failed || (made && chmod(directory.c_str(), S_IRWXU) != 0))
    return Error{Code::permission_denied, directory + " cannot be made and kept to oneself"};
  PAWL_ASSIGN(Pair pair, make_authority(now));
  PAWL_ASSIGN(Key token_key, new_signing_key());
  // The keys first: what is there already is found before anything is changed.
  PAWL_TRY(write_file(directory + "/ca.key", to_pem_private(pair.key.get()), force));
  PAWL_TRY(write_file(directory + "/" + authority_certificate_file, to_pem(pair.certificate.get()),
                      force));
  PAWL_TRY(write_file(directory + "/token.key", to_pem_private(token_key.get()), force));
  PAWL_TRY(write_file(directory + "/" + token_keys_file, to_pem_public(token_key.get()), force));
  PAWL_TRY(write_file(directory + "/" + revoked_file,
                      "# One per line: the id of a token (jti), or the URI of a certificate.\n",
                      force));
  return open(directory);
}

Result<Authority> Authority::open(const std::string& directory) {
  auto pem = [&](const char* file) { return read_file(directory + "/" + file); };
  Result<std::string> key_text = pem("ca.key");
  if (!key_text.ok())
    return Error{key_text.error().code,
                 key_text.error().message + "; `pawl init --dir " + directory + "` makes keys"};
  PAWL_ASSIGN(std::string certificate_text, pem(authority_certificate_file));
  PAWL_ASSIGN(std::string token_text, pem("token.key"));
  PAWL_ASSIGN(Key key, private_key_from_pem(*key_text));
  PAWL_ASSIGN(Certificate certificate, certificate_from_pem(certificate_text));
  PAWL_ASSIGN(TokenSigner signer, TokenSigner::from_pem(token_text));
  return Authority(std::make_unique<Impl>(
      Impl{directory, std::move(key), std::move(certificate), std::move(signer)}));
}

Status Authority::issue(const CertificateRequest& request, WallTime now, bool force) const {
  PAWL_TRY(check_caller(request.caller));
  if (!check_name_space(request.file).ok())
    return Error{Code::invalid_argument, "\"" + request.file + "\" is no name for a file of keys"};
  if (request.file == "ca" || request.file == "token")
    return Error{Code::invalid_argument,
                 "\"" + request.file + "\" is the name of the authority's own keys; take another"};
  for (const std::string& host : request.hosts) PAWL_TRY(check_host(host));
  PAWL_ASSIGN(Key key, new_certificate_key());
  PAWL_ASSIGN(Certificate certificate,
              draft(key.get(), request.caller.name, request.valid_for, now));
  X509* made = certificate.get();
  X509* issuer = impl_->certificate.get();
  X509_set_issuer_name(made, X509_get_subject_name(issuer));
  PAWL_TRY(add_extension(made, issuer, NID_basic_constraints, "critical,CA:FALSE"));
  PAWL_TRY(add_extension(made, issuer, NID_key_usage, "critical,digitalSignature"));
  PAWL_TRY(add_extension(made, issuer, NID_ext_key_usage,
                         request.hosts.empty() ? "clientAuth" : "serverAuth"));
  PAWL_TRY(add_extension(made, issuer, NID_authority_key_identifier, "keyid"));
  PAWL_TRY(add_extension(made, issuer, NID_subject_alt_name, alternative_names(request)));
  if (X509_sign(made, impl_->key.get(), EVP_sha256()) == 0) return openssl_error("signing");
  PAWL_TRY(keep(request.file + ".key", to_pem_private(key.get()), force));
  return keep(request.file + ".pem", to_pem(made), force);
}

Result<std::string> Authority::token(const Caller& caller, Duration valid_for, WallTime now) const {
  PAWL_TRY(check_caller(caller));
  if (valid_for.ns <= 0)
    return Error{Code::invalid_argument, "a token must be valid for some time"};
  unsigned char id[12];
  PAWL_CHECK(RAND_bytes(id, sizeof id) == 1, "the system gives no randomness");
  WallTime expires{now.ns > INT64_MAX - valid_for.ns ? INT64_MAX : now.ns + valid_for.ns};
  return impl_->signer.sign(
      {caller, now, expires, base64url({reinterpret_cast<const char*>(id), sizeof id})});
}

Status Authority::keep(const std::string& file, const std::string& content, bool force) const {
  return write_file(impl_->path(file), content, force);
}

}  // namespace pawl
