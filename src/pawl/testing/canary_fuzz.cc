// A target that must die: it proves that the fuzzers and their drivers can find anything at all.
// One wrong byte away from its only known input lies an abort.
#include <cstdint>
#include <cstdlib>
#include <cstring>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size >= 4 && std::memcmp(data, "paWl", 4) == 0) std::abort();
  return 0;
}
