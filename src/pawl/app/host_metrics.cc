#include "pawl/app/host_metrics.h"

#include <sys/statvfs.h>

#include "pawl/app/process_metrics.h"

namespace pawl {

void HostMetrics::write(Exposition& page) const {
  write_process(page);
  struct statvfs disk {};
  if (statvfs(directory_.c_str(), &disk) == 0)
    page.measured("pawl_disk_free_bytes", "Room left on the file system of the state directory",
                  uint64_t{disk.f_bavail} * disk.f_frsize);
  write_messages(door_ != nullptr ? door_->counts() : StreamCounts{},
                 "Messages from and to workers of other processes; lost: nobody was there", page);
  write_notices(log_, page);
}

}  // namespace pawl
