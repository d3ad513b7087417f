// What the REST door costs: submit-and-wait of a one-task workflow over HTTP with wrk, against a server
// on the same listener that says hello, in the same run; both behind 64 kept-alive connections.
//
//   ./dev bench http_bench        (arguments: [seconds] [connections] [directory])
//
// Every request starts an execution, waits for its end, and brings its output back: all of it durable.

#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "pawl/adapter/http/http_listener.h"
#include "pawl/adapter/linux_loop/linux_clock.h"
#include "pawl/api/http/http_server.h"
#include "pawl/app/host.h"
#include "pawl/isolate/function.h"

namespace {

using namespace pawl;

constexpr int rounds = 3;

class Everybody final : public Authenticator {
 public:
  Result<Caller> authenticate(const Credentials&) const override { return Caller{}; }
};

class Hello final : public HttpHandler {
 public:
  void heard(ExchangeId id, HttpRequest) override {
    HttpResponse response;
    response.body = "\"hello\"";
    listener->respond(id, std::move(response));
  }
  void message(ExchangeId, std::string_view) override {}
  void drained(ExchangeId) override {}
  void gone(ExchangeId) override {}
  HttpListener* listener = nullptr;
};

// One that says hello, on a thread of its own.
class HelloServer {
 public:
  HelloServer() : loop_(LinuxLoop::create(clock_).value()) {
    listener_ = HttpListener::open({}, *loop_, clock_, hello_).value();
    hello_.listener = listener_.get();
    thread_ = std::thread([this] { loop_->run(); });
  }
  ~HelloServer() {
    loop_->stop();
    thread_.join();
  }
  uint16_t port() const { return listener_->port(); }

 private:
  LinuxClock clock_;
  std::unique_ptr<LinuxLoop> loop_;
  Hello hello_;
  std::unique_ptr<HttpListener> listener_;
  std::thread thread_;
};

struct Load {
  int seconds;
  int connections;
  std::string script;
};

// Requests per second that wrk counts; 0 and what it says when it counts none or an error.
double wrk(uint16_t port, const Load& load) {
  std::string command = "wrk -t1 -c" + std::to_string(load.connections) + " -d" +
                        std::to_string(load.seconds) + "s -s " + load.script +
                        " http://127.0.0.1:" + std::to_string(port) +
                        "/v1/executions?wait=30s 2>&1";
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return 0;
  std::string told;
  char buffer[4096];
  while (size_t size = fread(buffer, 1, sizeof buffer, pipe)) told.append(buffer, size);
  pclose(pipe);
  size_t at = told.find("Requests/sec:");
  bool failed = told.find("Non-2xx") != std::string::npos;
  if (at == std::string::npos || failed) {
    std::printf("%s\n", told.c_str());
    return 0;
  }
  return std::stod(told.substr(at + 13));
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
  if (system("command -v wrk > /dev/null") != 0) {
    std::printf("http_bench: SKIPPED: there is no wrk here (apt-get install wrk)\n");
    return 0;
  }
  std::string base = argc > 3 ? argv[3] : std::filesystem::temp_directory_path().string();
  std::string directory = base + "/pawl-bench-XXXXXX";
  if (mkdtemp(directory.data()) == nullptr) return 1;
  Load load{argc > 1 ? std::stoi(argv[1]) : 3, argc > 2 ? std::stoi(argv[2]) : 64,
            directory + "/post.lua"};
  std::ofstream(load.script) << R"(wrk.method = "POST"
wrk.body = '{"workflow":"nothing","input":{"n":1}}'
wrk.headers["Content-Type"] = "application/json"
)";

  FunctionRegistry functions;
  PAWL_CHECK(
      functions.add("nothing", [](FunctionCall&) -> Result<std::string> { return std::string(); })
          .ok(),
      "the first function of its name");
  {
    AnswerInbox answers;
    HostOptions options;
    options.directory = directory + "/state";
    options.jobs = 2;
    options.functions = &functions;
    auto host = Host::open(std::move(options), {&answers.of(0)});
    PAWL_CHECK(host.ok(), "a new directory can be opened");
    Host& here = **host;
    Router router({&here.engine()});
    Gateway gateway({here.loop(), router, here.blob(), here.outputs(), here.evaluator()}, answers,
                    {});
    Everybody everybody;
    auto server = HttpServer::start({}, gateway, here.loop(), everybody).value();
    HelloServer hello;
    std::atomic<bool> done{false};
    std::vector<double> bare, ours;
    std::thread client([&] {
      std::string put = "curl -sS -X PUT http://127.0.0.1:" + std::to_string(server->port()) +
                        "/v1/workflows -H 'Content-Type: application/yaml' --data-binary "
                        "'{name: nothing, nodes: {work: {function: nothing}}}'";
      PAWL_CHECK(system(put.c_str()) == 0, "a workflow can be registered");
      for (int round = 0; round < rounds; ++round) {
        bare.push_back(wrk(hello.port(), load));
        ours.push_back(wrk(server->port(), load));
      }
      done = true;
      here.loop().wake();
    });
    while (!done) here.loop().run_once(Duration::milliseconds(100));
    client.join();
    std::printf("\n%d connections, one wrk thread, medians of %d rounds\n", load.connections,
                rounds);
    std::printf("  hello on the same listener   %9.0f requests/s\n", median(bare));
    std::printf("  submit, run, wait, answer    %9.0f requests/s\n", median(ours));
    std::printf("  ratio to hello               %9.2f\n", median(ours) / median(bare));
    server.reset();
    here.abandon();
    (void)here.close();
  }
  std::filesystem::remove_all(directory);
  return 0;
}
