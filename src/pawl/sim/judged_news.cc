#include "pawl/sim/judged_news.h"

#include <utility>
#include <variant>

namespace pawl::sim {

void JudgedNews::says(const AttemptReport& report, std::string output) {
  said_[{report.range.at(report.range.begin), report.attempt, report.nonce}] = {std::move(output),
                                                                                universe_.now()};
}

void JudgedNews::put(ExecutorNews news) {
  const std::vector<AttemptReport>* reports = nullptr;
  if (const auto* finished = std::get_if<Finished>(&news)) reports = &finished->reports;
  if (const auto* reported = std::get_if<Reported>(&news)) reports = &reported->reports;
  if (reports != nullptr) {
    for (const AttemptReport& report : *reports) tell(report);
  }
  news_.put(std::move(news));
}

// Item by item. What is told a second time is known.
void JudgedNews::tell(const AttemptReport& report) {
  bool first_time = false;
  for (ItemIndex item = report.range.begin; item < report.range.end; ++item) {
    auto said = said_.extract({report.range.at(item), report.attempt, report.nonce});
    if (said.empty()) continue;
    first_time = true;
    universe_.coverage.reached_if(said.mapped().when < universe_.now(), Sometimes::report_held);
    AttemptReport one = report;
    one.range = {report.range.execution, report.range.node, item, item + 1};
    one.outputs.clear();
    if (!report.outputs.empty()) one.outputs = {report.outputs[item - report.range.begin]};
    judges_.of(report.range.execution)
        .reported(one, report.succeeded ? std::move(said.mapped().output) : "null");
  }
  if (first_time) told_.push_back(report);
}

}  // namespace pawl::sim
