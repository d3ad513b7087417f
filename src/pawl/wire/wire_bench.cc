// Nanoseconds per event: the two kinds that fill a log, and one with an output.
//
//   wire_bench [ROUNDS]
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "pawl/wire/event_codec.h"

namespace {

constexpr size_t group_events = 1024;

double ns_per_event(std::chrono::steady_clock::duration time, int rounds) {
  return std::chrono::duration<double, std::nano>(time).count() / (double(rounds) * group_events);
}

void measure(const char* what, const pawl::Event& event, int rounds) {
  pawl::Group group;
  group.events.assign(group_events, event);
  pawl::ByteWriter out;
  auto begin = std::chrono::steady_clock::now();
  for (int round = 0; round < rounds; ++round) {
    out.clear();
    for (const pawl::Event& each : group.events) pawl::encode(each, out);
  }
  auto encoded = std::chrono::steady_clock::now();
  pawl::Bytes bytes = pawl::encode(group);
  size_t decoded_events = 0;
  auto middle = std::chrono::steady_clock::now();
  for (int round = 0; round < rounds; ++round)
    decoded_events += pawl::decode_group(1, 1, bytes)->events.size();
  auto end = std::chrono::steady_clock::now();
  if (decoded_events != rounds * group_events) std::abort();
  std::printf("%-28s encode %6.1f ns  decode %6.1f ns  %5.1f bytes\n", what,
              ns_per_event(encoded - begin, rounds), ns_per_event(end - middle, rounds),
              double(out.size()) / group_events);
}

}  // namespace

int main(int argc, char** argv) {
  int rounds = argc > 1 ? std::atoi(argv[1]) : 2000;
  pawl::TaskRange range{{123'456}, 2, 1000, 2024};
  pawl::Payload output = pawl::Payload::inline_json("\"" + std::string(200, 'x') + "\"");
  measure("AttemptsGranted", pawl::AttemptsGranted{{7}, range, 1, 0x123456789abcdefULL}, rounds);
  measure("AttemptsSucceeded, null", pawl::AttemptsSucceeded{range, 1, {}}, rounds);
  measure("AttemptsSucceeded, 200 B", pawl::AttemptsSucceeded{{{1}, 2, 0, 1}, 1, {output}}, rounds);
  return 0;
}
