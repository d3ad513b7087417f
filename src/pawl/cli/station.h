// Whoever holds a state directory, as the verbs see it: this process, having opened it, or another
// one, reached through its socket, or a server of another machine.
//
//   PAWL_ASSIGN(std::unique_ptr<Station> station, stations.open({.directory = ".pawl"}));
//   station->client().submit(...);
//   if (station->holds()) station->stop();      // else: whoever holds it goes on without us
//
// Threading: the thread that opened it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "pawl/adapter/linux_loop/linux_loop.h"
#include "pawl/api/call_rates.h"
#include "pawl/api/client.h"
#include "pawl/api/http/http_client.h"
#include "pawl/api/log_text.h"
#include "pawl/base/result.h"

namespace pawl {
class FunctionRegistry;
}

namespace pawl::cli {

enum class Purpose : uint8_t {
  work,   // run what there is to run; the directory is made if it is missing
  look,   // ask and change, run nothing; the directory must exist
  serve,  // hold the directory for others, and run `jobs` tasks at once here; made if it is missing
};

struct StationRequest {
  std::string directory;
  Purpose purpose = Purpose::look;
  uint32_t jobs = 0;                            // work: 0: one per core; serve: 0: none
  const FunctionRegistry* functions = nullptr;  // null: those of this program; must outlive it
  uint32_t partitions = 0;                      // serve: of a new directory; 0: one
  uint64_t memory = 0;                          // bytes for open executions; 0: a quarter
  std::string listen;                           // serve: host:port for workers
  std::string keys;                             // serve: folder of keys; empty: plain text
  std::string http;              // serve: host:port for clients of other machines; empty: none
  CallRate calls{};              // serve, with keys: of each caller
  uint64_t name_space_open = 0;  // serve: as of Limits; 0: the default there
  std::optional<HttpClientOptions> server{};  // instead of a directory
  LogOptions log{};                           // of whoever opens the directory
};

class Station {
 public:
  virtual ~Station() = default;
  virtual Client& client() = 0;  // another one after reconnect()
  virtual LinuxLoop& loop() = 0;
  virtual bool remote() const = 0;         // at a server
  virtual Status reconnect() = 0;          // begins to, at a server; calls wait for the outcome
  virtual bool holds() const = 0;          // this process holds the directory
  virtual uint64_t holder() const = 0;     // its process id
  virtual uint64_t visitors() const = 0;   // other processes connected to us
  virtual uint16_t port() const = 0;       // where workers find us; 0: nowhere
  virtual uint16_t http_port() const = 0;  // where clients of HTTP find us; 0: nowhere
  virtual void retire() = 0;               // held here: not ready any more, serves all the same
  virtual void stop() = 0;                 // starts nothing more, ends what runs; it comes back
  virtual bool stopped() = 0;              // nothing runs any more
  virtual bool failed() = 0;               // held here, and its disk has failed: nothing is taken
  virtual Status close() = 0;              // once, at the end
};

// A worker of another process's server.
class Shift {
 public:
  virtual ~Shift() = default;
  virtual LinuxLoop& loop() = 0;
  virtual bool connected() const = 0;         // the server has given us a session
  virtual uint64_t running() const = 0;       // launches
  virtual uint16_t metrics_port() const = 0;  // where it says how it is; 0: nowhere
  virtual void drain() = 0;                   // takes nothing more, lets what runs finish
  virtual void abandon() = 0;                 // ends what runs; others get it
  virtual bool stopped() const = 0;           // after either
};

struct ShiftRequest {
  std::string server;   // host:port
  std::string name;     // for people
  uint32_t jobs = 0;    // 0: one per core
  WorkerSpec offer;     // queues, capacity, labels, zone, weight
  std::string keys;     // folder with worker.pem, worker.key and ca.pem; empty: plain text
  std::string metrics;  // host:port for metrics and probes; empty: nowhere
  LogOptions log{.format = LogFormat::plain};  // on standard error
};

class Stations {
 public:
  virtual ~Stations() = default;
  // Connects to the server, or to the directory's holder if there is one; otherwise takes the
  // directory. NOT_FOUND: there is none, and nothing is to be made.
  virtual Result<std::unique_ptr<Station>> open(const StationRequest& request) = 0;
  // Works for a server, whether it is there already or not.
  virtual Result<std::unique_ptr<Shift>> hire(const ShiftRequest& request) = 0;
};

}  // namespace pawl::cli
