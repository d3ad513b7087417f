// Addresses of Unix sockets in directories whose names are longer than sun_path: the directory is
// opened, and named as /proc/self/fd/N.
#pragma once

#include <sys/un.h>

#include <string>

#include "pawl/base/result.h"

namespace pawl {

// An O_PATH descriptor; the caller closes it. NOT_FOUND, PERMISSION_DENIED ...
Result<int> open_socket_directory(const std::string& directory);
sockaddr_un socket_address(int directory_fd, const std::string& file_name);
// errno as an Error: "cannot connect to /x/pawl.sock: Permission denied".
Error socket_error(const std::string& what, int error_number);

}  // namespace pawl
