#include "pawl/sim/trace.h"

#include <algorithm>
#include <cinttypes>

namespace pawl::sim {

void Trace::note(Instant at, const char* what, uint64_t a, uint64_t b, uint64_t c) {
  uint64_t word = 0;
  for (const char* p = what; *p != '\0'; ++p) word = word * 31 + static_cast<unsigned char>(*p);
  for (uint64_t part : {static_cast<uint64_t>(at.ns), word, a, b, c}) hash_ = mix64(hash_ ^ part);
  Note& note = last_[notes_++ % kept];
  note = {at, what, a, b, c};
  if (live_ != nullptr) print(live_, note);
}

void Trace::print(std::FILE* out, const Note& note) {
  std::fprintf(out, "%12.6f  %-28s %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
               static_cast<double>(note.at.ns) / 1e9, note.what, note.a, note.b, note.c);
}

void Trace::print_last(std::FILE* out) const {
  uint64_t count = std::min<uint64_t>(notes_, kept);
  for (uint64_t i = notes_ - count; i < notes_; ++i) print(out, last_[i % kept]);
}

}  // namespace pawl::sim
