// The way from a verb to a state directory: through the socket of whoever holds it, or by opening it.
#pragma once

#include <memory>

#include "pawl/cli/station.h"

namespace pawl {

// `functions` may be null; else it must outlive what is opened.
std::unique_ptr<cli::Stations> make_stations(const class FunctionRegistry* functions);

}  // namespace pawl
