// What WebSockets of the API are called in their handshake (RFC 6455, 1.9): a client that offers it is
// answered with it, and so knows that it speaks to Pawl, and in which version. A constant; any thread.
#pragma once

namespace pawl {

inline constexpr const char* subprotocol = "pawl.v1";

}  // namespace pawl
