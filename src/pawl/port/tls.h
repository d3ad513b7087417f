// What a door or a client needs to speak TLS with the other side proved by certificate, and when it may do
// without.
//
//   TlsFiles files = tls_files_in("/home/ann/.config/pawl", "server");   // server.pem, server.key, ca.pem
//   PAWL_TRY(check_plain("0.0.0.0:7070"));        // FAILED_PRECONDITION: plain text leaves this machine
//
// The files are PEM; whoever serves them reads them again when they change.
// Threading: values; a PeerGate is asked from any thread.
#pragma once

#include <string>

#include "pawl/base/result.h"

namespace pawl {

struct TlsFiles {
  std::string certificate;  // with its chain
  std::string key;
  std::string authority;  // who signs those of the other side
};

// As `pawl init` lays them out.
TlsFiles tls_files_in(const std::string& directory, const std::string& name);

// Whether host:port, [host]:port or unix:PATH stays on this machine.
bool stays_here(const std::string& address);
// That plain text may be spoken at this address.
Status check_plain(const std::string& address);

// Asked when a connection begins and again while it lasts, with the URI in the certificate that TLS has verified.
class PeerGate {
 public:
  virtual ~PeerGate() = default;
  virtual Status admit(const std::string& certificate) = 0;
};

}  // namespace pawl
