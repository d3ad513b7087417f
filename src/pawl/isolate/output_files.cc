#include "pawl/isolate/output_files.h"

#include <algorithm>
#include <filesystem>

namespace pawl {

namespace fs = std::filesystem;

Result<std::vector<ExecutionId>> OutputFiles::owners() {
  std::error_code error;
  std::vector<ExecutionId> owners;
  fs::directory_iterator entries(root_, error);
  if (error == std::errc::no_such_file_or_directory) return owners;
  for (; !error && entries != fs::directory_iterator(); entries.increment(error)) {
    ExecutionId owner = execution_from_text(entries->path().filename());
    if (owner) owners.push_back(owner);
  }
  if (error) return Error{Code::unavailable, "cannot list " + root_ + ": " + error.message()};
  std::sort(owners.begin(), owners.end());
  return owners;
}

Status OutputFiles::drop_owner(ExecutionId owner) {
  std::error_code error;
  const std::string path = root_ + "/" + to_text(owner);
  fs::remove_all(path, error);
  if (error) return Error{Code::unavailable, "cannot remove " + path + ": " + error.message()};
  return {};
}

}  // namespace pawl
