// What strangers show as a token.

#include "pawl/access/token.h"
#include "pawl/base/check.h"

namespace {

// The public half of a key that signs nothing.
constexpr const char* nobodys_key =
    "-----BEGIN PUBLIC KEY-----\n"
    "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n"
    "-----END PUBLIC KEY-----\n";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const pawl::TokenKeys keys = std::move(pawl::TokenKeys::from_pem(nobodys_key).value());
  std::string token(reinterpret_cast<const char*>(data), size);
  PAWL_CHECK(!keys.verify(token, {1'700'000'000'000'000'000}).ok(), "a token that nobody signed");
  return 0;
}
