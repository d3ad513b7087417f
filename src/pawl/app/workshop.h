// What runs attempts in this process: executors and the workers that speak for them, over whatever
// transport leads to the engine.
//
//   PAWL_ASSIGN(auto workshop, Workshop::open({loop, clock, transport, telemetry, payloads}, options));
//   ... the loop runs ...
//   workshop->drain();                                  // or abandon()
//   while (!workshop->stopped()) loop.run_once(...);
//
// One worker takes processes and transforms, another (if there are functions) functions: ADR 0021.
// Errors of open(): what keeps processes from being run here.
// Threading: the loop's thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "pawl/adapter/linux_loop/linux_loop.h"
#include "pawl/port/clock.h"
#include "pawl/port/output_store.h"
#include "pawl/port/payload_store.h"
#include "pawl/port/telemetry.h"
#include "pawl/port/transport.h"
#include "pawl/worker/payload_desk.h"
#include "pawl/worker/worker.h"

namespace pawl {

class FunctionRegistry;

struct WorkshopOptions {
  WorkerSpec offer;   // queues, capacity (not named: this machine's), labels, zone, weight, price
  std::string name;   // of its workers, for people; empty: "processes" and "functions"
  uint32_t jobs = 0;  // attempts at once; 0: one per core
  const FunctionRegistry* functions = nullptr;  // null: none; must outlive the workshop
  std::vector<std::string> environment;         // NAME=value, for processes; empty: this process's
  std::string working_directory;                // of processes; empty: this process's
  std::string output_root;                      // what processes write goes below it
  OutputCopies* output_copies = nullptr;        // or there, and below it only while they run
  std::string programs_directory;               // of pawl-jq and pawl-guardian; empty: our own
  Duration lease = Duration::forever();  // for ever: it lives and pauses together with the engine
  LinkOptions link{};                    // to the engine; its ends and incarnation are set here
  Address first_address = 2;             // of the workers: this one and the next
  uint64_t incarnation = 1;              // of this life of these addresses
};

class Workshop {
 public:
  struct Surroundings {
    LinuxLoop& loop;
    Clock& clock;
    Transport& transport;
    Telemetry& telemetry;
    PayloadStore& payloads;
  };

  static Result<std::unique_ptr<Workshop>> open(const Surroundings& around,
                                                WorkshopOptions options);
  ~Workshop();  // kills what runs
  Workshop(const Workshop&) = delete;
  Workshop& operator=(const Workshop&) = delete;

  std::vector<Worker*> workers() const;
  std::vector<RunningLaunch> running() const;
  PayloadReads payload_reads() const;  // of what runs on the loop's thread
  bool connected() const;              // every worker has a session
  void drain();                        // starts nothing more, lets what runs finish
  void abandon();                      // starts nothing more, ends what runs: it is granted again
  bool stopped() const;                // after either: nothing runs any more

 private:
  struct Parts;
  explicit Workshop(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

// How a worker of another process and its engine speak: the same at both ends.
constexpr Duration network_lease = Duration::seconds(10);
LinkOptions network_link();

// The directory in which this program lies.
std::string own_programs_directory();
// One per core.
uint32_t default_jobs();

}  // namespace pawl
