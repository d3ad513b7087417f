// What a worker offers, from its command line: --queue, --label, --zone, --capacity, --weight.
//
//   WorkerSpec offer;
//   PAWL_TRY(read_offer(given, offer));      // INVALID_ARGUMENT names the option
//
// `capacity` is only what was named: it takes the place of what the machine has under that name.
#pragma once

#include "pawl/cli/arguments.h"
#include "pawl/model/message.h"

namespace pawl::cli {

Status read_offer(const Arguments& given, WorkerSpec& offer);

}  // namespace pawl::cli
