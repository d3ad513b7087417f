// Requests become calls, and answers become responses.
//
//   Translation in = translate(request);      // POST /v1/executions/e17/cancel {"reason":"late"}
//   if (!in.route) respond(in.refusal);       // 400, 404, 405, 415, 501
//   else ask(*in.call)                        // Cancel{e17, "late"}
//   ...
//   respond(to_response(in, answer));
//
// The members of a call come from its path, its query and its body; what stands further left wins.
// Everything that is wrong with them is said as everywhere (json_codec.h). Safe on any request.
// Pure functions; any thread.
#pragma once

#include <optional>
#include <string>

#include "pawl/adapter/http/http_message.h"
#include "pawl/api/access.h"
#include "pawl/api/call.h"
#include "pawl/api/http/routes.h"

namespace pawl {

int http_status(Code code);
HttpResponse to_response(const Error& error);

struct Translation {
  const Route* route = nullptr;  // null: `refusal` says why
  std::optional<Call> call;      // nothing where the route has none
  Duration wait;                 // that the client asks for; zero: it does not
  HttpResponse refusal;
};
Translation translate(const HttpRequest& request, Duration wait_max);

// Authorization: Bearer, or ?access_token= where a browser cannot send that; and the certificate.
Credentials shown_by(const HttpRequest& request);

HttpField location_of(ExecutionId execution);

// Of a call; `limit` and its kind are those of the call that was asked.
HttpResponse to_response(const Route& route, const CallResult& result);

}  // namespace pawl
