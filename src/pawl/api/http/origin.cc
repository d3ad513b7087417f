#include "pawl/api/http/origin.h"

#include "pawl/port/tls.h"

namespace pawl {
namespace {

constexpr size_t shown_max = 100;  // bytes of a name in a message

}  // namespace

Status check_origin(const HttpRequest& request, bool local_names_only) {
  const std::string* host = request.field("host");
  if (host == nullptr) return {};  // HTTP/1.0; no browser
  const std::string* origin = request.field("origin");
  if (origin != nullptr && !origin->ends_with("//" + *host))
    return Error{Code::permission_denied,
                 "a page of " + origin->substr(0, shown_max) +
                     " has sent this; it is only for pages of this server"};
  bool local = stays_here(*host) || stays_here(*host + ":80");  // [::1] alone
  if (local_names_only && !local)
    return Error{Code::permission_denied,
                 "without --tls this server is only for this machine: call it 127.0.0.1 or "
                 "localhost, not " +
                     host->substr(0, shown_max)};
  return {};
}

}  // namespace pawl
