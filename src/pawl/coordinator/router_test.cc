#include "pawl/coordinator/router.h"

#include <gtest/gtest.h>

#include <array>

#include "pawl/coordinator/merge.h"
#include "pawl/coordinator/route.h"

namespace pawl {
namespace {

constexpr uint32_t three = 3;
constexpr uint32_t nobody = 99;

class Asked final : public Sink<Request> {
 public:
  void put(Request request) override { requests.push_back(std::move(request)); }
  std::vector<Request> requests;
};

template <class Result>
Response result(Result value) {
  return {0, QueryResult{std::move(value)}};
}
Response reply(uint64_t number, Code code = Code::ok, std::string message = "") {
  return {0, Reply{code, std::move(message), number}};
}
Response stopped() {
  return reply(0, Code::unknown, "the partition has stopped");
}

ConfigureQueue queue_called(std::string name) {
  ConfigureQueue configure;
  configure.name = std::move(name);
  return configure;
}

struct RouterTest : testing::Test {
  // Which partitions are asked, in order.
  std::vector<uint32_t> asked(Request request) {
    for (Asked& partition : partitions) partition.requests.clear();
    router.put(std::move(request));
    std::vector<uint32_t> which;
    for (uint32_t slot = 0; slot < three; ++slot)
      for (size_t i = 0; i < partitions[slot].requests.size(); ++i) which.push_back(slot);
    return which;
  }
  uint32_t asked_one(Request request) {
    std::vector<uint32_t> which = asked(std::move(request));
    return which.size() == 1 ? which[0] : nobody;
  }
  bool asked_all(Request request) {
    return asked(std::move(request)) == std::vector<uint32_t>{0, 1, 2};
  }
  std::optional<Response> take(uint32_t partition, Ticket ticket, Response response) {
    response.ticket = ticket;
    return router.take(partition, std::move(response));
  }
  // All three answer, the last one first.
  Response answered(Request question, std::array<Response, three> answers) {
    Ticket ticket = question.ticket = 70;
    EXPECT_TRUE(asked_all(std::move(question)));
    EXPECT_FALSE(take(2, ticket, answers[2]).has_value());
    EXPECT_FALSE(take(0, ticket, answers[0]).has_value());
    std::optional<Response> whole = take(1, ticket, answers[1]);
    EXPECT_TRUE(whole.has_value());
    EXPECT_EQ(whole->ticket, ticket);
    return std::move(*whole);
  }
  template <class T>
  T answered_as(Query query, std::array<Response, three> answers) {
    return std::get<T>(std::get<QueryResult>(answered({0, std::move(query)}, answers).what));
  }
  // What it is told by the time the first partition has answered, and else once all have.
  Reply registered(std::array<Response, three> answers) {
    EXPECT_EQ(asked_one({70, Command{RegisterWorkflow{"definition"}}}), 0u);
    std::optional<Response> whole = take(0, 70, answers[0]);
    if (whole) return std::get<Reply>(whole->what);
    EXPECT_FALSE(take(2, 70, answers[2]).has_value());
    whole = take(1, 70, answers[1]);
    EXPECT_TRUE(whole.has_value());
    return std::get<Reply>(whole->what);
  }
  WorkflowId registered_as(uint32_t slot) {
    return std::get<RegisterWorkflow>(std::get<Command>(partitions[slot].requests.back().what)).id;
  }
  Request submission(std::string request_id, WorkflowId workflow = {}, Ticket ticket = 1) {
    SubmitExecution submit;
    submit.request_id = std::move(request_id);
    submit.workflow = workflow;
    return {ticket, Command{submit}};
  }
  const SubmitExecution& submitted_to(uint32_t slot) {
    return *submission_in(partitions[slot].requests.back());
  }

