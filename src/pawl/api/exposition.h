// Writes figures down in Prometheus' text format, version 0.0.4.
//
//   Exposition page;
//   page.family("pawl_task_failures_total", Exposition::counter, "Attempts that failed, by kind");
//   page.sample({{"kind", "timeout"}}, 3);
//   page.take();
//   // # HELP pawl_task_failures_total Attempts that failed, by kind
//   // # TYPE pawl_task_failures_total counter
//   // pawl_task_failures_total{kind="timeout"} 3
//
// A sample belongs to the family named last; a family without samples is announced all the same. Numbers
// are exact: times are given as integers and written in seconds. Label values may hold anything.
// Pure; threading: compatible.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "pawl/base/histogram.h"

namespace pawl {

class Exposition {
 public:
  enum Type : uint8_t { counter, gauge, histogram };
  struct Label {
    std::string_view name;
    std::string_view value;
  };
  using Labels = std::initializer_list<Label>;
  static constexpr const char* content_type = "text/plain; version=0.0.4; charset=utf-8";

  void family(std::string_view name, Type type, std::string_view help);
  void sample(Labels labels, uint64_t value);
  void seconds(Labels labels, Duration value);
  void sample(Labels labels, const Histogram& value);
  // A family with one sample and no labels.
  void counted(std::string_view name, std::string_view help, uint64_t value);
  void measured(std::string_view name, std::string_view help, uint64_t value);
  void measured(std::string_view name, std::string_view help, Duration value);
  void timed(std::string_view name, std::string_view help, const Histogram& value);

  std::string take() { return std::move(text_); }

 private:
  void line(std::string_view suffix, Labels labels, std::string_view bound, std::string_view value);

  std::string family_;
  std::string text_;
};

// Adds families to a page, each name by one source alone.
class MetricSource {
 public:
  virtual ~MetricSource() = default;
  virtual void write(Exposition& page) const = 0;
};

}  // namespace pawl
