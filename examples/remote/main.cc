// A client of a server: submits a workflow, shows its events as they become durable, prints its output.
//
//   remote_example URL FILE REQUEST_ID         PAWL_TOKEN and PAWL_CA: for a server with TLS
//
// Whatever becomes of the server meanwhile, every event is shown once, and the workflow runs once per
// REQUEST_ID.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "pawl/client/remote_client.h"

namespace {

using pawl::Error;
using pawl::Result;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

Result<std::string> text_of(const std::string& path) {
  std::ifstream file(path);
  if (!file) return Error{pawl::Code::not_found, path + ": there is no such file"};
  return std::string(std::istreambuf_iterator<char>(file), {});
}

Result<std::string> run(const std::string& url, const std::string& path, const std::string& id) {
  pawl::RemoteClientOptions options;
  options.server.url = url;
  options.server.token = variable("PAWL_TOKEN");
  options.server.tls.ca_file = variable("PAWL_CA");
  PAWL_ASSIGN(auto client, pawl::RemoteClient::connect(options));

  pawl::SubmitRequest request;
  PAWL_ASSIGN(request.definition, text_of(path));
  request.file_name = path;
  request.request_id = id;
  PAWL_ASSIGN(pawl::ExecutionId execution, client->submit(request));
  auto show = [](const pawl::HistoryEntry& entry) {
    std::printf("%s\n", to_text(entry.place()).c_str());
    std::fflush(stdout);
    return true;
  };
  PAWL_ASSIGN(pawl::ExecutionDetail end, client->watch(execution, {}, show));
  if (end.summary.status != pawl::ExecutionStatus::succeeded)
    return Error{pawl::Code::failed_precondition,
                 to_text(execution) + " is " + name(end.summary.status) + " " + end.summary.error};
  return client->text(end.output);
}

}  // namespace

int main(int count, char** words) {
  if (count != 4) {
    std::fprintf(stderr, "usage: remote_example URL FILE REQUEST_ID\n");
    return 2;
  }
  Result<std::string> output = run(words[1], words[2], words[3]);
  if (!output.ok()) {
    std::fprintf(stderr, "%s\n", output.error().message.c_str());
    return 1;
  }
  std::printf("output: %s\n", output->c_str());
  return 0;
}
