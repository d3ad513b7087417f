#include "pawl/app/worker_metrics.h"

#include "pawl/app/process_metrics.h"

namespace pawl {
namespace {

using Workers = std::vector<Worker*>;

template <class Value>
void write_each(const Workers& workers, std::string_view name, std::string_view help, Value value,
                Exposition& page) {
  page.family(name, Exposition::gauge, help);
  for (const Worker* worker : workers)
    page.sample({{"worker", worker->spec().name}}, value(*worker));
}

void write_load(const Workers& workers, Exposition& page) {
  write_each(
      workers, "pawl_worker_connected", "1: it has its sessions; 0: it looks for its server",
      [](const Worker& one) { return uint64_t{one.connected()}; }, page);
  write_each(
      workers, "pawl_worker_slots", "Attempts that it runs at once",
      [](const Worker& one) { return uint64_t{one.spec().slots}; }, page);
  write_each(
      workers, "pawl_worker_running", "Attempts that run",
      [](const Worker& one) { return uint64_t{one.running_launches()}; }, page);
  write_each(
      workers, "pawl_worker_queued", "Tasks granted to it and not started",
      [](const Worker& one) { return one.queued_items(); }, page);
  write_each(
      workers, "pawl_worker_credit", "Tasks that it may hold granted, of each partition",
      [](const Worker& one) { return uint64_t{one.spec().credit}; }, page);
  write_each(
      workers, "pawl_worker_credit_outstanding", "Tasks that it holds granted",
      [](const Worker& one) { return one.held_items(); }, page);
}

void write_attempts(const Workers& workers, Exposition& page) {
  page.family("pawl_worker_attempts_total", Exposition::counter,
              "Attempts that have ended, by how");
  for (const Worker* worker : workers) {
    const WorkerFigures& figures = worker->figures();
    const std::string& name_of = worker->spec().name;
    page.sample({{"worker", name_of}, {"outcome", "succeeded"}}, figures.succeeded);
    for (size_t kind = 0; kind < WorkerFigures::kinds; ++kind)
      page.sample({{"worker", name_of}, {"outcome", name(static_cast<FailureKind>(kind))}},
                  figures.failed[kind]);
  }
  page.family("pawl_worker_launches_total", Exposition::counter,
              "What was started: processes, and calls of functions with many items each");
  for (const Worker* worker : workers)
    page.sample({{"worker", worker->spec().name}}, worker->figures().launches);
  page.family("pawl_task_queued_seconds", Exposition::histogram,
              "Attempts that have ended: from the arrival of the grant until the start");
  for (const Worker* worker : workers)
    page.sample({{"worker", worker->spec().name}}, worker->figures().queued);
  page.family("pawl_task_run_seconds", Exposition::histogram,
              "Attempts that have ended: from the start until the end");
  for (const Worker* worker : workers)
    page.sample({{"worker", worker->spec().name}}, worker->figures().ran);
}

void write_reads(const PayloadReads& reads, Exposition& page) {
  page.family("pawl_worker_payload_reads_total", Exposition::counter,
              "Reads of large inputs and results, by where they came from");
  page.sample({{"from", "memory"}}, reads.from_memory);
  page.sample({{"from", "server"}}, reads.from_store);
}

}  // namespace

void WorkerMetrics::write(Exposition& page) const {
  Workers workers = workshop_.workers();
  write_load(workers, page);
  write_attempts(workers, page);
  page.counted("pawl_worker_connections_total", "Connections to the server that have come about",
               transport_.connections());
  write_messages(transport_.counts(), "Messages from and to the server; lost: nobody was there",
                 page);
  write_reads(workshop_.payload_reads(), page);
  write_process(page);
  write_notices(log_, page);
}

}  // namespace pawl
