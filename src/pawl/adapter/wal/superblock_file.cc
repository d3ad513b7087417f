#include "pawl/adapter/wal/superblock_file.h"

namespace pawl::wal {

namespace {

std::string path_in(const std::string& directory) {
  return directory + "/" + superblock_name;
}

}  // namespace

Result<SuperblockFile> SuperblockFile::create(Disk& disk, const std::string& directory,
                                              const Superblock& first) {
  std::string temporary = path_in(directory) + ".new";
  PAWL_TRY(disk.remove(temporary));
  Superblock superblock = first;
  superblock.sequence = 1;
  PAWL_ASSIGN(std::unique_ptr<File> file, disk.create(temporary, superblock_bytes));
  Bytes block = encode_superblock(superblock);
  Bytes all;
  for (int i = 0; i < superblock_copies; ++i) all += block;
  PAWL_TRY(file->write(0, all));
  PAWL_TRY(disk.publish(temporary, path_in(directory)));
  return SuperblockFile(std::move(file), std::move(superblock));
}

Result<SuperblockFile> SuperblockFile::load(Disk& disk, const std::string& directory) {
  PAWL_ASSIGN(std::unique_ptr<File> file, disk.open(path_in(directory)));
  PAWL_ASSIGN(SuperblockQuorum quorum, read_superblock(*file, directory));
  Bytes block = encode_superblock(quorum.superblock);
  for (int copy : quorum.differing)
    PAWL_TRY(file->write(static_cast<uint64_t>(copy) * block_bytes, block));
  return SuperblockFile(std::move(file), std::move(quorum.superblock));
}

Status SuperblockFile::update(Superblock next) {
  next.sequence = current_.sequence + 1;
  next.previous = hash128(encode_superblock(current_));
  Bytes pair = encode_superblock(next);
  pair += Bytes(pair);
  PAWL_TRY(file_->write(0, pair));
  PAWL_TRY(file_->write(pair.size(), pair));
  current_ = std::move(next);
  return {};
}

Result<SuperblockQuorum> read_superblock(File& file, const std::string& directory) {
  PAWL_ASSIGN(Bytes bytes, file.read(0, superblock_bytes));
  auto quorum = decode_superblocks(bytes);
  if (!quorum.ok()) return std::move(quorum.error()).within(path_in(directory));
  return quorum;
}

}  // namespace pawl::wal
