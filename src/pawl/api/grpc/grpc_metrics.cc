#include "pawl/api/grpc/grpc_metrics.h"

namespace pawl {

void GrpcFigures::opened() {
  std::lock_guard lock(mutex_);
  ++open_;
}

void GrpcFigures::answered(const Method& method, Code code) {
  std::lock_guard lock(mutex_);
  ++answered_[&method][static_cast<size_t>(code)];
}

void GrpcFigures::done() {
  std::lock_guard lock(mutex_);
  --open_;
}

void GrpcFigures::write(Exposition& page) const {
  std::lock_guard lock(mutex_);
  page.measured("pawl_grpc_calls_open", "Calls and watches of clients open over gRPC", open_);
  page.family("pawl_grpc_calls_total", Exposition::counter, "Calls answered over gRPC, by method");
  for (const auto& [method, by_code] : answered_)
    for (size_t code = 0; code < codes; ++code)
      if (by_code[code] > 0)
        page.sample({{"service", method->service},
                     {"method", method->name},
                     {"code", name(static_cast<Code>(code))}},
                    by_code[code]);
}

}  // namespace pawl
