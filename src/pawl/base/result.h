// Expected failures across module borders: a value, or an Error with one of gRPC's canonical codes
// (chosen by what the caller should do) and one line for people.
//
//   Result<int> parse(std::string_view text);
//   ...
//   PAWL_ASSIGN(int n, parse(text));      // returns the error to our caller
//   PAWL_TRY(disk.sync());                // the same for Status
//   return Error{Code::not_found, "no execution e17; `pawl list` shows those that exist"};
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "pawl/base/check.h"
#include "pawl/base/time.h"

namespace pawl {

enum class Code : uint8_t {
  ok = 0,
  cancelled = 1,
  unknown = 2,           // may or may not have happened: resolve by reading
  invalid_argument = 3,  // the request is wrong whatever the state
  deadline_exceeded = 4,
  not_found = 5,
  already_exists = 6,  // the same request id with another payload
  permission_denied = 7,
  resource_exhausted = 8,   // a named limit was hit
  failed_precondition = 9,  // wrong in this state: fix the state first
  aborted = 10,             // lost a race (fenced): re-read, then decide
  out_of_range = 11,
  unimplemented = 12,
  internal = 13,
  unavailable = 14,  // try again later
  data_loss = 15,    // corrupt data was found; never served
  unauthenticated = 16,
};

const char* name(Code code);  // "NOT_FOUND"

struct Error {
  Code code = Code::unknown;
  std::string message;
  Duration retry_after{};  // when it is known: nothing has happened, and then it may

  // The same error with context in front: "segment 3: no space left".
  Error within(const std::string& where) && {
    message.insert(0, where + ": ");
    return std::move(*this);
  }
};

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : content_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : content_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return content_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & {
    PAWL_CHECK(ok(), "value() of an error");
    return *std::get_if<0>(&content_);
  }
  const T& value() const& {
    PAWL_CHECK(ok(), "value() of an error");
    return *std::get_if<0>(&content_);
  }
  T&& value() && {
    PAWL_CHECK(ok(), "value() of an error");
    return std::move(*std::get_if<0>(&content_));
  }
  T& operator*() { return value(); }
  const T& operator*() const { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  Error& error() {
    PAWL_CHECK(!ok(), "error() of a value");
    return *std::get_if<1>(&content_);
  }
  const Error& error() const {
    PAWL_CHECK(!ok(), "error() of a value");
    return *std::get_if<1>(&content_);
  }

 private:
  std::variant<T, Error> content_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}

  bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  Error& error() {
    PAWL_CHECK(!ok(), "error() of a value");
    return *error_;
  }
  const Error& error() const {
    PAWL_CHECK(!ok(), "error() of a value");
    return *error_;
  }

 private:
  std::optional<Error> error_;
};

using Status = Result<void>;

}  // namespace pawl

#define PAWL_CONCAT_INNER(a, b) a##b
#define PAWL_CONCAT(a, b) PAWL_CONCAT_INNER(a, b)

#define PAWL_TRY(expression)                                                                       \
  do {                                                                                             \
    if (auto pawl_status = (expression); !pawl_status.ok()) return std::move(pawl_status).error(); \
  } while (false)

#define PAWL_ASSIGN(declaration, expression) \
  PAWL_ASSIGN_INNER(PAWL_CONCAT(pawl_result_, __LINE__), declaration, expression)
#define PAWL_ASSIGN_INNER(result, declaration, expression) \
  auto result = (expression);                              \
  if (!result.ok()) return std::move(result).error();      \
  declaration = std::move(result).value()
