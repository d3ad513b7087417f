#include "pawl/adapter/grpc/tls_credentials.h"

#include <grpcpp/grpcpp.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>

#include <cerrno>
#include <cstring>
#include <fstream>

namespace pawl {
namespace {

using grpc::experimental::FileWatcherCertificateProvider;

// The library would go on without a file, and every connection would fail for no reason that is told.
Status check_readable(const TlsFiles& tls) {
  for (const std::string* file : {&tls.certificate, &tls.key, &tls.authority}) {
    if (std::ifstream(*file).good()) continue;
    return Error{Code::invalid_argument,
                 *file + " cannot be read: " + std::strerror(errno) +
                     "; `pawl init` and `pawl certificate` make such files"};
  }
  return {};
}

std::shared_ptr<FileWatcherCertificateProvider> watch(const TlsFiles& tls) {
  return std::make_shared<FileWatcherCertificateProvider>(tls.key, tls.certificate, tls.authority,
                                                          tls_refresh_s);
}

}  // namespace

Result<std::shared_ptr<grpc::ServerCredentials>> server_credentials(
    const std::string& address, const std::optional<TlsFiles>& tls) {
  if (!tls) {
    PAWL_TRY(check_plain(address));
    return grpc::InsecureServerCredentials();
  }
  PAWL_TRY(check_readable(*tls));
  grpc::experimental::TlsServerCredentialsOptions options(watch(*tls));
  options.watch_root_certs();
  options.watch_identity_key_cert_pairs();
  options.set_cert_request_type(GRPC_SSL_REQUEST_CLIENT_CERTIFICATE_AND_VERIFY);
  return grpc::experimental::TlsServerCredentials(options);
}

Result<std::shared_ptr<grpc::ChannelCredentials>> channel_credentials(
    const std::string& address, const std::optional<TlsFiles>& tls) {
  if (!tls) {
    PAWL_TRY(check_plain(address));
    return grpc::InsecureChannelCredentials();
  }
  PAWL_TRY(check_readable(*tls));
  grpc::experimental::TlsChannelCredentialsOptions options;
  options.set_certificate_provider(watch(*tls));
  options.watch_root_certs();
  options.watch_identity_key_cert_pairs();
  return grpc::experimental::TlsCredentials(options);
}

std::string certificate_uri(const grpc::AuthContext& context) {
  if (!context.IsPeerAuthenticated()) return {};
  std::vector<grpc::string_ref> uris = context.FindPropertyValues("peer_uri");
  return uris.empty() ? std::string() : std::string(uris.front().data(), uris.front().size());
}

}  // namespace pawl
