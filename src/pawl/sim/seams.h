// Where something can be put between the shipped code and the simulated world. The museum's defects
// live here; without one, everything passes through.
//
// A wrapper lives as long as its Seams object, which is as long as the run.
#pragma once

#include <optional>

#include "pawl/engine/engine.h"
#include "pawl/testing/map_view.h"
#include "pawl/testing/sim_disk.h"

namespace pawl::sim {

class Seams {
 public:
  virtual ~Seams() = default;

  // Called once per life of the engine's process.
  virtual Disk& disk(SimDisk& real) { return real; }
  virtual Clock& clock(Clock& real) { return real; }
  virtual Log& log_below_listener(Log& real) { return real; }
  virtual Log& log_above_listener(Log& real) { return real; }
  virtual View& view(View& real) { return real; }
  virtual ReplayNote& replay_note(ReplayNote& real) { return real; }

  // Called once per run.
  virtual Blob& blob(Blob& real) { return real; }
  virtual Belongings& outputs(Belongings& real) { return real; }
  virtual bool capacity_shared() { return true; }            // between partitions
  virtual bool reports_wait_for_payloads() { return true; }  // until these are durable

  // What the front sends to one of several partitions.
  virtual void routed(Request&) {}

  // What passes the engine's door. false: it is swallowed.
  virtual bool request(Request&) { return true; }
  virtual bool response(Response&) { return true; }
  virtual bool message(Message&) { return true; }

  // The process is gone (the disk is still as it left it), and about to come back.
  virtual void stopped(SimDisk&, MapView&) {}
};

}  // namespace pawl::sim
