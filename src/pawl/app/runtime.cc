#include "pawl/app/runtime.h"

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

#include "pawl/api/input.h"
#include "pawl/app/host.h"
#include "pawl/definition/definition.h"
#include "pawl/wire/workflow_codec.h"

namespace pawl {
namespace {

// Where callers wait for their tickets.
class Answers final : public Sink<Response> {
 public:
  Ticket expect() {
    std::lock_guard<std::mutex> lock(mutex_);
    waiting_.emplace(++last_, std::nullopt);
    return last_;
  }
  void put(Response response) override {
    std::lock_guard<std::mutex> lock(mutex_);
    auto it = waiting_.find(response.ticket);
    if (it == waiting_.end()) return;
    it->second = std::move(response);
    arrived_.notify_all();
  }
  Response take(Ticket ticket) {
    std::unique_lock<std::mutex> lock(mutex_);
    auto it = waiting_.find(ticket);
    arrived_.wait(lock, [&] { return it->second.has_value(); });
    Response response = std::move(*it->second);
    waiting_.erase(it);
    return response;
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  Ticket last_ = 0;
  std::map<Ticket, std::optional<Response>> waiting_;
};

struct Submission {
  SubmitExecution command;
  StagedInputRef staged;  // until the engine has answered
};

}  // namespace

struct Runtime::Impl {
  Answers answers;
  std::unique_ptr<Host> host;
  std::thread thread;
  std::mutex mutex;                                                 // of the workflows
  std::map<WorkflowId, std::shared_ptr<const Workflow>> workflows;  // registered since the start
  std::atomic<uint64_t> last_staged{0};
  const Limits limits;

  template <class What>
  Response ask(What what) {
    Ticket ticket = answers.expect();
    host->engine().put({ticket, std::move(what)});
    return answers.take(ticket);
  }

  void know(WorkflowId id, const Workflow& workflow) {
    std::lock_guard<std::mutex> lock(mutex);
    workflows.try_emplace(id, std::make_shared<Workflow>(workflow));
  }

  std::shared_ptr<const Workflow> known(WorkflowId id) {
    std::lock_guard<std::mutex> lock(mutex);
    auto found = workflows.find(id);
    return found == workflows.end() ? nullptr : found->second;
  }

  Result<Submission> submission(WorkflowId id, const std::string& input_json,
                                std::string request_id) {
    std::shared_ptr<const Workflow> workflow = known(id);
    if (!workflow)
      return Error{Code::failed_precondition,
                   "the workflow with id " + std::to_string(id.value) +
                       " was not registered with this runtime; register_workflow() gives the same "
                       "id for the same definition"};
    PAWL_ASSIGN(Input input,
                make_input(*workflow, input_json, {host->blob(), limits, ++last_staged}));
    Submission submission;
    submission.command.workflow = id;
    submission.command.request_id = std::move(request_id);
    submission.command.input = std::move(input.payload);
    submission.command.payload_hash = submit_hash(submission.command, {id.value, 0});
    submission.staged = std::move(input.staged);
    return submission;
  }

  Result<Reply> reply(Response response) {
    auto* reply = std::get_if<Reply>(&response.what);
    PAWL_CHECK(reply != nullptr, "a command is answered by a reply");
    if (reply->code != Code::ok) return error_of(*reply);
    return std::move(*reply);
  }

