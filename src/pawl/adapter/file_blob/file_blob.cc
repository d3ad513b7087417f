#include "pawl/adapter/file_blob/file_blob.h"

#include <algorithm>
#include <charconv>

namespace pawl {
namespace {

constexpr const char* root = "blob";

std::string directory_of(ExecutionId owner) {
  return std::string(root) + "/" + std::to_string(owner.value);
}

std::string path_of(const BlobRef& ref) {
  return directory_of(ref.owner) + "/" + std::to_string(ref.sequence);
}

}  // namespace

Status FileBlob::put(const BlobRef& ref, ByteView bytes) {
  const std::string path = path_of(ref);
  if (bytes.size() != ref.size || hash128(bytes) != ref.hash) {
    return Error{Code::invalid_argument, path + ": the content is not what the reference says"};
  }
  const std::string making = path + ".making-" + std::to_string(++making_);
  PAWL_TRY(disk_.make_directory(directory_of(ref.owner)));
  PAWL_TRY(disk_.remove(making));  // of an earlier life that crashed here
  {
    PAWL_ASSIGN(std::unique_ptr<File> file, disk_.create(making, 0));
    Status written = bytes.empty() ? Status() : file->write(0, bytes);
    if (!written.ok()) {
      file.reset();
      // A full disk must not stay full of what nobody will name; the write's error is
      // the one to tell.
      (void)disk_.remove(making);
      return written;
    }
  }
  return disk_.publish(making, path);
}

Result<std::unique_ptr<File>> FileBlob::open(const BlobRef& ref) {
  const std::string path = path_of(ref);
  PAWL_ASSIGN(std::unique_ptr<File> file, disk_.open(path));
  if (file->size() != ref.size) {
    return Error{Code::data_loss, path + ": has " + std::to_string(file->size()) +
                                      " bytes instead of " + std::to_string(ref.size)};
  }
  return file;
}

Result<Bytes> FileBlob::get(const BlobRef& ref) {
  PAWL_ASSIGN(std::unique_ptr<File> file, open(ref));
  PAWL_ASSIGN(Bytes bytes, file->read(0, ref.size));
  if (bytes.size() != ref.size || hash128(bytes) != ref.hash) {
    return Error{Code::data_loss, path_of(ref) + ": its content does not match its hash"};
  }
  return bytes;
}

Result<Bytes> FileBlob::part(const BlobRef& ref, uint64_t offset, uint64_t size) {
  PAWL_ASSIGN(std::unique_ptr<File> file, open(ref));
  if (offset > ref.size || size > ref.size - offset) {
    return Error{Code::out_of_range, path_of(ref) + ": the part reaches past its end"};
  }
  PAWL_ASSIGN(Bytes bytes, file->read(offset, size));
  if (bytes.size() != size) {
    return Error{Code::data_loss, path_of(ref) + ": ended while it was read"};
  }
  return bytes;
}

Status FileBlob::adopt(const BlobRef& from, const BlobRef& to) {
  PAWL_TRY(disk_.make_directory(directory_of(to.owner)));
  return disk_.publish(path_of(from), path_of(to));
}

Status FileBlob::drop(const BlobRef& ref) {
  return disk_.remove(path_of(ref));
}

Result<std::vector<ExecutionId>> FileBlob::owners() {
  auto names = disk_.list(root);
  if (!names.ok() && names.error().code == Code::not_found) return std::vector<ExecutionId>();
  if (!names.ok()) return names.error();
  std::vector<ExecutionId> owners;
  for (const std::string& name : *names) {
    ExecutionId owner;
    auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), owner.value);
    bool ours = error == std::errc() && end == name.data() + name.size();
    if (ours) owners.push_back(owner);
  }
  std::sort(owners.begin(), owners.end());
  return owners;
}

Status FileBlob::drop_owner(ExecutionId owner) {
  const std::string directory = directory_of(owner);
  auto names = disk_.list(directory);
  if (!names.ok()) {
    if (names.error().code == Code::not_found) return {};
    return names.error();
  }
  for (const std::string& name : *names) PAWL_TRY(disk_.remove(directory + "/" + name));
  return disk_.remove(directory);
}

}  // namespace pawl
