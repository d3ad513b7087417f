#include "pawl/port/tls.h"

namespace pawl {

TlsFiles tls_files_in(const std::string& directory, const std::string& name) {
  return {directory + "/" + name + ".pem", directory + "/" + name + ".key", directory + "/ca.pem"};
}

// Names are not looked up: whoever answers for them is somebody else's decision, but for `localhost`.
bool stays_here(const std::string& address) {
  if (address.starts_with("unix:")) return true;
  size_t colon = address.rfind(':');
  std::string host = address.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  bool four =
      host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string::npos;
  return four || host == "::1" || host == "localhost";
}

Status check_plain(const std::string& address) {
  if (stays_here(address)) return {};
  return Error{Code::failed_precondition,
               address +
                   " is reached from other machines, and plain text is spoken on this machine "
                   "only: give certificates with --tls DIR (`pawl init` makes them), or stay "
                   "on 127.0.0.1"};
}

}  // namespace pawl