  std::array<Asked, three> partitions;
  Router router{{&partitions[0], &partitions[1], &partitions[2]}};
};

TEST_F(RouterTest, WhatNamesAnExecutionGoesWhereItIs) {
  for (uint64_t number = 1; number <= 7; ++number) {
    ExecutionId id{number};
    uint32_t home = slot_of(id, three);
    for (const Command& command : std::vector<Command>{
             CancelExecution{id, ""}, CancelTask{{id, 0, 0}, ""}, RedriveDeadLetters{{id}},
             DiscardDeadLetters{{id}}, ForgetExecution{id}})
      EXPECT_EQ(asked_one({1, command}), home) << number << " " << command.index();
    for (const Query& query : std::vector<Query>{GetExecution{id}, GetTask{id, "a", 0},
                                                 Explain{id, "", {}}, ListDeadLetters{id, 10}})
      EXPECT_EQ(asked_one({1, query}), home) << number << " " << query.index();
    EXPECT_EQ(asked_one({1, AwaitExecution{id}}), home);
    EXPECT_EQ(asked_one({1, ReadHistory{id}}), home);
    EXPECT_EQ(asked_one({1, GetProgress{id}}), home);
  }
}

TEST_F(RouterTest, WhatIsOfAllIsAskedOfAll) {
  for (const Query& query : std::vector<Query>{ListExecutions{}, ListDeadLetters{}, GetOverview{},
                                               ListQueues{}, ListWorkers{}})
    EXPECT_TRUE(asked_all({0, query})) << query.index();
  EXPECT_TRUE(asked_all({0, Command{queue_called("gpu")}}));
  EXPECT_TRUE(asked_all({0, GetFigures{}}));
}

TEST_F(RouterTest, WorkflowsAreAskedOfTheFirst) {
  EXPECT_EQ(asked_one({1, Query{GetWorkflow{"nightly"}}}), 0u);
  EXPECT_EQ(asked_one({1, Query{ListWorkflows{}}}), 0u);
}

TEST_F(RouterTest, TheNamespaceGoesAlong) {
  asked({1, Query{GetOverview{}}, "team"});
  for (const Asked& partition : partitions) EXPECT_EQ(partition.requests[0].name_space, "team");
  asked({1, Query{GetExecution{ExecutionId{2}}}, "team"});
  EXPECT_EQ(partitions[1].requests[0].name_space, "team");
}

// Part of the format of a state directory: another place would run a submission twice.
TEST_F(RouterTest, ARequestIdHasItsPlaceForEver) {
  EXPECT_EQ(request_slot("default", "nightly-2024-05-01", 3), 1u);
  EXPECT_EQ(request_slot("team", "nightly-2024-05-01", 3), 0u);
  EXPECT_EQ(request_slot("default", "r-1", 8), 2u);
  EXPECT_EQ(request_slot("default", "r-2", 64), 52u);
}

TEST_F(RouterTest, SubmissionsWithOneRequestIdMeet) {
  for (int i = 0; i < 20; ++i) {
    std::string id = "r-" + std::to_string(i);
    uint32_t home = request_slot("default", id, three);
    EXPECT_EQ(asked_one(submission(id)), home);
    EXPECT_EQ(
        asked_one(
            {2, RunExecution{std::get<SubmitExecution>(std::get<Command>(submission(id).what))}}),
        home);
    // Whoever is confined to a namespace submits there, whatever is written in the command.
    Request confined = submission(id);
    confined.name_space = "team";
    EXPECT_EQ(asked_one(confined), request_slot("team", id, three));
    Request named = submission(id);
    submission_in(named)->name_space = "team";
    EXPECT_EQ(asked_one(named), request_slot("team", id, three));
  }
}

TEST_F(RouterTest, SubmissionsWithoutARequestIdGoRound) {
  std::array<int, three> count{};
  for (int i = 0; i < 9; ++i) ++count.at(asked_one(submission("")));
  EXPECT_EQ(count, (std::array<int, three>{3, 3, 3}));
}

TEST_F(RouterTest, TheFirstPartitionNumbersAWorkflowAndTheOthersAreTold) {
  EXPECT_EQ(registered({reply(5), reply(5), reply(5)}).number, 5u);
  EXPECT_EQ(registered_as(0), WorkflowId{});
  EXPECT_EQ(registered_as(1), WorkflowId{5});
  EXPECT_EQ(registered_as(2), WorkflowId{5});
  uint32_t slot = asked_one(submission("", WorkflowId{5}));
  ASSERT_LT(slot, three);
  EXPECT_EQ(submitted_to(slot).workflow, WorkflowId{5});
}

TEST_F(RouterTest, WhatTheFirstPartitionRefusesTheOthersNeverHearOf) {
  Reply refused = registered({reply(0, Code::resource_exhausted, "full"), stopped(), stopped()});
  EXPECT_EQ(refused.code, Code::resource_exhausted);
  EXPECT_TRUE(partitions[1].requests.empty());
  EXPECT_TRUE(partitions[2].requests.empty());
  EXPECT_EQ(registered({reply(5), reply(5), reply(5)}).number, 5u) << "and its ticket is free";
}

TEST_F(RouterTest, ARegistrationThatOneRefusesIsRefused) {
  Reply refused = registered({reply(5), reply(0, Code::resource_exhausted, "full"), stopped()});
  EXPECT_EQ(refused.code, Code::resource_exhausted);
  EXPECT_EQ(refused.message, "full");
}

TEST_F(RouterTest, AnOverviewIsASumButWorkersAreTheSameEverywhere) {
  Overview sum = answered_as<Overview>(GetOverview{},
                                       {result(Overview{{10, 4, 3, 2, 1, 1}, 9, 8, 7, 6, 5}),
                                        result(Overview{{20, 8, 6, 4, 2, 2}, 90, 80, 7, 60, 50}),
                                        result(Overview{{1, 0, 0, 0, 0, 1}, 1, 1, 6, 1, 1})});
  EXPECT_EQ(sum.counts, (Counts{31, 12, 9, 6, 3, 4}));
  EXPECT_EQ(sum.executions, 100u);
  EXPECT_EQ(sum.ready, 89u);
  EXPECT_EQ(sum.workers, 7u);
  EXPECT_EQ(sum.running, 67u);
  EXPECT_EQ(sum.parked, 56u);
}

ExecutionList executions(std::vector<uint64_t> ids) {
  ExecutionList list;
  for (uint64_t id : ids) list.executions.emplace_back().id = ExecutionId{id};
  return list;
}

TEST_F(RouterTest, ExecutionsAreListedNewestFirstUpToTheLimit) {
  ExecutionList list = answered_as<ExecutionList>(
      ListExecutions{{}, 4, {}},
      {result(executions({10, 7, 4, 1})), result(executions({2})), result(executions({9, 6, 3}))});
  std::vector<uint64_t> ids;
  for (const ExecutionSummary& one : list.executions) ids.push_back(one.id.value);
  EXPECT_EQ(ids, (std::vector<uint64_t>{10, 9, 7, 6}));
}

DeadLetterList letters(std::vector<uint64_t> ids) {
  DeadLetterList list;
  for (uint64_t id : ids)  // two each, in an order of their own
    for (NodeIndex node : {1u, 0u})
      list.letters.push_back({{ExecutionId{id}, node, 0, 1}, "", 1, {}});
  return list;
}

TEST_F(RouterTest, DeadLettersAreListedByExecutionUpToTheLimit) {
  DeadLetterList list = answered_as<DeadLetterList>(
      ListDeadLetters{{}, 5},
      {result(letters({4})), result(letters({2, 5})), result(letters({3}))});
  std::vector<std::pair<uint64_t, NodeIndex>> found;
  for (const DeadLetter& one : list.letters)
    found.emplace_back(one.range.execution.value, one.range.node);
  EXPECT_EQ(found,
            (std::vector<std::pair<uint64_t, NodeIndex>>{{2, 1}, {2, 0}, {3, 1}, {3, 0}, {4, 1}}));
}

QueueDetail queue(std::string name, uint64_t rate, uint64_t ready, uint64_t workers,
                  int64_t oldest_s) {
  QueueDetail detail;
  detail.spec.name = std::move(name);
  detail.spec.rate_permille = rate;
  detail.spec.concurrency_max = 10;
  detail.ready = ready;
  detail.ready_at[4] = ready;
  detail.granted = 1;
  detail.workers = workers;
  detail.oldest = Duration::seconds(oldest_s);
  return detail;
}

TEST_F(RouterTest, QueuesOfOneNameAreOne) {
  QueueList list = answered_as<QueueList>(
      ListQueues{}, {result(QueueList{{queue("b", 4, 1, 2, 9), queue("d", 0, 5, 0, 1)}}),
                     result(QueueList{{queue("a", 0, 7, 1, 1), queue("b", 3, 10, 3, 30)}}),
                     result(QueueList{{queue("b", 3, 100, 1, 5)}})});
  ASSERT_EQ(list.queues.size(), 3u);
  EXPECT_EQ(list.queues[0].spec.name, "a");
  const QueueDetail& b = list.queues[1];
  EXPECT_EQ(b.spec.name, "b");
  EXPECT_EQ(b.spec.rate_permille, 10u);
  EXPECT_EQ(b.spec.burst, 3u);
  EXPECT_EQ(b.spec.concurrency_max, 10u);
  EXPECT_EQ(b.ready, 111u);
  EXPECT_EQ(b.ready_at[4], 111u);
  EXPECT_EQ(b.granted, 3u);
  EXPECT_EQ(b.workers, 3u);
  EXPECT_EQ(b.oldest, Duration::seconds(30));
  EXPECT_EQ(list.queues[2].spec.name, "d");
}

TEST_F(RouterTest, EachPartitionIsToldItsShareOfAQueuesRate) {
  ConfigureQueue whole = queue_called("gpu");
  whole.rate_permille = 1001;
  whole.burst = 2;
  whole.concurrency_max = 7;
  asked({1, Command{whole}});
  std::array<uint64_t, three> rates{334, 334, 333};
  for (uint32_t slot = 0; slot < three; ++slot) {
    const auto& told =
        std::get<ConfigureQueue>(std::get<Command>(partitions[slot].requests[0].what));
    EXPECT_EQ(told.rate_permille, rates[slot]);
    EXPECT_EQ(told.burst, 1u);
    EXPECT_EQ(told.concurrency_max, 7u);
    EXPECT_EQ(told.aging, std::nullopt);
  }
}

// No limit stays none, and a partition refuses what nobody may ask for.
TEST_F(RouterTest, BoundsOfAQueueAreThoseOfTheWhole) {
  ConfigureQueue bad = queue_called("gpu");
  bad.rate_permille = 0;
  bad.burst = 0;
  EXPECT_EQ(share_of(bad, 1, three).rate_permille, 0u);
  EXPECT_EQ(share_of(bad, 1, three).burst, 0u);
  bad.rate_permille = queue_rate_permille_max + 1;
  bad.burst = queue_burst_max + 1;
  EXPECT_GT(share_of(bad, 1, three).rate_permille, queue_rate_permille_max);
  EXPECT_GT(share_of(bad, 1, three).burst, queue_burst_max);
}

WorkerDetail worker(std::string name, uint64_t session, uint64_t free, int64_t silent_s,
                    bool suspect) {
  WorkerDetail detail;
  detail.session = SessionId{session};
  detail.worker.name = std::move(name);
  detail.worker.capacity = {{"memory", 100}};
  detail.free = {{"memory", free}};
  detail.outstanding = 1;
  detail.usage.running = static_cast<uint32_t>(session);
  detail.silent = Duration::seconds(silent_s);
  detail.suspect = suspect;
  return detail;
}

TEST_F(RouterTest, WorkersOfOneNameAreOne) {
  WorkerList list = answered_as<WorkerList>(
      ListWorkers{},
      {result(WorkerList{{worker("a", 1, 90, 5, true), worker("b", 2, 100, 1, true)}}),
       result(WorkerList{{worker("b", 11, 60, 2, true), worker("a", 12, 70, 3, false)}}),
       result(WorkerList{{worker("a", 21, 80, 9, true), worker("c", 22, 5, 0, true)}})});
  ASSERT_EQ(list.workers.size(), 3u);
  const WorkerDetail& a = list.workers[0];
  EXPECT_EQ(a.session, SessionId{1});
  EXPECT_EQ(a.free, (Amounts{{"memory", 40}}));
  EXPECT_EQ(a.outstanding, 3u);
  EXPECT_EQ(a.silent, Duration::seconds(3));
  EXPECT_EQ(a.usage.running, 12u);  // the newest word
  EXPECT_FALSE(a.suspect);
  EXPECT_EQ(list.workers[1].worker.name, "b");
  EXPECT_TRUE(list.workers[1].suspect);
  EXPECT_EQ(list.workers[1].free, (Amounts{{"memory", 60}}));
  EXPECT_EQ(list.workers[2].session, SessionId{22});
}

TEST_F(RouterTest, TwoWorkersWithOneNameStayTwo) {
  WorkerList pair{{worker("w", 1, 100, 1, false), worker("w", 2, 50, 1, false)}};
  WorkerList list =
      answered_as<WorkerList>(ListWorkers{}, {result(pair), result(pair), result(WorkerList{})});
  ASSERT_EQ(list.workers.size(), 2u);
  EXPECT_EQ(list.workers[0].free, (Amounts{{"memory", 100}}));
  EXPECT_EQ(list.workers[1].free, (Amounts{{"memory", 0}}));
}

Response figures(uint64_t granted, int64_t wait_ms, uint64_t position, DiskSpace space) {
  auto one = std::make_shared<Figures>();
  one->counted.granted[2] = granted;
  one->counted.failed[2] = granted;
  one->counted.sessions_opened = 4;
  one->counted.wait.observe(Duration::milliseconds(wait_ms));
  one->counted.queued.observe(Duration::milliseconds(wait_ms));
  one->counted.ran.observe(Duration::milliseconds(wait_ms), granted);
  one->counts.submitted = granted;
  one->durable_position = position;
  one->epoch = position;
  one->space = space;
  one->queues.queues = {queue("q", 0, 1, 1, 1)};
  one->workers.workers = {worker("w", position, 100, 1, false)};
  if (space != DiskSpace::plenty) one->refuses = Error{Code::unavailable, "full"};
  return {0, FiguresRef(std::move(one))};
}

TEST_F(RouterTest, FiguresAreAddedUp) {
  Response whole = answered(
      {0, GetFigures{}}, {figures(1, 3, 7, DiskSpace::plenty), figures(10, 30, 9, DiskSpace::hard),
                          figures(100, 3, 8, DiskSpace::soft)});
  const Figures& sum = *std::get<FiguresRef>(whole.what);
  EXPECT_EQ(sum.counted.granted[2], 111u);
  EXPECT_EQ(sum.counted.failed[2], 111u);
  EXPECT_EQ(sum.counted.sessions_opened, 4u);
  EXPECT_EQ(sum.counted.wait.count(), 3u);
  EXPECT_EQ(sum.counted.queued.count(), 3u);
  EXPECT_EQ(sum.counted.ran.count(), 111u);
  EXPECT_EQ(sum.counted.wait.at_most(5), 2u);
  EXPECT_EQ(sum.counts.submitted, 111u);
  EXPECT_EQ(sum.durable_position, 24u);
  EXPECT_EQ(sum.epoch, 9u);
  EXPECT_EQ(sum.space, DiskSpace::hard);
  EXPECT_EQ(sum.queues.queues.at(0).ready, 3u);
  EXPECT_EQ(sum.workers.workers.at(0).outstanding, 3u);
  ASSERT_TRUE(sum.refuses.has_value());
  EXPECT_EQ(sum.refuses->message, "full");
}

TEST_F(RouterTest, TheFirstErrorIsTheAnswerOnceAllHaveAnswered) {
  Error worse{Code::data_loss, "a row is broken"};
  Response one =
      answered({0, Query{GetOverview{}}}, {result(Overview{}), stopped(), result(worse)});
  EXPECT_EQ(std::get<Reply>(one.what).code, Code::unknown);
  Response other =
      answered({0, Query{ListExecutions{}}}, {result(worse), result(ExecutionList{}), stopped()});
  EXPECT_EQ(std::get<Error>(std::get<QueryResult>(other.what)).message, "a row is broken");
  Response refused = answered({0, Command{queue_called("q")}},
                              {reply(1), reply(1), reply(0, Code::invalid_argument, "burst")});
  EXPECT_EQ(std::get<Reply>(refused.what).code, Code::invalid_argument);
  Response done = answered({0, Command{queue_called("q")}}, {reply(1), reply(2), reply(3)});
  EXPECT_EQ(std::get<Reply>(done.what).number, 1u);
}

TEST_F(RouterTest, QuestionsMayOverlapInAnyOrder) {
  router.put({1, Query{GetOverview{}}});
  router.put({2, Query{ListExecutions{}}});
  EXPECT_FALSE(take(0, 2, result(executions({1}))));
  EXPECT_FALSE(take(2, 1, result(Overview{})));
  EXPECT_FALSE(take(2, 2, result(executions({3}))));
  EXPECT_FALSE(take(1, 1, result(Overview{})));
  std::optional<Response> list = take(1, 2, result(executions({2})));
  ASSERT_TRUE(list.has_value());
  EXPECT_EQ(std::get<ExecutionList>(std::get<QueryResult>(list->what)).executions.size(), 3u);
  EXPECT_TRUE(take(0, 1, result(Overview{})).has_value());
}

TEST_F(RouterTest, WhoeverStopsWaitingIsHeardWhereItWaits) {
  SubmitExecution submit;
  for (Ticket ticket = 1; ticket <= 4; ++ticket) {
    uint32_t slot = asked_one({ticket, RunExecution{submit}});
    EXPECT_EQ(asked_one({0, StopWaiting{ticket}}), slot);
    const auto& stop = std::get<StopWaiting>(partitions[slot].requests[0].what);
    EXPECT_EQ(stop.waiting, ticket);
    EXPECT_TRUE(take(slot, ticket, reply(1)).has_value());
    EXPECT_TRUE(asked({0, StopWaiting{ticket}}).empty()) << "it has its answer";
  }
  ReadHistory read{ExecutionId{2}};
  asked({9, read});
  EXPECT_TRUE(asked({0, StopWaiting{9}}).empty()) << "it does not wait";
  read.wait = true;
  asked({10, read});
  EXPECT_EQ(asked_one({0, StopWaiting{10}}), 1u);
  EXPECT_TRUE(asked({0, StopWaiting{77}}).empty());
}

TEST_F(RouterTest, AnAnswerOfOnePartitionPassesAsItIs) {
  asked({5, Query{GetExecution{ExecutionId{3}}}});
  std::optional<Response> detail = take(2, 5, result(ExecutionDetail{}));
  ASSERT_TRUE(detail.has_value());
  EXPECT_EQ(detail->ticket, 5u);
  EXPECT_TRUE(std::holds_alternative<ExecutionDetail>(std::get<QueryResult>(detail->what)));
}

TEST(Router, OnePartitionAloneSeesEverythingAsItWasAsked) {
  Asked only;
  Router router{{&only}};
  SubmitExecution submit;
  submit.workflow = WorkflowId{17};
  ConfigureQueue configure = queue_called("q");
  configure.rate_permille = 1000;
  router.put({1, Command{submit}});
  router.put({2, Command{configure}});
  router.put({3, Query{ListExecutions{}}});
  router.put({0, StopWaiting{44}});
  ASSERT_EQ(only.requests.size(), 4u);
  EXPECT_EQ(submission_in(only.requests[0])->workflow, WorkflowId{17});
  EXPECT_EQ(std::get<ConfigureQueue>(std::get<Command>(only.requests[1].what)).rate_permille,
            1000u);
  EXPECT_EQ(std::get<StopWaiting>(only.requests[3].what).waiting, 44u);
  std::optional<Response> answer = router.take(0, {3, QueryResult{executions({1, 2})}});
  ASSERT_TRUE(answer.has_value());  // not even sorted
  EXPECT_EQ(std::get<ExecutionList>(std::get<QueryResult>(answer->what)).executions[0].id.value,
            1u);
}

TEST(RouterDeathTest, AWorkersWordsDoNotComeThisWay) {
  Asked one;
  Router router{{&one, &one}};
  EXPECT_DEATH(router.put({1, Command{Tick{}}}), "whoever has it knows which");
  EXPECT_DEATH(Router({}), "partitions_max");
}

}  // namespace
}  // namespace pawl
