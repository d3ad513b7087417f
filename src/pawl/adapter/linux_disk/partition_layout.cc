#include "pawl/adapter/linux_disk/partition_layout.h"

#include <algorithm>
#include <charconv>

#include "pawl/model/ids.h"

namespace pawl {
namespace {

constexpr const char* file_name = "partitions";

Result<bool> has(Disk& disk, const std::string& name) {
  PAWL_ASSIGN(std::vector<std::string> names, disk.list(""));
  return std::binary_search(names.begin(), names.end(), name);
}

Status write_number(Disk& disk, uint32_t partitions) {
  const std::string making = std::string(file_name) + ".making";
  PAWL_ASSIGN(std::unique_ptr<File> file, disk.create(making, 0));
  PAWL_TRY(file->write(0, std::to_string(partitions) + "\n"));
  return disk.publish(making, file_name);
}

}  // namespace

Result<uint32_t> partitions_in(Disk& disk) {
  PAWL_ASSIGN(bool written, has(disk, file_name));
  if (!written) return uint32_t{1};
  PAWL_ASSIGN(std::unique_ptr<File> file, disk.open(file_name));
  PAWL_ASSIGN(Bytes text, file->read(0, 16));
  uint32_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || number < 1 || number > partitions_max || *end != '\n')
    return Error{Code::data_loss,
                 std::string("the file ") + file_name +
                     " of the state directory holds no number of partitions; bring it back "
                     "from a copy: it says where executions are"};
  return number;
}

Result<uint32_t> settle_partitions(Disk& disk, uint32_t wanted) {
  PAWL_ASSIGN(bool begun, has(disk, "log"));
  PAWL_ASSIGN(uint32_t now, partitions_in(disk));
  if (wanted == 0 || wanted == now) return now;
  if (begun)
    return Error{Code::failed_precondition,
                 "the state directory has " + std::to_string(now) +
                     (now == 1 ? " partition" : " partitions") + ", not " + std::to_string(wanted) +
                     "; their number is settled when a directory is made: use a new one"};
  PAWL_TRY(write_number(disk, wanted));
  return wanted;
}

std::string partition_directory(const std::string& directory, uint32_t slot) {
  return slot == 0 ? directory : directory + "/partition-" + std::to_string(slot);
}

}  // namespace pawl
