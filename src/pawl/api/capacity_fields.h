// The fields of queues and workers in JSON (json_fields.h says how they are written). Private to the codec.
#pragma once

#include "pawl/api/call_fields.h"

namespace pawl {

template <class IO, Same<Amount> T>
void fields(IO& io, T& v) {
  io.required("name", v.name);
  io("amount", v.amount);
}
template <class IO, Same<Label> T>
void fields(IO& io, T& v) {
  io.required("name", v.name);
  io("value", v.value);
}
template <class IO, Same<QueueSpec> T>
void fields(IO& io, T& v) {
  io.required("queue", v.name);
  io("strategy", v.strategy);
  io("paused", v.paused);
  io("concurrency_max", v.concurrency_max);
  io("rate_permille", v.rate_permille);
  io("burst", v.burst);
  io.milliseconds("aging_ms", v.aging);
  io("waiting_max", v.waiting_max);
}
template <class IO, Same<QueueDetail> T>
void fields(IO& io, T& v) {
  fields(io, v.spec);
  io("ready", v.ready);
  io("granted", v.granted);
  io("backing_off", v.backing_off);
  io("evaluating", v.evaluating);
  io("parked", v.parked);
  io("redelivered", v.redelivered);
  io("workers", v.workers);
  io.milliseconds("oldest_ms", v.oldest);
}
template <class IO, Same<QueueList> T>
void fields(IO& io, T& v) {
  io("queues", v.queues);
}
template <class IO, Same<WorkerSpec> T>
void fields(IO& io, T& v) {
  io("name", v.name);
  io("slots", v.slots);
  io("credit", v.credit);
  io("node_types", v.node_types);
  io("functions", v.functions);
  io.milliseconds("lease_ms", v.lease);
  io("queues", v.queues);
  io("capacity", v.capacity);
  io("labels", v.labels);
  io("zone", v.zone);
  io("weight", v.weight);
  io("price", v.price);
}
template <class IO, Same<WorkerUsage> T>
void fields(IO& io, T& v) {
  io("running", v.running);
  io("cpu_permille", v.cpu_permille);
  io("memory_bytes", v.memory_bytes);
  io("version", v.version);
  io("leaving", v.leaving);
}
template <class IO, Same<WorkerDetail> T>
void fields(IO& io, T& v) {
  io.required("session", v.session);
  io("worker", v.worker);
  io("free", v.free);
  io("outstanding", v.outstanding);
  io("usage", v.usage);
  io.milliseconds("silent_ms", v.silent);
  io("suspect", v.suspect);
}
template <class IO, Same<WorkerList> T>
void fields(IO& io, T& v) {
  io("workers", v.workers);
}

}  // namespace pawl
