#include "pawl/api/socket_path.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace pawl {

Error socket_error(const std::string& what, int error_number) {
  Code code = Code::unavailable;
  if (error_number == ENOENT || error_number == ENOTDIR) code = Code::not_found;
  if (error_number == EACCES || error_number == EPERM || error_number == EROFS)
    code = Code::permission_denied;
  if (error_number == EMFILE || error_number == ENFILE || error_number == ENOSPC ||
      error_number == ENOMEM)
    code = Code::resource_exhausted;
  return {code, what + ": " + std::strerror(error_number)};
}

Result<int> open_socket_directory(const std::string& directory) {
  int fd = open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return socket_error("cannot open the state directory " + directory, errno);
  return fd;
}

sockaddr_un socket_address(int directory_fd, const std::string& file_name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", directory_fd,
                file_name.c_str());
  return address;
}

}  // namespace pawl
