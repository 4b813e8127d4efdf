// The passes of a program: the library's own, less what is switched off, with a user's among them.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/schedule/pass.hpp>
#include <posemachine/schedule/passes/choose_layouts.hpp>
#include <posemachine/schedule/passes/choose_winograd.hpp>
#include <posemachine/schedule/passes/fold_gates.hpp>
#include <posemachine/schedule/passes/fuse_activation.hpp>
#include <posemachine/schedule/passes/fuse_sum.hpp>
#include <posemachine/schedule/passes/in_place.hpp>
#include <posemachine/schedule/passes/pool_early.hpp>
#include <posemachine/schedule/passes/share_branches.hpp>
#include <posemachine/schedule/passes/share_slices.hpp>
#include <posemachine/schedule/schedule.hpp>

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace schedule {

/// The library's own, in the order in which they run.
inline constexpr std::array library_schedule_passes{
    pool_early_pass, fuse_sum_pass,     fuse_activation_pass, choose_layouts_pass, choose_winograd_pass,
    fold_gates_pass, share_slices_pass, share_branches_pass,  in_place_pass,
};

namespace detail {

// Whether every pass stands behind those it has to follow.
constexpr bool is_in_order(std::span<const SchedulePass> passes) {
  for (std::size_t i = 0; i < passes.size(); ++i) {
    for (std::size_t later = i + 1; later < passes.size(); ++later) {
      for (const std::string_view name : passes[i].after) {
        if (name == passes[later].name) return false;
      }
    }
  }
  return true;
}
static_assert(is_in_order(library_schedule_passes), "a schedule pass stands before one it has to follow");

}  // namespace detail

/// A list of passes, the library's to begin with.
class SchedulePasses {
 public:
  SchedulePasses() : rows_(library_schedule_passes.begin(), library_schedule_passes.end()) {}

  /// No pass at all: one step per node, every map in memory of its own.
  static SchedulePasses none();

  std::span<const SchedulePass> rows() const { return rows_; }

  bool contains(std::string_view name) const { return find(name) != rows_.end(); }

  /// The same list without one pass. Errors: UsageError naming those there are.
  SchedulePasses without(std::string_view name) const;

  /// The same list with another pass behind all of its `after`, and as early as that allows.
  /// Errors: UsageError for a name that is taken, a pass without a function, and one to follow that is not there.
  SchedulePasses with(const SchedulePass& pass) const;
  void run(Schedule& schedule, const PassContext& context = {}) const;

 private:
  using Rows = std::vector<SchedulePass>;

  Rows::const_iterator find(std::string_view name) const;
  Rows::const_iterator require(std::string_view name) const;
  std::string names() const;

  Rows rows_;
};

}  // namespace schedule
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/schedule/schedule_passes.ipp>
#endif
