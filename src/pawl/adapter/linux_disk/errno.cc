#include "pawl/adapter/linux_disk/errno.h"

#include <cerrno>
#include <cstring>

namespace pawl {

namespace {

Code code_of(int number, DiskOperation operation) {
  switch (number) {
    case ENOSPC:
    case EDQUOT:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case EFBIG:
      return Code::resource_exhausted;
    case EACCES:
    case EPERM:
    case EROFS:
      return Code::permission_denied;
    case ENOENT:
      return Code::not_found;
    case EEXIST:
      return Code::already_exists;
    case ENOTDIR:
    case EISDIR:
    case ENAMETOOLONG:
    case ELOOP:
      return Code::invalid_argument;
    default:
      return operation == DiskOperation::write ? Code::unknown : Code::data_loss;
  }
}

const char* remedy(int number) {
  switch (number) {
    case ENOSPC:
      return "; free some space on this file system";
    case EDQUOT:
      return "; the disk quota is used up";
    case EMFILE:
      return "; raise the limit of open files (ulimit -n)";
    case ENFILE:
      return "; the system's table of open files is full (fs.file-max)";
    case EACCES:
    case EPERM:
      return "; check owner and mode of the directory";
    case EROFS:
      return "; choose a directory on a writable file system";
    default:
      return "";
  }
}

}  // namespace

Error disk_error(int number, DiskOperation operation, const std::string& what,
                 const std::string& path) {
  char text[128];
  const char* reason = ::strerror_r(number, text, sizeof text);
  return Error{code_of(number, operation),
               "cannot " + what + " " + path + ": " + reason + remedy(number)};
}

}  // namespace pawl