  Result<ExecutionResult> result_of(const ExecutionDetail& detail) {
    ExecutionResult result{detail.summary.status, "null", detail.summary.error};
    if (detail.output.is_blob()) {
      PAWL_ASSIGN(result.output, host->blob().get(detail.output.ref()));
    } else {
      result.output = detail.output.text();
    }
    return result;
  }
};

Runtime::Runtime(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Runtime::~Runtime() {
  impl_->host->loop().stop();
  impl_->thread.join();
}

Result<std::unique_ptr<Runtime>> Runtime::open(RuntimeOptions options,
                                               const FunctionRegistry& functions) {
  auto impl = std::make_unique<Impl>();
  HostOptions host;
  host.directory = std::move(options.directory);
  host.jobs = options.jobs;
  host.functions = &functions;
  host.programs_directory = std::move(options.programs_directory);
  host.listen = std::move(options.listen);
  host.keys = std::move(options.keys);
  host.memory = options.memory;
  host.view = std::move(options.view);
  // The loop's thread is the one that opens (processes die with the thread that started them), so
  // the host is born, lives and ends there.
  std::mutex mutex;
  std::condition_variable opened_or_not;
  std::optional<Status> opened;
  Impl* raw = impl.get();
  impl->thread = std::thread([raw, &host, &mutex, &opened_or_not, &opened] {
    Result<std::unique_ptr<Host>> result = Host::open(std::move(host), {&raw->answers});
    bool ok = result.ok();
    if (ok) raw->host = std::move(*result);
    Host* running = raw->host.get();
    {
      std::lock_guard<std::mutex> lock(mutex);
      opened = ok ? Status() : Status(std::move(result.error()));
      opened_or_not.notify_one();
    }
    if (!ok) return;
    running->loop().run();
    running->abandon();
    while (!running->stopped()) running->loop().run_once(Duration::milliseconds(10));
    (void)running->close();  // what is not marked as a clean end is recovered at the next open
    raw->host.reset();
  });
  std::unique_lock<std::mutex> lock(mutex);
  opened_or_not.wait(lock, [&] { return opened.has_value(); });
  if (!opened->ok()) {
    lock.unlock();
    impl->thread.join();
    return std::move(opened->error());
  }
  return std::unique_ptr<Runtime>(new Runtime(std::move(impl)));
}

uint16_t Runtime::port() const {
  return impl_->host->port();
}

Result<ExecutionId> Runtime::submit(std::string_view definition, std::string input_json,
                                    std::string request_id) {
  Loaded loaded = load_definition(definition, "definition");
  if (!loaded.ok()) {
    std::string problems;
    for (const Problem& problem : loaded.problems) {
      if (!problems.empty()) problems += "\n";
      problems += to_text(problem);
    }
    return Error{Code::invalid_argument, problems};
  }
  PAWL_ASSIGN(WorkflowId workflow, register_workflow(loaded.workflow));
  return start(workflow, std::move(input_json), std::move(request_id));
}

Result<WorkflowId> Runtime::register_workflow(const Workflow& workflow) {
  PAWL_ASSIGN(Reply reply, command(RegisterWorkflow{encode(workflow)}));
  impl_->know(WorkflowId{reply.number}, workflow);
  return WorkflowId{reply.number};
}

Result<ExecutionId> Runtime::start(WorkflowId workflow, std::string input_json,
                                   std::string request_id) {
  PAWL_ASSIGN(Submission submission,
              impl_->submission(workflow, input_json, std::move(request_id)));
  PAWL_ASSIGN(Reply reply, command(std::move(submission.command)));
  return ExecutionId{reply.number};
}

Result<std::vector<ExecutionId>> Runtime::start_many(WorkflowId workflow,
                                                     std::vector<std::string> inputs_json) {
  std::vector<std::pair<Ticket, StagedInputRef>> submitted;
  std::optional<Error> refused;
  for (std::string& input : inputs_json) {
    Result<Submission> submission = impl_->submission(workflow, input, "");
    if (!submission.ok()) {
      refused = submission.error();
      break;
    }
    Ticket ticket = impl_->answers.expect();
    impl_->host->engine().put({ticket, Command(std::move(submission->command))});
    submitted.emplace_back(ticket, std::move(submission->staged));
  }
  std::vector<ExecutionId> ids;
  for (auto& [ticket, staged] : submitted) {
    Result<Reply> reply = impl_->reply(impl_->answers.take(ticket));
    staged.reset();
    if (!reply.ok() && !refused) refused = reply.error();
    if (reply.ok()) ids.push_back(ExecutionId{reply->number});
  }
  if (refused) return std::move(*refused);
  return ids;
}

Result<ExecutionResult> Runtime::run(WorkflowId workflow, std::string input_json,
                                     std::string request_id) {
  PAWL_ASSIGN(Submission submission,
              impl_->submission(workflow, input_json, std::move(request_id)));
  Response response = impl_->ask(RunExecution{std::move(submission.command)});
  auto* result = std::get_if<QueryResult>(&response.what);
  if (result != nullptr) return impl_->result_of(std::get<ExecutionDetail>(*result));
  PAWL_ASSIGN(Reply parked, impl_->reply(std::move(response)));
  return wait(ExecutionId{parked.number});
}

Result<Reply> Runtime::command(Command command) {
  return impl_->reply(impl_->ask(std::move(command)));
}

Result<QueryResult> Runtime::query(Query query) {
  Response response = impl_->ask(std::move(query));
  auto* result = std::get_if<QueryResult>(&response.what);
  if (result == nullptr) return impl_->reply(std::move(response)).error();
  if (auto* error = std::get_if<Error>(result)) return std::move(*error);
  return std::move(*result);
}

Result<ExecutionResult> Runtime::wait(ExecutionId execution) {
  PAWL_TRY(impl_->reply(impl_->ask(AwaitExecution{execution})));
  PAWL_ASSIGN(QueryResult result, query(GetExecution{execution}));
  return impl_->result_of(std::get<ExecutionDetail>(result));
}

}  // namespace pawl
