// pawl-sim: runs seeds, and one seed again.

#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "pawl/adapter/libjq/interpreter.h"
#include "pawl/sim/runner.h"

namespace pawl::sim {
namespace {

constexpr size_t jq_programs_max = 200;
constexpr const char* usage =
    "Usage: pawl-sim [--seed N] [--seeds N] [--plan FILE] [--given FOLDER] [--defect NAME] "
    "[--trace]\n"
    "                [--minimise] [--processes N] [--once] [--hashes] [--coverage] [--museum]\n"
    "\n"
    "  --seed N       one history (with --seeds: the first of them)\n"
    "  --seeds N      that many (default 500)\n"
    "  --plan FILE    what the file says instead of what the seed decides\n"
    "  --given FOLDER workflows and what must come of them (tests/same), instead of random ones\n"
    "  --defect NAME  with a defect of the museum; --museum lists them\n"
    "  --trace        print every event of one history\n"
    "  --minimise     find the fewest faults under which the invariant still breaks\n"
    "  --once         do not run each seed twice\n"
    "  --hashes       print each seed's trace hash: every build must print the same\n"
    "  --coverage     how often each rare state was reached\n";

struct Arguments {
  Seeds seeds;
  bool single = false;
  bool trace = false;
  bool minimise = false;
  bool hashes = false;
  bool coverage = false;
  std::string plan_file;
  std::string given_folder;
  std::string defect;
};

int fail(const std::string& message) {
  std::fprintf(stderr, "pawl-sim: %s\n%s", message.c_str(), usage);
  return 2;
}

std::string again(const Arguments& arguments, uint64_t seed) {
  std::string line = "./dev sim --seed " + std::to_string(seed);
  if (!arguments.plan_file.empty()) line += " --plan " + arguments.plan_file;
  if (!arguments.given_folder.empty()) line += " --given " + arguments.given_folder;
  if (!arguments.defect.empty()) line += " --defect " + arguments.defect;
  return line;
}

void print_failure(const Arguments& arguments, const Plan& plan, const Verdict& verdict) {
  std::printf("seed %" PRIu64 " breaks %s: %s\n  again: %s\n", plan.seed, verdict.invariant.c_str(),
              verdict.what.c_str(), again(arguments, plan.seed).c_str());
  std::fflush(stdout);
}

// In this process, so that its last words can be seen; a failed check ends it.
int run_one(const Arguments& arguments, Plan plan) {
  if (arguments.minimise) {
    Verdict verdict = judge(plan, arguments.seeds.exhibit, Runs::once);
    if (verdict.passed) return fail("this seed passes: there is nothing to minimise");
    size_t before = plan.faults.size();
    plan = minimise(plan, arguments.seeds.exhibit, verdict.invariant);
    std::printf("%zu of %zu faults are enough to break %s:\n", plan.faults.size(), before,
                verdict.invariant.c_str());
  }
  for (const Fault& fault : plan.faults) std::printf("  fault at %s\n", describe(fault).c_str());
  std::fflush(stdout);
  RunOptions options;
  options.trace = arguments.trace ? stdout : nullptr;
  options.last_words = arguments.trace ? nullptr : stdout;
  const Exhibit* exhibit = arguments.seeds.exhibit;
  std::unique_ptr<Seams> seams = exhibit ? exhibit->make() : std::make_unique<Seams>();
  RunResult result = run(plan, *seams, options);
  if (result.violation) {
    print_failure(arguments, plan,
                  {false, result.violation->invariant, result.violation->what, result.trace_hash,
                   result.coverage, result.tally});
    return 1;
  }
  std::printf("seed %" PRIu64 " holds: trace %016" PRIx64 ", %" PRIu64 " events, %" PRIu64
              " executions, %" PRIu64 " attempts, %" PRIu64 " faults, %" PRIu64
              " starts, %.0f s simulated\n",
              plan.seed, result.trace_hash, result.tally.events, result.tally.executions_ended,
              result.tally.attempts, result.tally.faults, result.tally.restarts,
              static_cast<double>(result.tally.simulated.ns) / 1e9);
  return 0;
}

int run_many(const Arguments& arguments) {
  Summary summary = judge_seeds(arguments.seeds, [&](const Plan& plan, const Verdict& verdict) {
    if (!verdict.passed) print_failure(arguments, plan, verdict);
    if (arguments.hashes)
      std::printf("%" PRIu64 " %016" PRIx64 "\n", plan.seed, verdict.trace_hash);
  });
  if (arguments.hashes) return summary.failed == 0 ? 0 : 1;
  std::printf("%" PRIu64 " seeds, %" PRIu64 " failed: %" PRIu64 " operations, %" PRIu64
              " executions, %" PRIu64 " attempts, %" PRIu64 " faults, %" PRIu64
              " starts, %.1f h simulated\n",
              arguments.seeds.count, summary.failed, summary.tally.operations,
              summary.tally.executions_ended, summary.tally.attempts, summary.tally.faults,
              summary.tally.restarts, static_cast<double>(summary.tally.simulated.ns) / 3.6e12);
  if (arguments.coverage)
    for (size_t i = 0; i < sometimes_count; ++i)
      std::printf("%8" PRIu64 "  %s\n", summary.coverage.count(static_cast<Sometimes>(i)),
                  name(static_cast<Sometimes>(i)));
  std::string missing = summary.coverage.missing();
  if (!missing.empty()) std::printf("never reached: %s\n", missing.c_str());
  return summary.failed == 0 ? 0 : 1;
}

int list_museum() {
  for (const Exhibit& exhibit : museum()) std::printf("%-26s %s\n", exhibit.name, exhibit.incident);
  return 0;
}

int start(int argc, char** argv) {
  Arguments arguments;
  bool many = false;
  for (int i = 1; i < argc; ++i) {
    std::string word = argv[i];
    auto value = [&] { return i + 1 < argc ? std::string(argv[++i]) : std::string(); };
    auto number = [&] { return std::strtoull(value().c_str(), nullptr, 10); };
    if (word == "--museum") return list_museum();
    if (word == "--seed")
      arguments.seeds.first = number(), arguments.single = true;
    else if (word == "--seeds")
      arguments.seeds.count = number(), many = true;
    else if (word == "--plan")
      arguments.plan_file = value();
    else if (word == "--given")
      arguments.given_folder = value();
    else if (word == "--defect")
      arguments.defect = value();
    else if (word == "--processes")
      arguments.seeds.processes = static_cast<uint32_t>(number());
    else if (word == "--trace")
      arguments.trace = true;
    else if (word == "--minimise")
      arguments.minimise = true;
    else if (word == "--coverage")
      arguments.coverage = true;
    else if (word == "--hashes")
      arguments.hashes = many = true;
    else if (word == "--once")
      arguments.seeds.runs = Runs::once;
    else if (word == "--help")
      return std::printf("%s", usage), 0;
    else
      return fail("there is no option " + word);
  }
  if (!arguments.plan_file.empty()) {
    std::ifstream file(arguments.plan_file);
    if (!file) return fail("cannot read " + arguments.plan_file);
    arguments.seeds.plan_text.assign(std::istreambuf_iterator<char>(file), {});
  }
  std::vector<Exhibit> exhibits = museum();
  for (const Exhibit& exhibit : exhibits) {
    if (arguments.defect != exhibit.name) continue;
    arguments.seeds.exhibit = &exhibit;
    if (arguments.seeds.plan_text.empty()) arguments.seeds.plan_text = exhibit.plan;
  }
  if (!arguments.defect.empty() && arguments.seeds.exhibit == nullptr)
    return fail("the museum has no " + arguments.defect);
  if (!arguments.given_folder.empty()) {
    arguments.seeds.jq =
        std::make_shared<jq::Interpreter>(jq_programs_max, [](void*) { std::abort(); });
    auto given = read_given(arguments.given_folder, *arguments.seeds.jq);
    if (!given.ok()) return fail(given.error().message);
    arguments.seeds.given = std::move(*given);
  }
  Result<Plan> plan = plan_of(arguments.seeds, arguments.seeds.first);
  if (!plan.ok()) return fail(plan.error().message);
  if (arguments.single && !many) return run_one(arguments, std::move(*plan));
  return run_many(arguments);
}

}  // namespace
}  // namespace pawl::sim

int main(int argc, char** argv) {
  return pawl::sim::start(argc, argv);
}
