// A piece of code to be called later, as a value: std::function without its header.
//
//   Callback<void(Response)> then = [this](Response response) { ... };
//   then(response);
#pragma once

#include <memory>
#include <type_traits>
#include <utility>

namespace pawl {

template <class Signature>
class Callback;

template <class R, class... Arguments>
class Callback<R(Arguments...)> {
 public:
  Callback() = default;
  template <class F>
  requires(!std::is_same_v<std::remove_cvref_t<F>, Callback>) Callback(F function)
      : target_(std::make_shared<Target<F>>(std::move(function))) {}

  R operator()(Arguments... arguments) const {
    return target_->run(std::forward<Arguments>(arguments)...);
  }
  explicit operator bool() const { return target_ != nullptr; }

 private:
  struct Base {
    virtual ~Base() = default;
    virtual R run(Arguments... arguments) = 0;
  };
  template <class F>
  struct Target final : Base {
    explicit Target(F f) : function(std::move(f)) {}
    R run(Arguments... arguments) override {
      return function(std::forward<Arguments>(arguments)...);
    }
    F function;
  };
  std::shared_ptr<Base> target_;
};

}  // namespace pawl
