#include "pawl/api/access.h"

namespace pawl {

const char* name(Role role) {
  switch (role) {
    case Role::reader:
      return "reader";
    case Role::submitter:
      return "submitter";
    case Role::worker:
      return "worker";
    case Role::operator_:
      return "operator";
    case Role::admin:
      return "admin";
  }
  return "unknown";
}

}  // namespace pawl
