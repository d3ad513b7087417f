#include "pawl/api/json_codec.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <set>

#include "pawl/api/rfc3339.h"
#include "pawl/base/json.h"
#include "pawl/wire/event_samples.h"

namespace pawl {
namespace {

const BlobRef blob{ExecutionId{3}, 0xfedcba9876543210, 70'000, {0x0123456789abcdef, 0xf}};

std::vector<Call> sample_calls() {
  Selection item{ExecutionId{17}, "count", 42};
  return {
      SubmitRequest{"name: x\n", "a \"b\".yaml", R"({"n":[1,2]})", "r-1", R"({"team":"a"})",
                    "/srv/a", "nightly@1.2"},
      SubmitMany{"name: x\n", "x.yaml", {"{}", R"({"n":1})"}, "r-2", "{}"},
      Cancel{item, "wrong\nfile"},
      Redrive{{ExecutionId{17}, "count", std::nullopt}},
      Discard{{ExecutionId{17}, "", std::nullopt}},
      Forget{ExecutionId{17}},
      AwaitExecution{ExecutionId{17}},
      GetExecution{ExecutionId{18'446'744'073'709'551'615u}},
      ListExecutions{ExecutionId{9}, 7, ExecutionStatus::parked},
      GetTask{ExecutionId{17}, "count", 3},
      ListDeadLetters{ExecutionId{}, 5},
      Explain{ExecutionId{17}, "count", 0},
      GetOverview{},
      ReadHistory{ExecutionId{17}, 12, {4, 2}, true},
      GetProgress{ExecutionId{17}, 3},
      ReadPayload{blob, 1 << 20},
      GetServer{},
      RunRequest{{"", "", R"({"n":1})", "r-3", "", "", "nightly"}},
      RegisterDefinition{"name: x\n", "x.yaml", "/srv/a"},
      GetWorkflow{"nightly"},
      ListWorkflows{WorkflowId{8}, 5},
      ConfigureQueue{"bulk", Strategy::pack, true, 4, 2500, 10, Duration::seconds(30), 1000},
      ListQueues{},
      ListWorkers{},
      GetMetrics{},
      ReadLog{ExecutionId{17}, "count", 3, 2, LogStream::err, 4096, true},
      ListLogs{ExecutionId{17}, "count", 3, "e17/count/3.1.err", 7},
  };
}

ExecutionDetail sample_detail() {
  ExecutionDetail detail;
  detail.summary = {ExecutionId{17},
                    "nightly",
                    "1.2",
                    ExecutionStatus::failed,
                    WallTime{1'700'000'000'123'000'000},
                    WallTime{1'700'000'001'000'000'000},
                    "node flaky: exit code 3",
                    R"({"tenant_id":"t"})",
                    {6, 1, 1, 1, 1, 1, 1, 0}};
  detail.input = Payload::inline_json(R"({"day":7})");
  NodeDetail split;
  split.id = "split";
  split.status = NodeStatus::succeeded;
  split.attempts = 1;
  split.last_attempt = WallTime{1'700'000'000'200'000'000};
  split.output = Payload::inline_json("[1,2]");
  NodeDetail flaky;
  flaky.id = "flaky";
  flaky.type = NodeType::function;
  flaky.mapped = true;
  flaky.status = NodeStatus::failed;
  flaky.needs = {"split"};
  flaky.attempts = 3;
  flaky.last_attempt = WallTime{1'700'000'000'900'000'000};
  flaky.error = "exit code 3";
  NodeDetail skipped;
  skipped.id = "skipped";
  skipped.status = NodeStatus::skipped;
  skipped.skip_reason = SkipReason::needs_failed;
  skipped.needs = {"flaky", "split"};
  detail.nodes = {split, flaky, skipped};
  detail.output = Payload::blob(blob);
  return detail;
}

std::vector<CallResult> sample_results() {
  Cause cause{FailureKind::signal, 9, "killed"};
  TaskDetail task{{ExecutionId{17}, 2, 42},
                  "count",
                  TaskStatus::backing_off,
                  4,
                  3,
                  cause,
                  Duration::milliseconds(250),
                  Payload::inline_json("\"x\"")};
  History history;
  history.truncated = true;
  std::vector<Event> events = sample_events();
  for (Event& event : events)
    history.entries.push_back(
        {history.entries.size() + 1, Instant{7}, WallTime{1'700}, std::move(event)});
  return {
      Error{Code::not_found, "no execution e17"},
      Submitted{ExecutionId{17}},
      SubmittedMany{{{ExecutionId{17}, std::nullopt},
                     {{}, Error{Code::resource_exhausted, "full", Duration::milliseconds(1500)}}}},
      Changed{3},
      Settlement{ExecutionId{17}, ExecutionStatus::cancelled},
      sample_detail(),
      ExecutionList{std::vector<ExecutionSummary>(1, sample_detail().summary)},
      task,
      DeadLetterList{{{{ExecutionId{17}, 2, 10, 20}, "count", 3, cause}}},
      WhyList{{{WhyCode::no_credit, "e17/count", "all are full", "more --jobs"}}},
      Overview{{9, 3, 2, 1}, 9, 8, 7, 6, 5},
      std::move(history),
      ProgressList{{{{{ExecutionId{17}, 2, 42},
                      2,
                      500,
                      "half",
                      {Duration::seconds(5), Duration::milliseconds(20), 1 << 20}},
                     "w1"}},
                   {{{}, 2, 4}}},
      PayloadPart{"{\"a\":1", 6},
      ServerInfo{4711, "/var/lib/pawl", 12, "the disk is full"},
      Registered{WorkflowId{8}, "nightly", "1.2"},
      WorkflowDetail{WorkflowId{8}, "nightly", "1.2", {5, 6}, {"split", "count"}, nullptr},
      WorkflowList{{{WorkflowId{8}, "nightly", "", {5, 6}, {}, nullptr}}},
      QueueList{{{{"bulk", Strategy::spread, true, 4, 2500, 10, Duration::seconds(30)},
                  9,
                  8,
                  7,
                  3,
                  6,
                  5,
                  4,
                  Duration::milliseconds(1500)}}},
      WorkerList{{{SessionId{3},
                   grown_worker(),
                   {{"cpu", 500}},
                   2,
                   {1, 900, 1 << 20, "0.1.0"},
                   Duration::seconds(1),
                   true}}},
      MetricsPage{"pawl_epoch 3\n"},
      LogPart{2, 4096, "", "\xff\x01", 4098, true},
      LogList{{{"count", 3, 2, LogStream::err, 4098}}, "e17/count/3.2.err"},
  };
}

TEST(JsonCodec, EveryCallComesBackAsItWas) {
  std::vector<Call> calls = sample_calls();
  ASSERT_EQ(calls.size(), std::variant_size_v<Call>);
  for (size_t i = 0; i < calls.size(); ++i) {
    EXPECT_EQ(calls[i].index(), i);
    std::string json = to_json(NumberedCall{i + 1, calls[i]});
    ReadCall read = call_from_json(json);
    ASSERT_TRUE(read.call.ok()) << json << "\n" << read.call.error().message;
    EXPECT_EQ(read.ticket, i + 1);
    EXPECT_EQ(read.call->index(), i);
    EXPECT_EQ(to_json(NumberedCall{read.ticket, *read.call}), json);
  }
}

TEST(JsonCodec, EveryAnswerComesBackAsItWas) {
  std::vector<CallResult> results = sample_results();
  ASSERT_EQ(results.size(), std::variant_size_v<CallResult>);
  for (size_t i = 0; i < results.size(); ++i) {
    EXPECT_EQ(results[i].index(), i);
    std::string json = to_json(CallAnswer{i, results[i]});
    Result<CallAnswer> read = answer_from_json(json);
    ASSERT_TRUE(read.ok()) << json << "\n" << read.error().message;
    EXPECT_EQ(read->ticket, i);
    EXPECT_EQ(read->result.index(), i);
    EXPECT_EQ(to_json(*read), json);
  }
}

TEST(JsonCodec, ValuesSurvive) {
  auto read = answer_from_json(to_json(CallAnswer{1, sample_results()[7]}));
  const auto& task = std::get<TaskDetail>(read->result);
  EXPECT_EQ(task.task, (TaskKey{ExecutionId{17}, 2, 42}));
  EXPECT_EQ(task.cause, (Cause{FailureKind::signal, 9, "killed"}));
  EXPECT_EQ(task.retry_in, Duration::milliseconds(250));
  read = answer_from_json(to_json(CallAnswer{1, sample_detail()}));
  const auto& detail = std::get<ExecutionDetail>(read->result);
  EXPECT_EQ(detail.output.ref(), blob);
  EXPECT_EQ(detail.summary.started, WallTime{1'700'000'000'123'000'000});
  EXPECT_EQ(detail.nodes[2].skip_reason, SkipReason::needs_failed);
  EXPECT_EQ(detail.nodes[2].needs, (std::vector<std::string>{"flaky", "split"}));
  const std::string text = to_json(CallResult(sample_detail()));
  EXPECT_TRUE(json_find(text, {"nodes", "2", "skip_reason"}));
  EXPECT_FALSE(json_find(text, {"nodes", "1", "skip_reason"})) << "it was not skipped";
}

TEST(JsonCodec, EveryEventKindHasItsName) {
  std::set<std::string> names;
  for (const Event& event : sample_events()) {
    std::string json = to_json(event);
    names.insert(json_unquote(*json_find(json, {"event"})));
  }
  EXPECT_EQ(names.size(), std::variant_size_v<Event>);
  std::string items = encode_items(R"(["a",{"b":2}])");
  std::string json =
      to_json(Event{NodeActivated{ExecutionId{1}, 0, 2, Payload::inline_json(items)}});
  EXPECT_NE(json.find(R"("items":{"items":["a",{"b":2}]})"), std::string::npos) << json;
}

std::string problem_of(std::string_view json) {
  ReadCall read = call_from_json(json);
  EXPECT_FALSE(read.call.ok());
  if (read.call.ok()) return "";
  EXPECT_EQ(read.call.error().code, Code::invalid_argument);
  return read.call.error().message;
}

TEST(JsonCodec, WrongCallsAreToldWhatIsWrong) {
  EXPECT_EQ(problem_of(R"({"ticket":1,"call":"cancle","with":{}})"),
            "\"call\" has no \"cancle\"; did you mean \"cancel\"?");
  EXPECT_EQ(problem_of(R"({"ticket":1,"call":"cancel"})"), "cancel needs \"execution\"");
  EXPECT_EQ(problem_of(R"({"ticket":1,"call":"await","with":{"execution":17}})"),
            "await: \"execution\" must be an execution's id like \"e17\", not 17");
  EXPECT_EQ(problem_of(
                R"({"ticket":1,"call":"get_task","with":{"execution":"e1","node":"a","item":-1}})"),
            "get_task: \"item\" must be a whole number that is not negative, not -1");
  EXPECT_EQ(problem_of(R"({"ticket":1,"call":"cancel","with":{"execution":"e1","raeson":"x"}})"),
            "cancel has no \"raeson\"; did you mean \"reason\"?");
  EXPECT_EQ(problem_of(R"({"ticket":1,"call":"get_server","width":{}})"),
            "a call has no \"width\"; did you mean \"with\"?");
  EXPECT_EQ(problem_of("[]"), "a call must be a JSON object");
  EXPECT_EQ(problem_of(R"({"call":"get_server"})"), "a call needs \"ticket\"");
  EXPECT_NE(problem_of("{\"ticket\":1").find("not valid JSON"), std::string::npos);
  EXPECT_EQ(call_from_json(R"({"ticket":9,"call":"no"})").ticket, 9u);
}

TEST(JsonCodec, AnInputMayAlsoBeText) {
  ReadCall read = call_from_json(
      R"({"ticket":1,"call":"submit","with":{"definition":"x","input":"{\"a\":1}"}})");
  EXPECT_EQ(std::get<SubmitRequest>(*read.call).input_json, R"({"a":1})");
  // Text that is no JSON arrives as it is, for the gateway to judge.
  read = call_from_json(to_json(NumberedCall{1, SubmitRequest{"x", "", "{broken", "", ""}}));
  EXPECT_EQ(std::get<SubmitRequest>(*read.call).input_json, "{broken");
}

TEST(JsonCodec, AnAnswerMayHaveMoreThanIsKnown) {
  auto read = answer_from_json(
      R"({"ticket":1,"answer":"changed","with":{"count":2,"later":[1]},"also":null})");
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(std::get<Changed>(read->result).count, 2u);
}

std::vector<std::string> keys_of(std::string_view object) {
  std::vector<std::string> keys;
  for (JsonItems items(object); items.next();) keys.push_back(json_unquote(items.key()));
  return keys;
}

TEST(ExecutionState, HasExactlyTheseFields) {
  std::string json = execution_state_json(sample_detail());
  ASSERT_TRUE(json_validate(json).ok());
  EXPECT_EQ(keys_of(json),
            (std::vector<std::string>{"WorkflowID", "ExecutionID", "Status", "NodeStates",
                                      "StartTime", "EndTime", "Error", "Metadata"}));
  EXPECT_EQ(json_find(json, {"WorkflowID"}), "\"nightly@1.2\"");
  EXPECT_EQ(json_find(json, {"ExecutionID"}), "\"e17\"");
  EXPECT_EQ(json_find(json, {"Status"}), "\"failed\"");
  EXPECT_EQ(json_find(json, {"StartTime"}), "\"2023-11-14T22:13:20.123Z\"");
  EXPECT_EQ(json_find(json, {"EndTime"}), "\"2023-11-14T22:13:21Z\"");
  EXPECT_EQ(json_find(json, {"Metadata", "tenant_id"}), "\"t\"");
  for (JsonItems nodes(*json_find(json, {"NodeStates"})); nodes.next();)
    EXPECT_EQ(keys_of(nodes.value()),
              (std::vector<std::string>{"NodeID", "Status", "Input", "Output", "Error", "Attempts",
                                        "LastAttempt"}));
  EXPECT_EQ(json_find(json, {"NodeStates", "0", "Input"}), R"({"day":7})");
  EXPECT_EQ(json_find(json, {"NodeStates", "0", "Error"}), "null");
  EXPECT_EQ(json_find(json, {"NodeStates", "1", "Attempts"}), "3");
  EXPECT_EQ(json_find(json, {"NodeStates", "1", "Error"}), "\"exit code 3\"");
  EXPECT_EQ(json_find(json, {"NodeStates", "1", "LastAttempt"}), "\"2023-11-14T22:13:20.9Z\"");
  EXPECT_EQ(json_find(json, {"NodeStates", "2", "Input"}), R"({"flaky":null,"split":[1,2]})");
  EXPECT_EQ(json_find(json, {"NodeStates", "2", "LastAttempt"}), "null");
}

TEST(ExecutionState, ARunningOneHasNullsNotGaps) {
  ExecutionDetail detail;
  detail.summary.id = ExecutionId{1};
  detail.summary.workflow = "w";
  std::string json = execution_state_json(detail);
  EXPECT_EQ(json_find(json, {"WorkflowID"}), "\"w\"");
  EXPECT_EQ(json_find(json, {"EndTime"}), "null");
  EXPECT_EQ(json_find(json, {"Error"}), "null");
  EXPECT_EQ(json_find(json, {"Metadata"}), "{}");
}

TEST(Rfc3339, IsExactInBothDirections) {
  EXPECT_EQ(rfc3339(WallTime{1'500'000'000}), "1970-01-01T00:00:01.5Z");
  EXPECT_EQ(rfc3339(WallTime{-1}), "1969-12-31T23:59:59.999999999Z");
  EXPECT_EQ(rfc3339(WallTime{951'782'400'000'000'000}), "2000-02-29T00:00:00Z");
  EXPECT_EQ(rfc3339(WallTime{INT64_MAX}), "2262-04-11T23:47:16.854775807Z");
  for (int64_t ns : {int64_t{1}, int64_t{-1}, int64_t{951'868'799'999'999'999}, INT64_MAX,
                     INT64_MIN + 1'000'000'000, int64_t{4'107'542'399'000'000'000}})
    EXPECT_EQ(wall_time_from_rfc3339(rfc3339(WallTime{ns})), WallTime{ns}) << ns;
  for (const char* bad :
       {"", "2024", "2024-01-01T00:00:00", "2024-13-01T00:00:00Z", "2024-01-01T00:00:00.Z",
        "2024-01-01T00:00:00.1234567890Z", "2024-01-01T00:00:00Zx", "9999-01-01T00:00:00Z"})
    EXPECT_EQ(wall_time_from_rfc3339(bad), std::nullopt) << bad;
}

// The words in backquotes that begin the rows of the tables under "## heading".
std::vector<std::string> rows_under(const std::string& heading) {
  std::ifstream file(std::string(PAWL_SOURCE_DIR) + "/docs/api.md");
  std::vector<std::string> rows;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("## ")) inside = line == "## " + heading;
    if (inside && line.starts_with("| `")) rows.push_back(line.substr(3, line.find('`', 3) - 3));
  }
  return rows;
}

TEST(ApiPage, NamesWhatTheCodeNames) {
  auto texts = [](std::vector<std::string_view> names) {
    return std::vector<std::string>(names.begin(), names.end());
  };
  EXPECT_EQ(rows_under("Calls"), texts(call_names()));
  EXPECT_EQ(rows_under("Answers"), texts(answer_names()));
  EXPECT_EQ(rows_under("Events"), texts(event_names()));
}

// Every JSON block of the page that shows a call or an answer is one.
TEST(ApiPage, ShowsFramesThatCanBeRead) {
  std::ifstream file(std::string(PAWL_SOURCE_DIR) + "/docs/api.md");
  int calls = 0, answers = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("> {\"ticket\"")) {
      ReadCall read = call_from_json(std::string_view(line).substr(2));
      EXPECT_TRUE(read.call.ok()) << line << "\n" << read.call.error().message;
      ++calls;
    } else if (line.starts_with("< {\"ticket\"")) {
      Result<CallAnswer> read = answer_from_json(std::string_view(line).substr(2));
      EXPECT_TRUE(read.ok()) << line << "\n" << read.error().message;
      ++answers;
    }
  }
  EXPECT_GE(calls, 3);
  EXPECT_GE(answers, 3);
}

}  // namespace
}  // namespace pawl
