// Between model values and their protobuf messages, field by field.
#pragma once

#include "pawl/base/result.h"
#include "pawl/model/message.h"

namespace pawl {

namespace v1 {
class AttemptProgress;
class RunningAttempts;
class AttemptReport;
class BlobRef;
class Grant;
class Hash128;
class Heartbeat;
class HeldAttempts;
class Hello;
class NodeOutput;
class Payload;
class StopAttempts;
class TaskRange;
}  // namespace v1

void to_proto(const Payload& in, v1::Payload& out);
void to_proto(const BlobRef& in, v1::BlobRef& out);
void to_proto(const Hash128& in, v1::Hash128& out);
void to_proto(const TaskRange& in, v1::TaskRange& out);
void to_proto(const NodeOutput& in, v1::NodeOutput& out);
void to_proto(const WorkerSpec& in, v1::Hello& out);
void to_proto(const WorkerUsage& in, v1::Heartbeat& out);
void to_proto(const AttemptReport& in, v1::AttemptReport& out);
void to_proto(const AttemptProgress& in, v1::AttemptProgress& out);
void to_proto(const RunningAttempts& in, v1::RunningAttempts& out);
void to_proto(const Grant& in, v1::Grant& out);  // but its context
void to_proto(const HeldAttempts& in, v1::HeldAttempts& out);
void to_proto(const StopAttempts& in, v1::StopAttempts& out);

Payload from_proto(const v1::Payload& in);
BlobRef from_proto(const v1::BlobRef& in);
Hash128 from_proto(const v1::Hash128& in);
TaskRange from_proto(const v1::TaskRange& in);
Result<NodeOutput> from_proto(const v1::NodeOutput& in);
WorkerSpec from_proto(const v1::Hello& in);
WorkerUsage from_proto(const v1::Heartbeat& in);
AttemptReport from_proto(const v1::AttemptReport& in);
AttemptProgress from_proto(const v1::AttemptProgress& in);
RunningAttempts from_proto(const v1::RunningAttempts& in);
Grant from_proto(const v1::Grant& in);  // but its context
HeldAttempts from_proto(const v1::HeldAttempts& in);
StopAttempts from_proto(const v1::StopAttempts& in);

}  // namespace pawl
