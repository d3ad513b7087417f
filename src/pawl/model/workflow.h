// A workflow: a directed acyclic graph of nodes, immutable once made, pinned by every execution.
//
//   Workflow w;  w.name = "nightly";  w.nodes = {...};
//   PAWL_TRY(finish(w));     // checks limits, ids, cycles; fills `dependents`
//
// Plain values; share them as std::shared_ptr<const Workflow>.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "pawl/base/result.h"
#include "pawl/base/time.h"
#include "pawl/model/expression.h"
#include "pawl/model/ids.h"
#include "pawl/model/placement.h"

namespace pawl {

enum class NodeType : uint8_t { process = 0, function = 1, transform = 2 };
const char* name(NodeType type);  // "process"

// Why an attempt ended otherwise than well. What may be retried is a set of these.
enum class FailureKind : uint8_t {
  exit_code = 0,  // the program said no
  signal = 1,     // killed by a signal that was not ours
  timeout = 2,    // queue, run or heartbeat time was up
  out_of_memory = 3,
  spawn = 4,       // it never started: no such program, no such directory
  output = 5,      // ended well, but its output is not what was declared (bad JSON, missing file)
  expression = 6,  // a template or transform could not be evaluated
  function = 7,    // a function returned an error
  lost = 8,        // the worker is gone: never counts against max_attempts
  declined = 9,    // the worker could not take it: never counts
};
const char* name(FailureKind kind);  // "exit_code"

struct RetryPolicy {
  uint32_t max_attempts = 1;                      // allowed failures, counting the last
  Duration backoff_first = Duration::seconds(1);  // wait after the first failure
  uint32_t backoff_factor_permille = 2000;        // x 2.0 per further failure
  Duration backoff_max = Duration::minutes(1);
  uint32_t jitter_permille = 100;          // +- 10 %
  uint32_t retryable = 0xff & ~(1u << 4);  // bit per FailureKind; all but spawn

  bool retries(FailureKind kind) const { return (retryable >> static_cast<unsigned>(kind)) & 1u; }
  friend bool operator==(const RetryPolicy&, const RetryPolicy&) = default;
};

// 0 means no limit.
struct Timeouts {
  Duration queue;      // ready, but not granted
  Duration run;        // one attempt
  Duration heartbeat;  // between two progress lines of one attempt

  friend bool operator==(const Timeouts&, const Timeouts&) = default;
};

// `lossy` is `text` in which other bytes than UTF-8 become U+FFFD instead of a failure.
enum class OutputMode : uint8_t { text = 0, json = 1, lines = 2, none = 3, lossy = 4 };

// Hard resource limits of one process (setrlimit); 0 means inherited.
struct ProcessLimits {
  uint64_t memory_bytes = 0;  // RLIMIT_AS
  uint64_t cpu_seconds = 0;   // RLIMIT_CPU
  uint64_t open_files = 0;    // RLIMIT_NOFILE
  uint64_t file_bytes = 0;    // RLIMIT_FSIZE

  friend bool operator==(const ProcessLimits&, const ProcessLimits&) = default;
};

struct ProcessSpec {
  bool shell = false;  // argv is one template: a shell line
  std::vector<Template> argv;
  std::vector<std::pair<std::string, Template>> environment;
  Template directory;  // empty, or relative without a base: below the executor's own
  std::string base;    // absolute: where a relative directory begins that only its expressions show
  OutputMode output = OutputMode::text;
  std::vector<std::pair<std::string, Template>>
      output_files;  // name -> path; see docs/workflows.md
  ProcessLimits limits;

  friend bool operator==(const ProcessSpec&, const ProcessSpec&) = default;
};

struct Node {
  std::string id;
  NodeType type = NodeType::process;
  std::vector<NodeIndex> needs;
  Expression when;      // absent: always
  Expression for_each;  // absent: a plain node; a list, or an integer n for 0..n-1
  RetryPolicy retry;
  Timeouts timeout;
  uint8_t priority = 5;  // 0..9, higher first
  std::string queue = "default";
  Placement placement{};

  ProcessSpec process;   // type process
  std::string function;  // type function: the registered name
  Template with;         // type function: JSON text with ${ } inside; empty: .item or .input
  Expression transform;  // type transform

  bool mapped() const { return static_cast<bool>(for_each); }
  friend bool operator==(const Node&, const Node&) = default;
};

struct Workflow {
  std::string name;
  std::string version;         // free text of the author; the hash is what pins
  std::string input_defaults;  // JSON object merged under a submitted input; may be empty
  std::vector<Node> nodes;
  Expression output;  // absent: the outputs of the last nodes, by id

  // Filled by finish().
  std::vector<std::vector<NodeIndex>> dependents;  // per node, ascending
};

using WorkflowRef = std::shared_ptr<const Workflow>;

constexpr uint32_t workflow_nodes_max = 10'000;
constexpr uint32_t workflow_edges_max = 100'000;
constexpr uint32_t mapped_items_max = 16'000'000;
constexpr uint32_t attempts_max = 10'000;

// Checks ids (unique, [A-Za-z0-9_-]{1,128}), edges, cycles (the error names the nodes of one) and
// limits, and fills the derived fields.
Status finish(Workflow& workflow);

}  // namespace pawl
