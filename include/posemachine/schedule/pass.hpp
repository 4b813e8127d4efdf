// A pass over a schedule: a function with a name, a line of documentation and its place in the order.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/schedule/cost_model.hpp>
#include <posemachine/schedule/schedule.hpp>

#include <array>
#include <cstddef>
#include <initializer_list>
#include <string_view>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace schedule {

/// What passes decide by, besides the schedule and its device.
struct PassContext {
  const CostModel* costs = nullptr;  // null: estimates alone
  int threads = 1;                   // that run the schedule

  /// Of one image, ns.
  MethodTimes convolution(const ConvolutionCase& which) const {
    return costs != nullptr ? costs->convolution(which, threads) : CostModel::estimate(which, threads);
  }
};

/// Up to four names of passes.
class PassNames {
 public:
  constexpr PassNames() = default;
  constexpr PassNames(std::initializer_list<std::string_view> names) {
    for (const std::string_view name : names) names_.at(count_++) = name;
  }
  constexpr const std::string_view* begin() const { return names_.data(); }
  constexpr const std::string_view* end() const { return names_.data() + count_; }

 private:
  std::array<std::string_view, 4> names_{};
  std::size_t count_ = 0;
};

/// A schedule computes the same without it, in more time or memory.
struct SchedulePass {
  std::string_view name;
  std::string_view does;  // one line
  void (*run)(Schedule&, const PassContext&) = nullptr;
  PassNames after{};  // passes that run before it, where they run at all
};

}  // namespace schedule
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
