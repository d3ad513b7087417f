// Everything about a run that its seed decides: sizes, limits, habits of the executors, and the
// list of faults with their times.
//
//   Plan plan = make_plan(seed);
//   PAWL_TRY(apply_plan_text(plan, "workers 3\nload_seconds 600\nfaults none\n"));
//
// A plan file (tests/scenario/*.plan) has one `name value` per line, and # comments; it changes
// what the seed decided. Names are those of the fields below; `faults` is `none`, `swarm`, or the
// names of the only kinds wanted.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "pawl/base/result.h"
#include "pawl/base/time.h"
#include "pawl/model/limits.h"
#include "pawl/port/link.h"
#include "pawl/sim/given.h"

namespace pawl::sim {

enum class FaultKind : uint8_t {
  engine_crash,       // kill -9 between two turns
  crash_in_call,      // the machine stops within one of the next disk calls
  crash_in_recovery,  // as engine_crash, and once more while it comes back
  write_error,        // one of the next disk calls fails with EIO
  short_write,        // a write arrives in part, and fails
  read_error,         // as engine_crash, and a call of the recovery fails with EIO or EMFILE
  disk_full,          // for a while
  slow_disk,          // for a while
  damage_at_rest,     // bits flip, blocks move or vanish while the engine is down
  log_write_lost,  // one of the next writes is acknowledged, and is not there, or elsewhere, or wrong
  engine_pause,
  worker_pause,
  worker_crash,
  worker_drain,
  bad_network,  // loss, delay, duplicates, reordering for a while
  cut_network,  // one worker is cut off for a while
  wall_jump,
  checkpoint_damaged,  // the newest does not verify; then a crash
  checkpoint_errors,   // batches fail for a while
  slow_evaluator,
  blob_damaged,      // bits flip or blocks move in something stored, or it vanishes
  blob_write_error,  // one of the next calls of the blob store fails, or the machine stops in it
  blob_write_lost,   // one of its next writes is acknowledged and is not there, or elsewhere
  // A crash, after which an event of the log ends every process that applies it, or some are killed there.
  poison,
  worker_slow,  // what it begins takes many times as long, for a while
  count_,
};
constexpr size_t fault_kinds = static_cast<size_t>(FaultKind::count_);
const char* name(FaultKind kind);  // "engine_crash"

struct Fault {
  Instant at;
  FaultKind kind = FaultKind::engine_crash;
  uint64_t dice = 0;  // of its details
  Duration lasts;
};

// How attempts go, per mille.
struct Habits {
  uint32_t fail = 100;
  uint32_t hang = 5;
  uint32_t crash_worker = 3;
  uint32_t progress = 100;
  uint32_t repeat_old_report = 30;
  uint32_t large_output = 0;  // tens of KiB: groups beyond a segment, results in the blob store
  Duration shortest = Duration::milliseconds(1);
  Duration longest = Duration::seconds(2);
};

struct Plan {
  uint64_t seed = 0;
  // Load.
  uint32_t clients = 2;
  uint32_t name_spaces = 1;  // that the clients are of, in turn; 1: none of them is confined
  uint32_t operations = 40;  // per client
  Duration think = Duration::milliseconds(500);
  Duration load_time = Duration::minutes(3);  // after which faults end, whatever is left
  Duration calm_time_max = Duration::minutes(30);
  uint32_t workflows = 3;
  uint32_t nodes_max = 6;
  uint32_t items_max = 12;
  uint32_t evaluated_permille = 200;
  bool forget_all = false;  // once everything has ended
  // World.
  uint32_t partitions = 1;  // each on a machine of its own; they share the workers
  uint32_t workers = 2;
  Duration join_within{};  // all but the first come some time within it
  uint32_t slots = 2;
  uint32_t credit = 6;
  bool embedded = false;  // the worker lives in the engine's process
  Duration lease = Duration::seconds(5);
  Duration stop_grace = Duration::seconds(5);
  Duration progress_interval = Duration::milliseconds(100);
  Duration hello_interval = Duration::seconds(1);
  LinkOptions engine_link;
  LinkOptions worker_link;
  uint32_t launch_items_max = 5;  // items that an executor takes at once
  uint32_t launches_ahead = 0;    // launches for each slot that may wait in it
  Duration stretch = Duration::milliseconds(4);
  Duration payload_time{};              // of a call for a payload, at most; 0: it takes none
  uint32_t payloads_lost_permille = 0;  // of these calls
  uint64_t payloads_kept_bytes = 64 << 20;
  Habits habits;
  Limits limits;
  // The log and its checkpoints.
  uint64_t segment_bytes = 64 * 1024;
  uint64_t rewrite_bytes_max = 64 * 1024;
  Duration idle_after = Duration::milliseconds(5);
  uint64_t checkpoint_log_bytes = 16 * 1024;
  uint64_t checkpoint_executions = 50;

  uint64_t check_turns = 16;  // the state's own consistency is checked after every that many

  std::vector<Fault> faults;

  std::vector<Given> given;             // instead of random workflows, if there are any
  std::shared_ptr<jq::Interpreter> jq;  // of their expressions
};

Plan make_plan(uint64_t seed);
Status apply_plan_text(Plan& plan, const std::string& text);
// From here on the clients submit these and nothing else, and what must come of each does. What a faulty
// disk makes of results is no part of that.
void give(Plan& plan, std::vector<Given> given, std::shared_ptr<jq::Interpreter> jq);
std::string describe(const Fault& fault);  // "12.345 s  worker_pause for 3000 ms"

}  // namespace pawl::sim
