// Whose failure an error is: the task's own, which counts, or that of something between the task and its
// coordinator, which does not.
//
//   if (!payload.ok()) return fail(launch, failure_of(payload.error(), FailureKind::output), ...);
//
// UNAVAILABLE says that the same may succeed a moment later or elsewhere: the payload store cannot be
// reached, there is no descriptor for a helper. RESOURCE_EXHAUSTED says that a disk is full. Such an attempt is
// declined, and granted again.
#pragma once

#include "pawl/base/result.h"
#include "pawl/model/workflow.h"

namespace pawl {

inline FailureKind failure_of(const Error& error, FailureKind own) {
  const bool passes = error.code == Code::unavailable || error.code == Code::resource_exhausted;
  return passes ? FailureKind::declined : own;
}

}  // namespace pawl
