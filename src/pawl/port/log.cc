#include "pawl/port/log.h"

namespace pawl {

const char* name(Durability durability) {
  switch (durability) {
    case Durability::volatile_:
      return "volatile";
    case Durability::crash:
      return "crash-durable";
    case Durability::local:
      return "local-durable";
    case Durability::replicated:
      return "replicated-durable";
    case Durability::quorum:
      return "quorum-durable";
  }
  return "unknown";
}

}  // namespace pawl
