// The walls between namespaces: every request passes here before the partition sees it.

#include "pawl/engine/engine.h"
#include "pawl/partition/stored.h"

namespace pawl {
namespace {

struct Subject {
  ExecutionId operator()(const Command& command) const { return named(command); }
  ExecutionId operator()(const Query& query) const { return named(query); }
  ExecutionId operator()(const RunExecution&) const { return {}; }
  ExecutionId operator()(const StopWaiting&) const { return {}; }
  ExecutionId operator()(const GetFigures&) const { return {}; }
  template <class Other>
  ExecutionId operator()(const Other& other) const {
    return other.execution;
  }
};

// Where a request that makes something says that it goes; null: it makes nothing.
std::string* destination(Request& request) {
  if (auto* command = std::get_if<Command>(&request.what)) {
    if (auto* submit = std::get_if<SubmitExecution>(command)) return &submit->name_space;
    if (auto* workflow = std::get_if<RegisterWorkflow>(command)) return &workflow->name_space;
  }
  auto* run = std::get_if<RunExecution>(&request.what);
  return run ? &run->submit.name_space : nullptr;
}

}  // namespace

Status Engine::confine(Request& request) {
  if (request.name_space.empty()) return {};
  if (std::string* goes_to = destination(request)) *goes_to = request.name_space;
  ExecutionId id = std::visit(Subject{}, request.what);
  if (!id) return {};
  PAWL_TRY(load_execution(partition_->restoring(), ports_.view, id));
  const Execution* execution = partition_->state().executions.find(id);
  if (execution != nullptr && belongs(*execution, request.name_space)) return {};
  return Error{Code::not_found,
               "no execution " + to_text(id) + "; `pawl list` shows those that exist"};
}

// After all that was decided before it, as every answer.
void Engine::refuse_foreign(const Request& request, const Error& error) {
  open_group();
  Response response{request.ticket, Reply{error.code, error.message, 0}};
  if (std::holds_alternative<Query>(request.what)) response.what = QueryResult{error};
  if (std::holds_alternative<ReadHistory>(request.what)) response.what = History{error, {}, false};
  gathering_.responses.push_back(std::move(response));
}

}  // namespace pawl
