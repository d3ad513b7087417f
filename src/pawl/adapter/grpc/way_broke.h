// Whether a call failed on its way, not by what was asked: the same call may be made again.
//
//   if (way_broke(status)) continue;  // and ask again
//
// The library says UNKNOWN or CANCELLED, too, where a server was stopped in the middle of an answer.
#pragma once

namespace grpc {
class Status;
}

namespace pawl {

bool way_broke(const grpc::Status& status);

}  // namespace pawl
