// Bytes and nanoseconds of what a worker is sent and sends: frames as protobuf, and the same frames as JSON.
//
//   frame_bench [ROUNDS]
#include <google/protobuf/util/json_util.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "pawl/adapter/grpc/frame_codec.h"
#include "pawl/v1/workers.pb.h"

namespace pawl {
namespace {

constexpr uint32_t tasks = 100;  // in a frame

template <class Work>
double ns_per_task(int rounds, Work work) {
  auto begin = std::chrono::steady_clock::now();
  for (int round = 0; round < rounds; ++round) work();
  auto took = std::chrono::steady_clock::now() - begin;
  return std::chrono::duration<double, std::nano>(took).count() / rounds / tasks;
}

void row(const char* what, const char* as, size_t bytes, double write, double read) {
  std::printf("%-22s %-9s %7.1f bytes  write %7.1f ns  read %7.1f ns   of a task\n", what, as,
              double(bytes) / tasks, write, read);
}

void measure(const char* what, const Message& message, int rounds) {
  v1::Frame frame;
  if (!frame.ParseFromString(FrameEncoder().encode(message))) std::abort();
  std::string bytes, text;
  v1::Frame again;
  double write = ns_per_task(rounds, [&] { bytes = frame.SerializeAsString(); });
  double read = ns_per_task(rounds, [&] {
    if (!again.ParseFromString(bytes)) std::abort();
  });
  row(what, "protobuf", bytes.size(), write, read);
  double write_json = ns_per_task(rounds, [&] {
    text.clear();
    if (!google::protobuf::util::MessageToJsonString(frame, &text).ok()) std::abort();
  });
  double read_json = ns_per_task(rounds, [&] {
    again.Clear();
    if (!google::protobuf::util::JsonStringToMessage(text, &again).ok()) std::abort();
  });
  row(what, "JSON", text.size(), write_json, read_json);
  std::printf("%-22s so many times as much: %.1f bytes, %.1f to write, %.1f to read\n", what,
              double(text.size()) / double(bytes.size()), write_json / write, read_json / read);
}

Message around(MessageBody body) {
  Message message;
  message.from = 0xfedc'ba98'7654'3210;
  message.to = 1;
  message.incarnation = message.peer_incarnation = 1;
  message.sequence = 1200;
  message.acknowledged = 1100;
  message.body = std::move(body);
  return message;
}

Message grants() {
  Workflow workflow;
  workflow.name = "one";
  workflow.nodes.resize(1);
  workflow.nodes[0].id = "n";
  workflow.nodes[0].type = NodeType::function;
  workflow.nodes[0].function = "nothing";
  if (!finish(workflow).ok()) std::abort();
  auto shared = std::make_shared<const Workflow>(std::move(workflow));
  Grants body;
  for (uint64_t i = 0; i < tasks; ++i) {
    RunContext context;
    context.execution = ExecutionId{1000 + i};
    context.workflow = shared;
    context.input = Payload::inline_json("{\"customer\":\"c-" + std::to_string(i) + "\",\"n\":17}");
    context.cluster = {7, 9};
    context.trace = {{i + 1, 2}, 3, 0};
    Grant grant;
    grant.session = SessionId{4};
    grant.range = {context.execution, 0, 0, 1};
    grant.nonce = 0x1234'5678'9abc'def1 + i;
    grant.context = std::make_shared<const RunContext>(std::move(context));
    body.grants.push_back(std::move(grant));
  }
  return around(std::move(body));
}

Message reports() {
  Reports body;
  for (uint64_t i = 0; i < tasks; ++i) {
    AttemptReport report;
    report.range = {ExecutionId{1000 + i}, 0, 0, 1};
    report.nonce = 0x1234'5678'9abc'def1 + i;
    report.succeeded = true;
    report.outputs = {Payload::inline_json("{\"sum\":" + std::to_string(i) + "}")};
    body.reports.push_back(std::move(report));
  }
  return around(std::move(body));
}

}  // namespace
}  // namespace pawl

int main(int argc, char** argv) {
  int rounds = argc > 1 ? std::atoi(argv[1]) : 2000;
  pawl::measure("grants of one task", pawl::grants(), rounds);
  pawl::measure("reports of one task", pawl::reports(), rounds);
  return 0;
}
