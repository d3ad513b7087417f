#include "pawl/sim/runner.h"

#include <fcntl.h>
#include <malloc.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <deque>

namespace pawl::sim {
namespace {

// What a child writes into its pipe: plain bytes of the same program.
struct Told {
  bool passed = false;
  char invariant[8] = {};
  char what[1000] = {};
  uint64_t trace_hash = 0;
  Coverage coverage;
  Tally tally;
};

struct Child {
  pid_t pid = -1;
  int result = -1;
  int words = -1;  // its stderr
  Plan plan;
};

void tell(Told& told, const std::string& invariant, const std::string& what) {
  told.passed = false;
  std::strncpy(told.invariant, invariant.c_str(), sizeof told.invariant - 1);
  std::strncpy(told.what, what.c_str(), sizeof told.what - 1);
}

RunResult run_once(const Plan& plan, const Exhibit* exhibit) {
  std::unique_ptr<Seams> seams = exhibit ? exhibit->make() : std::make_unique<Seams>();
  return run(plan, *seams);
}

// Another heap than the run before: what is taken from it holds other bytes and lies elsewhere. So a
// run that depends on either has another trace.
class OtherHeap {
 public:
  OtherHeap() {
    mallopt(M_PERTURB, 0xa5);
    for (size_t size = 16; size < 64 * 1024; size += size / 2) held_.emplace_back(size, '\0');
  }
  ~OtherHeap() { mallopt(M_PERTURB, 0); }

 private:
  std::vector<std::string> held_;
};

uint64_t hash_on_other_heap(const Plan& plan, const Exhibit* exhibit) {
  OtherHeap heap;
  return run_once(plan, exhibit).trace_hash;
}

Told run_here(const Plan& plan, const Exhibit* exhibit, Runs runs) {
  RunResult result = run_once(plan, exhibit);
  Told told;
  told.passed = true;
  told.trace_hash = result.trace_hash;
  told.coverage = result.coverage;
  told.tally = result.tally;
  if (result.violation) {
    tell(told, result.violation->invariant, result.violation->what);
  } else if (runs == Runs::twice && hash_on_other_heap(plan, exhibit) != result.trace_hash) {
    tell(told, "I26", "two runs of one seed have different traces");
  }
  return told;
}

Child start(const Plan& plan, const Exhibit* exhibit, Runs runs) {
  int result[2];
  int words[2];
  PAWL_CHECK(pipe2(result, O_CLOEXEC) == 0 && pipe2(words, O_CLOEXEC) == 0, "no pipes");
  pid_t pid = fork();
  PAWL_CHECK(pid >= 0, "fork failed");
  if (pid == 0) {
    dup2(words[1], STDERR_FILENO);
    Told told = run_here(plan, exhibit, runs);
    const char* bytes = reinterpret_cast<const char*>(&told);
    bool written = write(result[1], bytes, sizeof told) == static_cast<ssize_t>(sizeof told);
    _exit(written ? 0 : 1);
  }
  close(result[1]);
  close(words[1]);
  return {pid, result[0], words[0], plan};
}

std::string read_all(int fd) {
  std::string out;
  char buffer[4096];
  for (ssize_t n; (n = read(fd, buffer, sizeof buffer)) > 0;)
    out.append(buffer, static_cast<size_t>(n));
  close(fd);
  return out;
}

Verdict finish(const Child& child) {
  std::string bytes = read_all(child.result);
  std::string words = read_all(child.words);
  int status = 0;
  waitpid(child.pid, &status, 0);
  Verdict verdict;
  Told told;
  if (bytes.size() != sizeof told) {
    verdict.invariant = "check";
    verdict.what = words.empty() ? "the run ended by signal " + std::to_string(WTERMSIG(status))
                                 : words.substr(0, words.find('\n'));
    return verdict;
  }
  std::memcpy(static_cast<void*>(&told), bytes.data(), sizeof told);
  verdict.passed = told.passed;
  verdict.invariant = told.invariant;
  verdict.what = told.what;
  verdict.trace_hash = told.trace_hash;
  verdict.coverage = told.coverage;
  verdict.tally = told.tally;
  return verdict;
}

void add(Tally& into, const Tally& one) {
  into.events += one.events;
  into.operations += one.operations;
  into.executions_ended += one.executions_ended;
  into.attempts += one.attempts;
  into.faults += one.faults;
  into.restarts += one.restarts;
  into.simulated = into.simulated + one.simulated;
}

}  // namespace

Verdict judge(const Plan& plan, const Exhibit* exhibit, Runs runs) {
  return finish(start(plan, exhibit, runs));
}

Result<Plan> plan_of(const Seeds& seeds, uint64_t seed) {
  Plan plan = make_plan(seed);
  if (!seeds.given.empty()) give(plan, seeds.given, seeds.jq);
  if (!seeds.plan_text.empty()) PAWL_TRY(apply_plan_text(plan, seeds.plan_text));
  return plan;
}

Summary judge_seeds(const Seeds& seeds, Callback<void(const Plan&, const Verdict&)> each) {
  Summary summary;
  std::deque<Child> children;
  uint64_t next = seeds.first;
  uint64_t end = seeds.first + seeds.count;
  while (next < end || !children.empty()) {
    while (next < end && children.size() < std::max(seeds.processes, 1u)) {
      Result<Plan> plan = plan_of(seeds, next++);
      PAWL_CHECK(plan.ok(), "the plan was checked before");
      children.push_back(start(*plan, seeds.exhibit, seeds.runs));
    }
    Child child = std::move(children.front());
    children.pop_front();
    Verdict verdict = finish(child);
    summary.failed += !verdict.passed;
    summary.coverage.add(verdict.coverage);
    add(summary.tally, verdict.tally);
    each(child.plan, verdict);
  }
  return summary;
}

Plan minimise(const Plan& plan, const Exhibit* exhibit, const std::string& invariant) {
  Plan best = plan;
  for (size_t part = std::max<size_t>(best.faults.size() / 2, 1); !best.faults.empty();) {
    bool smaller = false;
    for (size_t at = 0; at < best.faults.size();) {
      Plan tried = best;
      auto begin = tried.faults.begin() + static_cast<std::ptrdiff_t>(at);
      auto last = static_cast<std::ptrdiff_t>(std::min(part, tried.faults.size() - at));
      tried.faults.erase(begin, begin + last);
      Verdict verdict = judge(tried, exhibit, Runs::once);
      if (!verdict.passed && verdict.invariant == invariant) {
        best = std::move(tried);
        smaller = true;
      } else {
        at += part;
      }
    }
    if (part == 1 && !smaller) break;
    part = std::max<size_t>(part / 2, 1);
  }
  return best;
}

}  // namespace pawl::sim
