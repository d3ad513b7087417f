// Whether a request may be one that a web page has sent in the name of whoever looks at it.
//
//   PAWL_TRY(check_origin(request, true));   // PERMISSION_DENIED: "... is only for pages of this server"
//
// A browser sends what any page asks it to, together with the certificate of its user, or from a machine whose users
// may do what they like; only `Origin` tells whose page it was. A page may also have had its own name
// resolved to an address of this machine (DNS rebinding): then that name is what stands in `Host`.
// Threading: pure.
#pragma once

#include "pawl/adapter/http/http_message.h"
#include "pawl/base/result.h"

namespace pawl {

// `local_names_only`: callers prove nothing, and call this server by a name of this machine.
Status check_origin(const HttpRequest& request, bool local_names_only);

}  // namespace pawl
