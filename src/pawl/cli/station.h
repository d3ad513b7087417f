// Whoever holds a state directory, as the verbs see it: this process, having opened it, or another
// one, reached through its socket.
//
//   PAWL_ASSIGN(std::unique_ptr<Station> station, stations.open({.directory = ".pawl"}));
//   station->client().submit(...);
//   if (station->holds()) station->stop();      // else: whoever holds it goes on without us
//
// Threading: the thread that opened it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "pawl/adapter/linux_loop/linux_loop.h"
#include "pawl/api/client.h"
#include "pawl/base/result.h"

namespace pawl {
class FunctionRegistry;
}

namespace pawl::cli {

enum class Purpose : uint8_t {
  work,  // run what there is to run; the directory is made if it is missing
  look,  // ask and change, run nothing; the directory must exist
};

struct StationRequest {
  std::string directory;
  Purpose purpose = Purpose::look;
  uint32_t jobs = 0;                            // 0: one per core
  const FunctionRegistry* functions = nullptr;  // null: those of this program; must outlive it
};

class Station {
 public:
  virtual ~Station() = default;
  virtual Client& client() = 0;
  virtual LinuxLoop& loop() = 0;
  virtual bool holds() const = 0;         // this process holds the directory
  virtual uint64_t holder() const = 0;    // its process id
  virtual uint64_t visitors() const = 0;  // other processes connected to us
  virtual void stop() = 0;                // starts nothing more, ends what runs; it comes back
  virtual bool stopped() = 0;             // nothing runs any more
  virtual bool failed() = 0;              // held here, and its disk has failed: nothing is taken
  virtual Status close() = 0;             // once, at the end
};

class Stations {
 public:
  virtual ~Stations() = default;
  // Connects to the holder if there is one, otherwise takes the directory. NOT_FOUND: there is
  // none, and nothing is to be made.
  virtual Result<std::unique_ptr<Station>> open(const StationRequest& request) = 0;
};

}  // namespace pawl::cli
