// A workflow as bytes: what WorkflowRegistered carries and what its version is the hash of.
//
//   Bytes definition = encode(workflow);
//   PAWL_ASSIGN(Workflow same, decode_workflow(definition));
//
// Layout: one version byte, then the fields. 1: no node says where it may run; 2: some do; 3: some have a
// ProcessSpec.base. The oldest that can say it is written. Equal workflows give equal bytes. Only what
// its author wrote, and where it was submitted, is stored; decode_workflow() runs finish(), so what
// it returns is valid.
#pragma once

#include "pawl/base/bytes.h"
#include "pawl/base/result.h"
#include "pawl/model/workflow.h"

namespace pawl {

constexpr uint8_t workflow_format = 3;  // the newest

Bytes encode(const Workflow& workflow);

// DATA_LOSS: not the bytes of a workflow. FAILED_PRECONDITION: of a newer format. Otherwise as
// finish(). Safe on any bytes.
Result<Workflow> decode_workflow(ByteView bytes);

}  // namespace pawl
