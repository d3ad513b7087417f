// Where a verb works: in a state directory of this machine, or at a server.
//
//   PAWL_ASSIGN(Place place, place_of(given, Variables::of_process()));
//   place.name     // ".pawl", "https://pawl.example.org": for people
//   place.option   // "", " --state shop", " --context prod": for a command to be typed here
//
// What the command line says comes first (--state, --server, --context), then the environment (PAWL_STATE,
// PAWL_SERVER, PAWL_CONTEXT), then the context in use, then .pawl in the current directory. Two places on the
// same level are INVALID_ARGUMENT: none is guessed. Threading: values.
#pragma once

#include <optional>
#include <string>

#include "pawl/api/http/http_client.h"
#include "pawl/cli/arguments.h"

namespace pawl::cli {

constexpr size_t token_bytes_max = 16 << 10;

// What the environment says; empty: nothing.
struct Variables {
  std::string state{};
  std::string server{};
  std::string context{};
  std::string token{};    // these are shown to --server and PAWL_SERVER
  std::string ca_file{};  // PAWL_CA
  std::string certificate_file{};
  std::string key_file{};
  std::string contexts_file{};

  static Variables of_process();
};

struct Place {
  std::string directory{};                    // of this machine, or
  std::optional<HttpClientOptions> server{};  // at this server
  std::string name{};
  std::string option{};
};

Result<Place> place_of(const Arguments& given, const Variables& variables);
// For verbs that work on this machine alone: --state, PAWL_STATE, .pawl
std::string local_directory(const Arguments& given);

}  // namespace pawl::cli
