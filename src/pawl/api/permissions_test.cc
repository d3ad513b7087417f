#include "pawl/api/permissions.h"

#include <gtest/gtest.h>

#include <fstream>

#include "pawl/api/json_codec.h"
#include "pawl/api/test_house.h"
#include "pawl/base/json.h"

namespace pawl {
namespace {

constexpr Role all_roles[] = {Role::reader, Role::submitter, Role::worker, Role::operator_,
                              Role::admin};

Caller caller_of(Role role, std::string name_space = "team-a") {
  return {"ann", std::move(name_space), static_cast<uint8_t>(1u << static_cast<unsigned>(role))};
}

template <size_t... place>
std::vector<Call> one_of_each(std::index_sequence<place...>) {
  return {Call(std::in_place_index<place>)...};
}
std::vector<Call> one_of_each() {
  return one_of_each(std::make_index_sequence<std::variant_size_v<Call>>());
}

// The table in docs/security.md: what people rely on is what is tested. Call -> roles that may.
std::map<std::string, std::set<std::string>> documented() {
  std::ifstream file(std::string(PAWL_SOURCE_DIR) + "/docs/security.md");
  std::map<std::string, std::set<std::string>> table;
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("| `")) continue;
    std::istringstream cells(line.substr(1));
    std::string call;
    std::getline(cells, call, '|');
    call = call.substr(2, call.size() - 4);
    for (Role role : all_roles) {
      std::string cell;
      if (std::getline(cells, cell, '|') && cell.find("yes") != std::string::npos)
        table[call].insert(name(role));
    }
  }
  return table;
}

// A call that names `target`, as far as its kind names an execution.
Call aimed(Call call, ExecutionId target) {
  Selection what{target, "", {}};
  if (auto* c = std::get_if<SubmitRequest>(&call)) c->definition = one_node;
  if (auto* c = std::get_if<SubmitMany>(&call)) *c = {one_node, "f", {"{}"}, "", "", "", ""};
  if (auto* c = std::get_if<RunRequest>(&call)) c->submit.definition = one_node;
  if (auto* c = std::get_if<RegisterDefinition>(&call)) c->definition = one_node;
  if (auto* c = std::get_if<GetWorkflow>(&call)) c->name = "one";
  if (auto* c = std::get_if<Cancel>(&call)) c->what = what;
  if (auto* c = std::get_if<Redrive>(&call)) c->what = what;
  if (auto* c = std::get_if<Discard>(&call)) c->what = what;
  if (auto* c = std::get_if<Forget>(&call)) c->execution = target;
  if (auto* c = std::get_if<AwaitExecution>(&call)) c->execution = target;
  if (auto* c = std::get_if<GetExecution>(&call)) c->execution = target;
  if (auto* c = std::get_if<GetTask>(&call)) *c = {target, "work", 0};
  if (auto* c = std::get_if<ListDeadLetters>(&call)) c->execution = target;
  if (auto* c = std::get_if<Explain>(&call)) c->execution = target;
  if (auto* c = std::get_if<ReadHistory>(&call)) c->execution = target;
  if (auto* c = std::get_if<GetProgress>(&call)) c->execution = target;
  if (auto* c = std::get_if<ReadPayload>(&call)) c->ref = {target, input_blob_sequence, 10, {}};
  if (auto* c = std::get_if<ReadLog>(&call)) *c = {target, "work", 0};
  if (auto* c = std::get_if<ListLogs>(&call)) c->execution = target;
  return call;
}

bool names_nobody(const Call& call) {
  return std::holds_alternative<SubmitRequest>(call) || std::holds_alternative<SubmitMany>(call) ||
         std::holds_alternative<ListExecutions>(call) ||
         std::holds_alternative<GetOverview>(call) || std::holds_alternative<GetServer>(call) ||
         std::holds_alternative<RunRequest>(call) ||
         std::holds_alternative<RegisterDefinition>(call) ||
         std::holds_alternative<GetWorkflow>(call) || std::holds_alternative<ListWorkflows>(call) ||
         std::holds_alternative<ConfigureQueue>(call) || std::holds_alternative<ListQueues>(call) ||
         std::holds_alternative<ListWorkers>(call) || std::holds_alternative<GetMetrics>(call);
}

const Error* error_of(const CallResult& result) {
  return std::get_if<Error>(&result);
}

struct PermissionsTest : testing::Test {
  CallResult ask(const Caller& caller, Call call) {
    LocalClient client(*house.gateway, house.loop, caller);
    client.set_patience(Duration::seconds(20));
    return client.ask(std::move(call));
  }
  ExecutionId ended(const std::string& name_space, std::string input = "") {
    Caller submitter = caller_of(Role::admin, name_space);
    CallResult made = ask(submitter, SubmitRequest{one_node, "f", std::move(input), "", ""});
    ExecutionId id = std::get<Submitted>(made).execution;
    ask(submitter, AwaitExecution{id});
    return id;
  }

  House house;
};

