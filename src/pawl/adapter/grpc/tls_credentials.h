// TLS, with a certificate of the server and those of clients that show one, and plain text where it stays on
// this machine. The files are read again every tls_refresh_s when they have changed: new connections have the new
// certificate, those that are open go on with the old one. Private to this folder.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "pawl/port/tls.h"

namespace grpc {
class AuthContext;
class ChannelCredentials;
class ServerCredentials;
}  // namespace grpc

namespace pawl {

constexpr unsigned tls_refresh_s = 5;

// FAILED_PRECONDITION: plain text at an address that leaves the machine; INVALID_ARGUMENT with the file
// that cannot be read.
Result<std::shared_ptr<grpc::ServerCredentials>> server_credentials(
    const std::string& address, const std::optional<TlsFiles>& tls);
Result<std::shared_ptr<grpc::ChannelCredentials>> channel_credentials(
    const std::string& address, const std::optional<TlsFiles>& tls);

// The first URI in the verified certificate of the other side; empty: it has none.
std::string certificate_uri(const grpc::AuthContext& context);

}  // namespace pawl
