// What happened in a run, as one number and as the last lines of a story.
//
//   trace.note(now, "append", position, bytes);
//   trace.hash();          // two runs of one seed end with the same
//   trace.print_last(stderr);
//
// A note costs a few multiplications; text is made only when somebody wants to read it.
#pragma once

#include <array>
#include <cstdint>
#include <cstdio>

#include "pawl/base/random.h"
#include "pawl/base/time.h"

namespace pawl::sim {

class Trace {
 public:
  // `what` is a literal; the numbers are whatever tells two such events apart.
  void note(Instant at, const char* what, uint64_t a = 0, uint64_t b = 0, uint64_t c = 0);
  uint64_t hash() const { return hash_; }
  uint64_t notes() const { return notes_; }

  void print_everything(std::FILE* out) { live_ = out; }
  void print_last(std::FILE* out) const;

 private:
  struct Note {
    Instant at;
    const char* what = "";
    uint64_t a = 0;
    uint64_t b = 0;
    uint64_t c = 0;
  };
  static constexpr size_t kept = 40;
  static void print(std::FILE* out, const Note& note);

  std::array<Note, kept> last_{};
  uint64_t notes_ = 0;
  uint64_t hash_ = 0;
  std::FILE* live_ = nullptr;
};

}  // namespace pawl::sim
