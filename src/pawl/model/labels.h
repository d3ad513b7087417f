// What the door writes into the labels of an execution, whatever its client gave: whose it is.
//
//   submitter(R"({"tenant_id":"team-a","user_id":"ann","day":7})")    ->  "ann"
//   tenant(R"({"tenant_id":"team-a","user_id":"ann","day":7})")       ->  "team-a"
//
// `labels` is a JSON object, or empty. Nothing there, or something else than a text: empty. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

namespace pawl {

std::string submitter(std::string_view labels);
std::string tenant(std::string_view labels);

}  // namespace pawl
