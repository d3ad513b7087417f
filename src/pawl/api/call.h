// What a client may ask of the process that holds a state directory, and what it is answered: plain
// values, the same in process and through the socket (json_codec.h has their JSON form,
// docs/api.md their reference).
//
//   gateway.call({7, Cancel{{ExecutionId{17}, "count", 42}, "wrong file"}}, sink);
//   ... the sink gets CallAnswer{7, Changed{1}}, or {7, Error{...}}
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "pawl/partition/request.h"
#include "pawl/port/output_store.h"

namespace pawl {

// Starts an execution of the workflow in `definition` (YAML or JSON). Its declared inputs take
// their defaults where `input_json` does not name them. With a request id it has one effect,
// however often it is sent.
struct SubmitRequest {
  std::string definition{};
  std::string file_name{};    // for messages: "nightly.yaml:7:13: ..."
  std::string input_json{};   // a JSON object; empty: {}
  std::string request_id{};   // may be empty
  std::string labels_json{};  // a JSON object; empty: {}
  // Absolute: where the relative directories of `definition` begin. Empty: where the process that
  // holds the state directory runs.
  std::string directory{};
  // Instead of a definition: a registered workflow, the newest "nightly" or the newest
  // "nightly@1.2". Nothing is read or compiled again.
  std::string workflow{};
  // W3C Trace Context: the execution belongs to this trace. Empty: to one of its own.
  std::string traceparent{};
};
// Submits and waits: the answer is the execution's detail once nothing of it moves any more.
struct RunRequest {
  SubmitRequest submit{};
};
// Makes a definition known, so that executions can be started by its name. Of one that is known
// already, nothing changes.
struct RegisterDefinition {
  std::string definition{};
  std::string file_name{};
  std::string directory{};  // as in SubmitRequest
};
// The same workflow with each of `inputs_json`, in one group commit. Execution i has the request id
// `request_id`/i. Nothing is started unless all inputs are well-formed.
struct SubmitMany {
  std::string definition{};
  std::string file_name{};
  std::vector<std::string> inputs_json{};
  std::string request_id{};
  std::string labels_json{};
  std::string directory{};
  std::string workflow{};
  std::string traceparent{};
};
constexpr uint64_t submit_many_max = 65'536;  // inputs in one SubmitMany

// An execution; with `node` one of its nodes; with `item` one item of a mapped node.
struct Selection {
  ExecutionId execution{};
  std::string node{};
  std::optional<ItemIndex> item{};
};
struct Cancel {
  Selection what{};  // an execution, a plain node, or an item
  std::string reason{};
};
struct Redrive {
  Selection what{};  // its dead letters get a new round of attempts
};
struct Discard {
  Selection what{};  // its dead letters are given up: their nodes have failed
};

// Removes an execution that has ended: its state, history, payloads and output files. Answers
// Changed{1}, or {0} if it had been forgotten before.
struct Forget {
  ExecutionId execution{};
};

// Bytes of a large payload from `offset` on.
struct ReadPayload {
  BlobRef ref{};
  uint64_t offset = 0;
};
constexpr uint64_t payload_part_max = 1 << 20;  // bytes in one answer

// What the program of an attempt has written, from `offset` on: the next part. With `wait` the answer comes
// once there is more, or can be no more because the attempt has ended.
struct ReadLog {
  ExecutionId execution{};
  std::string node{};
  ItemIndex item = 0;
  AttemptNumber attempt = 0;  // 0: the newest
  LogStream stream = LogStream::out;
  uint64_t offset = 0;
  bool wait = false;
};
constexpr uint64_t log_part_max = 256 << 10;  // bytes in one answer

// What is kept of an execution's programs, by node, item, attempt and stream.
struct ListLogs {
  ExecutionId execution{};
  std::string node{};               // empty: of all
  std::optional<ItemIndex> item{};  // absent: of all
  std::string after{};              // LogList::next of the page before
  uint32_t limit = 1000;
};

struct GetServer {};
// The figures of the process that holds the state directory, as GET /metrics shows them.
struct GetMetrics {};

using Call = std::variant<SubmitRequest, SubmitMany, Cancel, Redrive, Discard, Forget,
                          AwaitExecution, GetExecution, ListExecutions, GetTask, ListDeadLetters,
                          Explain, GetOverview, ReadHistory, GetProgress, ReadPayload, GetServer,
                          RunRequest, RegisterDefinition, GetWorkflow, ListWorkflows,
                          ConfigureQueue, ListQueues, ListWorkers, GetMetrics, ReadLog, ListLogs>;

struct Submitted {
  ExecutionId execution;
};
struct Registered {
  WorkflowId id;
  std::string name;
  std::string version;
};
struct SubmittedMany {
  struct One {
    ExecutionId execution;       // 0: refused,
    std::optional<Error> error;  // because
  };
  std::vector<One> executions;  // in the order of the inputs
};
struct Changed {
  uint64_t count = 0;  // executions, tasks or dead letters
};
// Nothing moves any more: it has ended, or is parked.
struct Settlement {
  ExecutionId execution;
  ExecutionStatus status = ExecutionStatus::succeeded;
};
struct PayloadPart {
  std::string text;   // UTF-8, cut between two characters
  uint64_t next = 0;  // where the following part begins; ref.size: this was the last
};
// The bytes are in `text` where they are UTF-8, cut between two characters, and else in `bytes`.
struct LogPart {
  AttemptNumber attempt = 0;  // 0: there has been none yet
  uint64_t offset = 0;        // of the part
  std::string text{};
  Bytes bytes{};
  uint64_t next = 0;  // where the following part begins
  bool over = false;  // the attempt has ended, and nothing follows

  const std::string& content() const { return bytes.empty() ? text : bytes; }
};
struct LogFile {
  std::string node;
  ItemIndex item = 0;
  AttemptNumber attempt = 0;
  LogStream stream = LogStream::out;
  uint64_t size = 0;  // bytes so far
};
struct LogList {
  std::vector<LogFile> logs;
  std::string next;  // empty: these were the last
};
struct ServerInfo {
  uint64_t process = 0;   // pid of the one that holds the state directory
  std::string directory;  // as it was opened
  uint64_t durable_position = 0;
  std::string unready;  // why it takes no new work; empty: it does
};
struct MetricsPage {
  std::string text;  // in Prometheus' format (exposition.h)
};

using CallResult =
    std::variant<Error, Submitted, SubmittedMany, Changed, Settlement, ExecutionDetail,
                 ExecutionList, TaskDetail, DeadLetterList, WhyList, Overview, History,
                 ProgressList, PayloadPart, ServerInfo, Registered, WorkflowDetail, WorkflowList,
                 QueueList, WorkerList, MetricsPage, LogPart, LogList>;

// A call with the number that its answer will carry; chosen by the caller, unique while open.
struct NumberedCall {
  Ticket ticket = 0;
  Call call;
};
struct CallAnswer {
  Ticket ticket = 0;
  CallResult result;
};

}  // namespace pawl
