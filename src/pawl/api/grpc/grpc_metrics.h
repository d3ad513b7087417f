// What the door of gRPC has answered, by method and code.
//
//   GrpcFigures figures;
//   figures.opened();
//   figures.answered(method, Code::ok);
//   figures.done();
//   figures.write(page);
//
// A call whose client gives up, or whose deadline passes, is answered CANCELLED. Threading: any.
#pragma once

#include <array>
#include <map>
#include <mutex>

#include "pawl/api/exposition.h"
#include "pawl/api/grpc/methods.h"
#include "pawl/base/result.h"

namespace pawl {

class GrpcFigures final : public MetricSource {
 public:
  void opened();
  void answered(const Method& method, Code code);
  void done();
  void write(Exposition& page) const override;

 private:
  static constexpr size_t codes = static_cast<size_t>(Code::unauthenticated) + 1;

  mutable std::mutex mutex_;
  uint64_t open_ = 0;
  std::map<const Method*, std::array<uint64_t, codes>> answered_;
};

}  // namespace pawl
