// What the doors of HTTP have answered, by route and status, and how long that took.
//
//   HttpFigures figures;
//   figures.answered(&route, 200, Duration::milliseconds(2));
//   figures.write(page);
//
// A stream or WebSocket is answered when it ends. Whoever leaves before is counted with status 499; what
// fits no route, or is not let in, under the route "none". Pure; threading: the sockets' thread.
#pragma once

#include <map>

#include "pawl/api/exposition.h"
#include "pawl/api/http/routes.h"

namespace pawl {

constexpr int client_left = 499;

class HttpFigures {
 public:
  void answered(const Route* route, int status, Duration took);  // route null: none
  void write(Exposition& page) const;

 private:
  struct OfRoute {
    std::map<int, uint64_t> by_status;
    Histogram took;
  };
  std::map<const Route*, OfRoute> routes_;
};

}  // namespace pawl
