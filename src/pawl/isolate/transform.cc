#include "pawl/isolate/transform.h"

#include <utility>

#include "pawl/isolate/report_builder.h"
#include "pawl/worker/failure.h"

namespace pawl {

void TransformExecutor::start(Launch launch) {
  PAWL_CHECK(launch.grant.range.size() <= max_range(), "a launch above max_range()");
  const Expression& transform = launch.grant.context->definition().transform;
  if (auto items = expressions_.values(launch.id, launch.grant, {&transform}, *this))
    return finish(launch.id, launch.grant, std::move(*items));
  waiting_.emplace(launch.id, std::move(launch.grant));
}

void TransformExecutor::stop(uint64_t launch, StopMode) {
  auto found = waiting_.find(launch);
  if (found == waiting_.end()) return;
  expressions_.give_up(launch, *this);
  ReportBuilder reports(found->second, payloads_);
  const TaskRange& range = found->second.range;
  reports.fail(range.begin, range.end, FailureKind::declined, "stopped");
  news_.put(Finished{launch, reports.take()});
  waiting_.erase(found);
}

void TransformExecutor::put(ExpressionValues values) {
  auto found = waiting_.find(values.id);
  PAWL_CHECK(found != waiting_.end(), "values that nobody asked for");
  Grant grant = std::move(found->second);
  waiting_.erase(found);
  finish(values.id, grant, std::move(values.items));
}

void TransformExecutor::finish(uint64_t launch, const Grant& grant, ItemValues items) {
  const std::string& expression = grant.context->definition().transform.text;
  ReportBuilder reports(grant, payloads_);
  bool timed = grant.context->definition().timeout.run.ns > 0;
  for (ItemIndex item = grant.range.begin; item < grant.range.end; ++item) {
    Result<Values>& values = items[item - grant.range.begin];
    if (!values.ok()) {
      bool late = timed && values.error().code == Code::deadline_exceeded;
      reports.fail(
          item, item + 1,
          late ? FailureKind::timeout : failure_of(values.error(), FailureKind::expression),
          values.error().message);
      continue;
    }
    std::string& value = values->at(expression);
    reports.succeed(item, value == "null" ? std::string() : std::move(value));
  }
  news_.put(Finished{launch, reports.take()});
}

}  // namespace pawl