TEST_F(PermissionsTest, EveryCallOfEveryRoleAtHomeAndAbroad) {
  const auto table = documented();
  ASSERT_EQ(table.size(), std::variant_size_v<Call>) << "docs/security.md has another table";
  const ExecutionId nowhere{999'999};
  for (const Call& kind : one_of_each()) {
    const std::string call = name(kind);
    ASSERT_TRUE(table.contains(call)) << call << " has no row in docs/security.md";
    for (Role role : all_roles) {
      SCOPED_TRACE(call + " by a " + name(role));
      const Caller caller = caller_of(role);
      CallResult home = ask(caller, aimed(kind, ended("team-a")));
      const ExecutionId theirs = ended("team-b");
      CallResult abroad = ask(caller, aimed(kind, theirs));
      if (!table.at(call).contains(name(role))) {
        for (const CallResult& result : {home, abroad}) {
          ASSERT_NE(error_of(result), nullptr);
          EXPECT_EQ(error_of(result)->code, Code::permission_denied);
        }
        EXPECT_NE(error_of(home)->message.find("the call " + call + " needs the role "),
                  std::string::npos);
        continue;
      }
      if (const Error* error = error_of(home)) {
        EXPECT_NE(error->code, Code::permission_denied) << error->message;
        bool payload = std::holds_alternative<ReadPayload>(kind);  // of which there is none
        EXPECT_TRUE(payload || error->code != Code::not_found) << error->message;
      }
      if (names_nobody(kind) || role == Role::admin) continue;
      CallResult never = ask(caller, aimed(kind, nowhere));
      ASSERT_EQ(abroad.index(), never.index());
      ASSERT_NE(error_of(never), nullptr);
      EXPECT_EQ(error_of(never)->code, Code::not_found);
      EXPECT_EQ(error_of(abroad)->code, Code::not_found);
      std::string words = error_of(never)->message;
      words.replace(words.find(to_text(nowhere)), to_text(nowhere).size(), to_text(theirs));
      EXPECT_EQ(error_of(abroad)->message, words);
    }
  }
}

TEST_F(PermissionsTest, SeveralRolesMayWhatEachOfThemMay) {
  Caller both{"ann", "team-a", 1u << unsigned(Role::submitter) | 1u << unsigned(Role::operator_)};
  EXPECT_TRUE(permit(SubmitRequest{}, both).ok());
  EXPECT_TRUE(permit(Forget{}, both).ok());
  EXPECT_FALSE(permit(Forget{}, {"ann", "team-a", 0}).ok());
  EXPECT_NE(permit(Forget{}, {"ann", "team-a", 0}).error().message.find("\"ann\" has none"),
            std::string::npos);
}

// Nobody falls out of every namespace into all of them.
TEST_F(PermissionsTest, OnlyAnAdminNeedsNoNamespace) {
  Status denied = permit(GetOverview{}, caller_of(Role::reader, ""));
  EXPECT_EQ(denied.error().code, Code::permission_denied);
  EXPECT_TRUE(permit(GetOverview{}, caller_of(Role::admin, "")).ok());
  EXPECT_EQ(confinement(caller_of(Role::operator_)), "team-a");
  EXPECT_EQ(confinement(caller_of(Role::admin)), "");
}

TEST_F(PermissionsTest, WorkersWorkAndAskNothing) {
  EXPECT_TRUE(permit_work(caller_of(Role::worker)).ok());
  EXPECT_TRUE(permit_work(caller_of(Role::admin)).ok());
  EXPECT_EQ(permit_work(caller_of(Role::operator_)).error().message,
            "working needs the role worker or admin; \"ann\" has operator");
  for (const Call& call : one_of_each()) EXPECT_FALSE(permit(call, caller_of(Role::worker)).ok());
}

TEST_F(PermissionsTest, ListsShowOnesOwn) {
  ExecutionId mine = ended("team-a");
  ExecutionId other = ended("team-b");
  auto seen = [&](const Caller& caller) {
    std::vector<ExecutionId> ids;
    auto list = std::get<ExecutionList>(ask(caller, ListExecutions{}));
    for (const ExecutionSummary& one : list.executions) ids.push_back(one.id);
    return ids;
  };
  EXPECT_EQ(seen(caller_of(Role::reader)), std::vector{mine});
  EXPECT_EQ(seen(caller_of(Role::admin)), (std::vector{other, mine}));
  auto overview = std::get<Overview>(ask(caller_of(Role::reader), GetOverview{}));
  EXPECT_EQ(overview.counts.submitted, 1u);
  house.executor.failures = 100;
  ended("team-b");
  auto letters = [&](const Caller& caller) {
    return std::get<DeadLetterList>(ask(caller, ListDeadLetters{})).letters.size();
  };
  EXPECT_EQ(letters(caller_of(Role::reader)), 0u);
  EXPECT_EQ(letters(caller_of(Role::reader, "team-b")), 1u);
}

// The same text is a workflow of each namespace, and none of another's.
TEST_F(PermissionsTest, WorkflowsAreOnesOwn) {
  const std::string text = "name: mine\nnodes:\n  work: {command: [work]}\n";
  auto id_of = [&](const std::string& name_space) {
    CallResult made = ask(caller_of(Role::submitter, name_space), RegisterDefinition{text, "f"});
    return std::get<Registered>(made).id;
  };
  auto by_name = [&](const Caller& caller) {
    SubmitRequest request;
    request.workflow = "mine";
    return ask(caller, request);
  };
  WorkflowId here = id_of("team-a");
  for (const Call& call : {Call{GetWorkflow{"mine"}}, Call{GetWorkflow{"mine@"}}}) {
    CallResult foreign = ask(caller_of(Role::reader, "team-b"), call);
    ASSERT_NE(error_of(foreign), nullptr);
    EXPECT_EQ(error_of(foreign)->code, Code::not_found);
  }
  EXPECT_EQ(std::get<WorkflowDetail>(ask(caller_of(Role::reader), GetWorkflow{"mine"})).id, here);
  EXPECT_EQ(by_name(caller_of(Role::submitter)).index(), CallResult(Submitted{}).index());
  EXPECT_EQ(error_of(by_name(caller_of(Role::submitter, "team-b")))->code, Code::not_found);
  // An admin's own are those of its namespace, although it sees all.
  EXPECT_EQ(error_of(by_name(caller_of(Role::admin, "default")))->code, Code::not_found);
  EXPECT_NE(id_of("team-b"), here);
  EXPECT_EQ(id_of("team-a"), here);
  EXPECT_EQ(by_name(caller_of(Role::submitter, "team-b")).index(), CallResult(Submitted{}).index());
  auto listed = [&](const Caller& caller) {
    return std::get<WorkflowList>(ask(caller, ListWorkflows{})).workflows.size();
  };
  EXPECT_EQ(listed(caller_of(Role::reader)), 1u);
  EXPECT_EQ(listed(caller_of(Role::reader, "team-c")), 0u);
  EXPECT_EQ(listed(caller_of(Role::admin)), 2u);
}

// Several wait for one execution with one question; who may not see it gets no part of the answer.
TEST_F(PermissionsTest, WaitingTogetherOpensNoDoor) {
  house.executor.holding = true;
  Caller owner = caller_of(Role::submitter);
  ExecutionId id = std::get<Submitted>(ask(owner, SubmitRequest{one_node, "f"})).execution;
  LocalClient waiting(*house.gateway, house.loop, owner);
  Ticket first = waiting.start(AwaitExecution{id});
  CallResult foreign = ask(caller_of(Role::submitter, "team-b"), AwaitExecution{id});
  ASSERT_NE(error_of(foreign), nullptr);
  EXPECT_EQ(error_of(foreign)->code, Code::not_found);
  while (!house.executor.has_held()) waiting.pump(Duration::milliseconds(100));
  house.executor.release();
  while (!waiting.done(first)) waiting.pump(Duration::milliseconds(100));
  EXPECT_EQ(waiting.take_as<Settlement>(first).value().status, ExecutionStatus::succeeded);
}

TEST_F(PermissionsTest, PayloadsBelongToTheirExecution) {
  ExecutionId mine = ended("team-a", R"({"x":")" + std::string(100'000, 'x') + "\"}");
  CallResult shown = ask(caller_of(Role::admin), GetExecution{mine});
  BlobRef ref = std::get<ExecutionDetail>(shown).input.ref();
  EXPECT_EQ(ask(caller_of(Role::reader), ReadPayload{ref, 0}).index(),
            CallResult(PayloadPart{}).index());
  CallResult foreign = ask(caller_of(Role::reader, "team-b"), ReadPayload{ref, 0});
  EXPECT_EQ(error_of(foreign)->code, Code::not_found);
  BlobRef staged = ref;
  staged.owner = {};
  CallResult nobodys = ask(caller_of(Role::reader), ReadPayload{staged, 0});
  EXPECT_EQ(error_of(nobodys)->code, Code::not_found);
}

TEST_F(PermissionsTest, WhoSubmittedItStandsInItsLabels) {
  auto labels = [&](const Caller& caller, const std::string& given) {
    CallResult made = ask(caller, SubmitRequest{one_node, "f", "", "r", given});
    ExecutionId id = std::get<Submitted>(made).execution;
    CallResult shown = ask(caller_of(Role::admin), GetExecution{id});
    return std::get<ExecutionDetail>(shown).summary.labels;
  };
  Caller ann = caller_of(Role::submitter);
  std::string forged = R"({"user_id":"bob","color":"red","tenant_id":"team-b"})";
  EXPECT_EQ(labels(ann, forged), R"({"color":"red","tenant_id":"team-a","user_id":"ann"})");
  // Whoever sends it again in the same namespace sends the same request.
  Caller bob = ann;
  bob.name = "bob";
  EXPECT_EQ(labels(bob, forged), R"({"color":"red","tenant_id":"team-a","user_id":"ann"})");
  EXPECT_EQ(labels({}, ""), "");
}

}  // namespace
}  // namespace pawl
