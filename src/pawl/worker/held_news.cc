#include "pawl/worker/held_news.h"

#include <algorithm>
#include <utility>
#include <variant>
#include <vector>

#include "pawl/worker/failure.h"

namespace pawl {
namespace {

uint64_t launch_of(const ExecutorNews& news) {
  return std::visit([](const auto& one) { return one.launch; }, news);
}

std::vector<AttemptReport>* reports_of(ExecutorNews& news) {
  if (auto* finished = std::get_if<Finished>(&news)) return &finished->reports;
  if (auto* reported = std::get_if<Reported>(&news)) return &reported->reports;
  return nullptr;
}

AttemptReport part_of(const AttemptReport& report, ItemIndex begin, ItemIndex end) {
  AttemptReport part;
  part.range = {report.range.execution, report.range.node, begin, end};
  part.attempt = report.attempt;
  part.nonce = report.nonce;
  return part;
}

// What stands of a report once its item `failed` has not: what is before it, the failure, and what is behind it.
std::vector<AttemptReport> without_item(AttemptReport report, ItemIndex failed,
                                        const Error& error) {
  std::vector<AttemptReport> parts;
  const auto place = report.outputs.begin() + (failed - report.range.begin);
  if (failed > report.range.begin) {
    AttemptReport& before = parts.emplace_back(part_of(report, report.range.begin, failed));
    before.succeeded = true;
    before.outputs.assign(report.outputs.begin(), place);
  }
  AttemptReport& failure = parts.emplace_back(part_of(report, failed, failed + 1));
  failure.kind = failure_of(error, FailureKind::output);
  failure.error = error.message;
  if (failed + 1 < report.range.end) {
    AttemptReport& behind = parts.emplace_back(part_of(report, failed + 1, report.range.end));
    behind.succeeded = true;
    behind.outputs.assign(place + 1, report.outputs.end());
  }
  return parts;
}

}  // namespace

HeldNews::HeldNews(PayloadDesk& desk, Loop& loop, Sink<ExecutorNews>& news)
    : desk_(desk), loop_(loop), news_(news) {
  loop_.add(*this);
}

HeldNews::~HeldNews() {
  loop_.remove(*this);
}

// Whether nothing of it is on its way any more; what has failed is in it then.
bool HeldNews::settle(ExecutorNews& news) {
  std::vector<AttemptReport>* reports = reports_of(news);
  if (reports == nullptr) return true;
  for (size_t i = 0; i < reports->size(); ++i) {
    const AttemptReport& report = (*reports)[i];
    for (size_t place = 0; place < report.outputs.size(); ++place) {
      if (!report.outputs[place].is_blob()) continue;
      std::optional<Status> outcome = desk_.outcome(report.outputs[place].ref());
      if (!outcome) return false;
      if (outcome->ok()) continue;
      auto failed = static_cast<ItemIndex>(report.range.begin + place);
      auto parts = without_item(std::move((*reports)[i]), failed, outcome->error());
      reports->erase(reports->begin() + static_cast<std::ptrdiff_t>(i));
      reports->insert(reports->begin() + static_cast<std::ptrdiff_t>(i),
                      std::make_move_iterator(parts.begin()), std::make_move_iterator(parts.end()));
      break;  // its parts come next
    }
  }
  return true;
}

void HeldNews::put(ExecutorNews news) {
  std::lock_guard lock(mutex_);
  auto held = held_.find(launch_of(news));
  if (held != held_.end()) return held->second.push_back(std::move(news));
  if (desk_.all_settled() || settle(news)) return news_.put(std::move(news));
  held_[launch_of(news)].push_back(std::move(news));
  loop_.wake();  // it may have settled before it was held
}

bool HeldNews::turn() {
  if (seen_ == desk_.settlements()) return false;
  std::lock_guard lock(mutex_);
  seen_ = desk_.settlements();
  for (auto it = held_.begin(); it != held_.end();) {
    std::deque<ExecutorNews>& waiting = it->second;
    while (!waiting.empty() && settle(waiting.front())) {
      news_.put(std::move(waiting.front()));
      waiting.pop_front();
    }
    it = waiting.empty() ? held_.erase(it) : std::next(it);
  }
  return false;
}

}  // namespace pawl
