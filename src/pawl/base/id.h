// Strong identifiers: a number that cannot be confused with another kind of number.
//
//   using ExecutionId = Id<struct ExecutionTag>;
//   ExecutionId id{17};
//
// 0 means "none". Plain values, free to copy, no threading concerns.
#pragma once

#include <compare>
#include <cstdint>

namespace pawl {

template <class Tag, class Rep = uint64_t>
struct Id {
  Rep value = 0;

  constexpr explicit operator bool() const { return value != 0; }
  friend constexpr auto operator<=>(const Id&, const Id&) = default;
};

}  // namespace pawl
