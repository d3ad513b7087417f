// A server of another machine, as the verbs see it.
//
//   PAWL_ASSIGN(auto station, connect_to_server({.url = "https://pawl.example.org", .token = token}));
//
// Until it is connected, an interrupt ends the process, as nothing has been asked for yet. Errors: those of
// HttpClient::connect(). Threading: the thread that connects; before others start.
#pragma once

#include <memory>

#include "pawl/cli/station.h"

namespace pawl {

Result<std::unique_ptr<cli::Station>> connect_to_server(const HttpClientOptions& options);

}  // namespace pawl
