// For tests of TLS: certificates of their own, gone with the object.
//
//   Identity server("server");
//   options.tls = {server.certificate_file(), server.key_file(), "", false};
//
// Threading: compatible.
#pragma once

#include <string>

namespace pawl {

// A certificate for 127.0.0.1 that vouches for itself, with its key, as files.
struct Identity {
  explicit Identity(const std::string& name);
  ~Identity();
  Identity(const Identity&) = delete;
  Identity& operator=(const Identity&) = delete;

  std::string certificate_file() const { return directory + "/certificate.pem"; }
  std::string key_file() const { return directory + "/key.pem"; }
  std::string directory;
};

}  // namespace pawl
