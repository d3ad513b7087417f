// Every method of the services for clients in one table: what it is asked with and answered by, and which
// call it becomes.
//
//   const Method* found = ...; found->path() == "/pawl.v1.Executions/Submit"
//   found->call == "submit"; found->answer == "submitted"
//
// Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace google::protobuf {
class Message;
}

namespace pawl {

// How a method is answered.
enum class MethodKind : uint8_t {
  call,     // one call, its answer as one message
  watch,    // a stream of an execution's history
  output,   // a stream of the output of an execution
  content,  // a stream of a large payload
  log,      // a stream of what a program has written
};

struct Method {
  const char* service;  // "Executions"
  const char* name;     // "Submit"
  MethodKind kind;
  const char* call;    // its name in json_codec.h
  const char* answer;  // likewise; empty: none of its own
  const google::protobuf::Message* request;
  const google::protobuf::Message* response;

  std::string path() const;
};

const std::vector<Method>& methods();
std::string service_name(const Method& method);  // "pawl.v1.Executions"

}  // namespace pawl
