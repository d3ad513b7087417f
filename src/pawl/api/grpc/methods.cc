#include "pawl/api/grpc/methods.h"

#include "pawl/v1/cluster.pb.h"
#include "pawl/v1/executions.pb.h"
#include "pawl/v1/queues.pb.h"
#include "pawl/v1/workflows.pb.h"

namespace pawl {
namespace {

using Kind = MethodKind;

template <class Request, class Response>
Method row(const char* service, const char* name, Kind kind, const char* call, const char* answer) {
  return {service,
          name,
          kind,
          call,
          answer,
          &Request::default_instance(),
          &Response::default_instance()};
}

std::vector<Method> executions() {
  const char* in = "Executions";
  return {
      row<v1::SubmitRequest, v1::SubmitResponse>(in, "Submit", Kind::call, "submit", "submitted"),
      row<v1::SubmitRequest, v1::Execution>(in, "SubmitAndWait", Kind::call, "run", "execution"),
      row<v1::SubmitManyRequest, v1::SubmitManyResponse>(in, "SubmitMany", Kind::call,
                                                         "submit_many", "submitted_many"),
      row<v1::GetExecutionRequest, v1::Execution>(in, "Get", Kind::call, "get_execution",
                                                  "execution"),
      row<v1::ListExecutionsRequest, v1::ListExecutionsResponse>(in, "List", Kind::call,
                                                                 "list_executions", "executions"),
      row<v1::WaitRequest, v1::Settlement>(in, "Wait", Kind::call, "await", "settled"),
      row<v1::GetTaskRequest, v1::Task>(in, "GetTask", Kind::call, "get_task", "task"),
      row<v1::GetHistoryRequest, v1::History>(in, "GetHistory", Kind::call, "read_history",
                                              "history"),
      row<v1::GetProgressRequest, v1::RunningTasks>(in, "GetProgress", Kind::call, "get_progress",
                                                    "progress"),
      row<v1::WatchRequest, v1::WatchUpdate>(in, "Watch", Kind::watch, "read_history", ""),
      row<v1::ExplainRequest, v1::Reasons>(in, "Explain", Kind::call, "explain", "reasons"),
      row<v1::ReadOutputRequest, v1::ContentPart>(in, "ReadOutput", Kind::output, "get_execution",
                                                  ""),
      row<v1::ReadContentRequest, v1::ContentPart>(in, "ReadContent", Kind::content, "read_payload",
                                                   ""),
      row<v1::ReadLogRequest, v1::LogPart>(in, "ReadLog", Kind::log, "read_log", ""),
      row<v1::ListLogsRequest, v1::ListLogsResponse>(in, "ListLogs", Kind::call, "list_logs",
                                                     "logs"),
      row<v1::CancelRequest, v1::Changed>(in, "Cancel", Kind::call, "cancel", "changed"),
      row<v1::ForgetRequest, v1::Changed>(in, "Forget", Kind::call, "forget", "changed"),
      row<v1::ListDeadLettersRequest, v1::DeadLetters>(in, "ListDeadLetters", Kind::call,
                                                       "list_dead_letters", "dead_letters"),
      row<v1::RedriveRequest, v1::Changed>(in, "Redrive", Kind::call, "redrive", "changed"),
      row<v1::DiscardRequest, v1::Changed>(in, "Discard", Kind::call, "discard", "changed"),
  };
}

std::vector<Method> others() {
  return {
      row<v1::RegisterWorkflowRequest, v1::RegisteredWorkflow>("Workflows", "Register", Kind::call,
                                                               "register", "registered"),
      row<v1::GetWorkflowRequest, v1::Workflow>("Workflows", "Get", Kind::call, "get_workflow",
                                                "workflow"),
      row<v1::ListWorkflowsRequest, v1::ListWorkflowsResponse>("Workflows", "List", Kind::call,
                                                               "list_workflows", "workflows"),
      row<v1::ConfigureQueueRequest, v1::QueueChanged>("Queues", "Configure", Kind::call,
                                                       "configure_queue", "changed"),
      row<v1::ListQueuesRequest, v1::ListQueuesResponse>("Queues", "List", Kind::call,
                                                         "list_queues", "queues"),
      row<v1::GetServerRequest, v1::Server>("Cluster", "GetServer", Kind::call, "get_server",
                                            "server"),
      row<v1::GetOverviewRequest, v1::Overview>("Cluster", "GetOverview", Kind::call,
                                                "get_overview", "overview"),
      row<v1::ListWorkersRequest, v1::ListWorkersResponse>("Cluster", "ListWorkers", Kind::call,
                                                           "list_workers", "workers"),
      row<v1::GetMetricsRequest, v1::Metrics>("Cluster", "GetMetrics", Kind::call, "get_metrics",
                                              "metrics"),
  };
}

}  // namespace

std::string service_name(const Method& method) {
  return std::string("pawl.v1.") + method.service;
}

std::string Method::path() const {
  return "/" + service_name(*this) + "/" + name;
}

const std::vector<Method>& methods() {
  static const std::vector<Method> table = [] {
    std::vector<Method> all = executions();
    for (Method& one : others()) all.push_back(one);
    return all;
  }();
  return table;
}

}  // namespace pawl
