// One state directory, opened: its partitions with their engines, logs and views, the blobs, and workers in
// the same process. The only place, with main.cc, that knows every adapter.
//
//   PAWL_ASSIGN(std::unique_ptr<Host> host, Host::open({.directory = ".pawl", .jobs = 4}, answers));
//   host->engine().put({1, SubmitExecution{...}});     // answers arrive at `clients`
//   host->loop().run();                                // or run_once() in a loop of one's own
//   PAWL_TRY(host->close());
//
// What is in the directory: `lock`, `log/` (the truth), `view/` (checkpoints, rebuildable),
// `blob/`, `output/` (what processes wrote), `pawl.sock` while somebody serves it, `pawl.log` for
// operators, `replay.note` for whoever opens it after a crash; with several partitions `partitions`, and
// `partition-1/` and so on with a `log/`, `view/` and `replay.note` of their own.
//
// The first partition's engine runs on the loop, each other one on a thread of its own.
//
// Opening recovers: attempts that ran when the last process ended are granted again at once; with `listen`,
// those of other processes go on, until their lease is over.
// Errors: UNAVAILABLE: `listen` cannot be listened on; ABORTED `state directory X is in use by process N`; FAILED_PRECONDITION: a newer format;
// PERMISSION_DENIED; DATA_LOSS with file and offset.
// Threading: the thread that opens is the thread of loop(); Engine::put() from any. Answers of other
// partitions than the first come from their threads.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "pawl/adapter/linux_loop/linux_loop.h"
#include "pawl/api/log_text.h"
#include "pawl/base/result.h"
#include "pawl/engine/engine.h"
#include "pawl/port/view_factory.h"
#include "pawl/worker/worker.h"

namespace pawl {

class Authenticator;
class FunctionRegistry;
class MetricSource;
class OutputStore;
class PortGuest;

struct HostOptions {
  std::string directory;                        // made if it is missing
  uint32_t jobs = 0;                            // attempts at once; 0: one per core
  const FunctionRegistry* functions = nullptr;  // null: none; must outlive the host
  std::vector<std::string> environment;         // NAME=value, for processes; empty: this process's
  std::string working_directory;                // of processes; empty: this process's
  std::string programs_directory;               // of pawl-jq and pawl-guardian; empty: our own
  bool work = true;                             // false: only the engine, nothing is run
  bool brief = false;          // gone in a moment: leaves to others what takes long
  uint32_t partitions = 0;     // of a new directory; 0: as many as it has, or one
  uint64_t memory = 0;         // bytes for executions that have not ended; 0: a quarter of all
  std::string listen;          // host:port for workers of other processes; empty: there are none
  std::string keys;            // folder of keys for `listen`; empty: plain text, on this machine
  Limits limits{};             // of each partition
  ViewFactory view;            // empty: RocksDB
  PortGuest* guest = nullptr;  // served at `listen`, too; outlives the host
  LogOptions log;  // of lines in pawl.log; chosen for a server: on standard error instead
};

class Host {
 public:
  // `answers`: where those of each partition go, by slot. Fewer than the directory has partitions:
  // FAILED_PRECONDITION.
  static Result<std::unique_ptr<Host>> open(HostOptions options,
                                            const std::vector<Sink<Response>*>& answers);
  ~Host();  // kills what runs; everything acknowledged stays
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  LinuxLoop& loop();
  Clock& clock();
  uint32_t partitions() const;
  Engine& engine(uint32_t slot = 0);  // of others than the first only put() is for this thread
  bool failed() const;                // some partition has, and takes nothing any more
  Disk& disk();
  Blob& blob();
  OutputStore& outputs();  // what programs have written
  Telemetry& log();
  Evaluator& evaluator();                      // the first engine's; for check()
  const Authenticator* authenticator() const;  // over `keys`; null: there are none
  uint32_t jobs() const;
  const std::string& directory() const;
  const MetricSource& metrics() const;  // of this process; the engine's are its own
  uint16_t port() const;                // where workers are listened for; 0: nowhere

  // The workers of this process: one for processes and transforms, one for functions
  // if there are any.
  std::vector<Worker*> workers();
  std::vector<RunningLaunch> running();
  void abandon();  // ends what runs (it is granted again at the next open)
  bool stopped();  // after that: nothing runs any more

  // Waits for the engines to come to rest, then marks the logs' clean ends. Call it once.
  Status close();

 private:
  struct Parts;
  explicit Host(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace pawl
