// The last that executors' news pass before the worker hears them: their reports are told to the judges here, as they
// have become (HeldNews), and are kept, to be told a second time.
//
//   JudgedNews judged(universe, judges, mailbox);
//   judged.says(report, "{\"a\": 1}");          // what its one item says, wherever the report keeps it
//   judged.put(Finished{launch, {report}});
#pragma once

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "pawl/base/random.h"
#include "pawl/port/executor.h"
#include "pawl/sim/judges.h"

namespace pawl::sim {

class JudgedNews final : public Sink<ExecutorNews> {
 public:
  JudgedNews(Universe& universe, Judges& judges, Sink<ExecutorNews>& news)
      : universe_(universe), judges_(judges), news_(news) {}

  void says(const AttemptReport& report, std::string output);
  void put(ExecutorNews news) override;
  const std::vector<AttemptReport>& told() const { return told_; }

 private:
  struct Said {
    std::string output;
    Instant when;
  };
  using Key = std::tuple<TaskKey, AttemptNumber, uint64_t>;
  void tell(const AttemptReport& report);

  Universe& universe_;
  Judges& judges_;
  Sink<ExecutorNews>& news_;
  std::map<Key, Said> said_;  // of those not yet told
  std::vector<AttemptReport> told_;
};

}  // namespace pawl::sim
