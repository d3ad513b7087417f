#include "pawl/app/partition_thread.h"

#include "pawl/adapter/linux_disk/linux_disk.h"

namespace pawl {
namespace {

constexpr Duration look_interval = Duration::milliseconds(200);

}  // namespace

// All of it is born, lives and ends on the thread: the evaluator's helper dies with its starter.
Status PartitionThread::run(const PartitionOptions& options, const PartitionSurroundings& around,
                            Sink<Response>& answers, std::promise<void>& opened) {
  PAWL_ASSIGN(std::unique_ptr<LinuxLoop> loop, LinuxLoop::create(around.clock));
  LinuxDiskOptions disk_options;
  disk_options.wake = loop.get();
  PAWL_ASSIGN(std::unique_ptr<Disk> disk, open_linux_disk(options.directory, disk_options));
  PAWL_ASSIGN(std::unique_ptr<PartitionHome> home,
              PartitionHome::open(options, around, *disk, *loop, answers));
  engine_ = &home->engine();
  loop_ = loop.get();
  opened.set_value();
  while (!ending_) {
    loop->run_once(look_interval);
    if (engine_->failure()) failed_ = true;
  }
  return clean_ ? home->close() : Status();
}

Result<std::unique_ptr<PartitionThread>> PartitionThread::start(const PartitionOptions& options,
                                                                const PartitionSurroundings& around,
                                                                Sink<Response>& answers) {
  std::unique_ptr<PartitionThread> partition(new PartitionThread);
  PartitionThread* raw = partition.get();
  std::promise<void> opened;
  std::future<void> open = opened.get_future();
  partition->thread_ =
      std::thread([raw, options, around, &answers, opened = std::move(opened)]() mutable {
        raw->result_ = raw->run(options, around, answers, opened);
        if (raw->engine_ == nullptr) opened.set_value();
      });
  open.wait();
  if (raw->engine_ != nullptr) return partition;
  raw->thread_.join();
  return raw->result_.error();
}

void PartitionThread::end() {
  if (!thread_.joinable()) return;
  ending_ = true;
  if (loop_ != nullptr) loop_->wake();
  thread_.join();
}

PartitionThread::~PartitionThread() {
  end();
}

Status PartitionThread::close() {
  clean_ = true;
  end();
  return result_;
}

}  // namespace pawl
