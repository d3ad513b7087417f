// The OpenAPI 3.1 document of the REST API, made from the table of routes and from the field
// descriptions of calls and answers: it cannot say anything else than the server does.
//
//   open_api_json()  ->  {"openapi":"3.1.0","info":{...},"paths":{...},"components":{...}}
//
// Pure; any thread.
#pragma once

#include <string>

namespace pawl {

std::string open_api_json();

}  // namespace pawl
