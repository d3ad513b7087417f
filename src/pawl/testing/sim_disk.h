// A disk in memory that can fail in every way the fault model lists, by plan and by seed.
//
//   SimDisk disk(seed);
//   auto wal = Wal::open(disk, ...);          // the shipped code, unaware
//   disk.plan(disk.calls() + 7, SimFault::crash);   // the machine stops within the 7th call from now
//   ... work until calls answer UNAVAILABLE ...
//   disk.restart();          // power is back: handles are dead, content is what survived
//   auto again = Wal::open(disk, ...);
//
// Every method of Disk and File that reaches storage counts as one call (also reads); `plan` puts a
// fault on one of them, `random_faults` on each with a probability. start_write() stays in flight
// until complete_one() (or complete_all(), or for ever with Completion::at_once: then it lands
// within the call): so the simulator decides when and in which order writes land, each completion
// waking the loop given to wake_with().
//
// What a crash leaves: acknowledged writes are there. An unacknowledged one (in flight, or the
// call in which the machine stopped) survives according to `survival`: not at all, whole, a
// prefix, or any subset of its 512-byte sectors. A directory change in which the machine stopped
// has happened or not, by dice. After a failed write some, none or all of its bytes are there, and
// its file is poisoned.
//
// A lost, misdirected or flipped write is a lie: the call is acknowledged. The disk remembers what it
// should hold, so that lied() tells whether it holds something else, and mend() puts it right.
//
// Deterministic: the same seed and calls give the same bytes. Single-threaded.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "pawl/base/random.h"
#include "pawl/port/disk.h"
#include "pawl/port/loop.h"

namespace pawl {

enum class SimFault : uint8_t {
  none,
  crash,              // the machine stops within this call; all later ones answer UNAVAILABLE
  io_error,           // fails; of a write any part arrived
  short_write,        // a write arrives up to some sector, then fails
  disk_full,          // RESOURCE_EXHAUSTED, where a call can need space; otherwise none
  lost_write,         // acknowledged but never stored
  misdirected_write,  // acknowledged but stored in another block of the same file
  flipped_bit,        // acknowledged and stored with one bit wrong
};

enum class Survival : uint8_t { nothing, everything, prefix, sectors, random };

enum class Completion : uint8_t { on_demand, at_once };

// One in-memory file: 4 KiB pages, absent ones are zeros.
struct SimFileContent {
  uint64_t size = 0;
  uint64_t allocated = 0;  // counted against the capacity
  std::map<uint64_t, std::string> pages;
  std::map<uint64_t, std::string> honest;  // of pages that a fault has made other than was written
};

class SimFile;

class SimDisk final : public Disk {
 public:
  explicit SimDisk(uint64_t seed, Completion completion = Completion::at_once);
  ~SimDisk() override;

  // Disk
  Result<std::unique_ptr<File>> create(const std::string& path, uint64_t size) override;
  Result<std::unique_ptr<File>> open(const std::string& path) override;
  Status publish(const std::string& temporary, const std::string& final_name) override;
  Status remove(const std::string& path) override;
  Status make_directory(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& directory) override;
  Result<uint64_t> free_bytes() override;

  // Order of completion.
  void wake_with(Loop* loop) { wake_ = loop; }
  size_t in_flight() const { return flights_.size(); }
  bool complete_one(size_t index = 0);  // false: nothing at that index
  void complete_all();

  // Faults to come.
  uint64_t calls() const { return calls_; }
  void plan(uint64_t call, SimFault fault) { planned_[call] = fault; }  // the first call is 1
  void random_faults(SimFault fault, uint32_t permille);
  void calm();  // no more faults, planned or random
  void set_survival(Survival survival) { survival_ = survival; }
  void set_capacity(uint64_t bytes) { capacity_ = bytes; }
  uint64_t faults_injected() const { return faults_injected_; }

  // Crash and return. crash() may be called at any time; what is in flight survives by `survival`.
  void crash();
  bool crashed() const { return crashed_; }
  void restart();

  bool lied() const;
  void mend();

  // Damage at rest, for a disk that nobody uses at the moment.
  std::vector<std::string> files() const;
  uint64_t file_size(const std::string& path) const;
  void flip_bit(const std::string& path, uint64_t offset, uint32_t bit);
  void overwrite(const std::string& path, uint64_t offset, ByteView bytes);
  Bytes content(const std::string& path, uint64_t offset, uint64_t size) const;
  void truncate(const std::string& path, uint64_t size);
  void erase(const std::string& path);

  // The whole content, to go back to: an old disk image.
  using Image = std::map<std::string, SimFileContent>;
  Image image() const;
  void restore(const Image& image);

 private:
  friend class SimFile;
  struct Flight {
    SimFile* file = nullptr;
    std::shared_ptr<SimFileContent> content;
    uint64_t offset = 0;
    ByteView bytes;
  };

  SimFault next_fault();
  Status store(SimFile& file, uint64_t offset, ByteView bytes);
  Status reserve(SimFileContent& content, uint64_t end);
  void land(SimFileContent& content, uint64_t offset, ByteView bytes, Survival survival);
  void lie(SimFault how, SimFileContent& content, uint64_t offset, ByteView bytes);
  void misdirect(SimFileContent& content, uint64_t offset, ByteView bytes);
  Status directory_call(SimFault& fault, const std::string& what);
  bool happened_despite(SimFault fault);
  uint64_t used() const;
  void forget(SimFile& file);

  Random dice_;
  Completion completion_;
  Loop* wake_ = nullptr;
  std::map<std::string, std::shared_ptr<SimFileContent>> files_;
  std::deque<Flight> flights_;
  std::vector<SimFile*> open_files_;
  std::map<uint64_t, SimFault> planned_;
  std::map<SimFault, uint32_t> random_;
  Survival survival_ = Survival::random;
  uint64_t capacity_ = UINT64_MAX / 2;
  uint64_t calls_ = 0;
  uint64_t faults_injected_ = 0;
  uint64_t life_ = 1;  // handles of an earlier life are dead
  bool crashed_ = false;
};

}  // namespace pawl
