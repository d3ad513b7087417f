// port/output_store.h in memory. Any thread.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "pawl/port/output_store.h"

namespace pawl {

class MemoryOutputs final : public OutputStore {
 public:
  Status write(const OutputPart& part) override {
    if (LogKey key; !key_from_path(part.path, key))
      return Error{Code::invalid_argument, "no output is called \"" + part.path + "\""};
    std::lock_guard lock(mutex_);
    Bytes& file = files_[part.path];
    if (file.size() < part.offset + part.bytes.size()) file.resize(part.offset + part.bytes.size());
    file.replace(part.offset, part.bytes.size(), part.bytes);
    return {};
  }
  Result<Bytes> read(const std::string& path, uint64_t offset, uint64_t size) override {
    std::lock_guard lock(mutex_);
    auto file = files_.find(path);
    if (file == files_.end()) return Error{Code::not_found, "nothing is kept as " + path};
    return offset < file->second.size() ? file->second.substr(offset, size) : Bytes();
  }
  Result<std::vector<KeptLog>> list(ExecutionId execution, const std::string& node) override {
    std::lock_guard lock(mutex_);
    std::map<LogKey, uint64_t> found;
    for (const auto& [path, bytes] : files_) {
      LogKey key;
      if (key_from_path(path, key) && key.execution == execution && key.node == node)
        found[key] = bytes.size();
    }
    std::vector<KeptLog> list;
    for (const auto& [key, size] : found) list.push_back({key, size});
    return list;
  }
  std::map<std::string, Bytes> files() {
    std::lock_guard lock(mutex_);
    return files_;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, Bytes> files_;
};

}  // namespace pawl
