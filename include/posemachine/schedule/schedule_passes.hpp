// The passes of a program: the library's own, less what is switched off, with a user's among them.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
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

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {

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
  static SchedulePasses none() {
    SchedulePasses passes;
    passes.rows_.clear();
    return passes;
  }

  std::span<const SchedulePass> rows() const { return rows_; }

  bool contains(std::string_view name) const { return find(name) != rows_.end(); }

  /// The same list without one pass. Errors: UsageError naming those there are.
  SchedulePasses without(std::string_view name) const {
    SchedulePasses passes = *this;
    passes.rows_.erase(passes.rows_.begin() + (require(name) - rows_.begin()));
    return passes;
  }

  /// The same list with another pass behind all of its `after`, and as early as that allows.
  /// Errors: UsageError for a name that is taken, a pass without a function, and one to follow that is not there.
  SchedulePasses with(const SchedulePass& pass) const {
    if (pass.run == nullptr || pass.name.empty()) {
      fail<UsageError>(
          {.where = "schedule passes", .expected = "a name and a function", .got = std::string(pass.name)});
    }
    if (contains(pass.name)) {
      fail<UsageError>({.where = "schedule passes",
                        .expected = "a name that is not one of " + names(),
                        .got = std::string(pass.name)});
    }
    auto at = rows_.begin();
    for (const std::string_view name : pass.after) {
      at = std::max(at, require(name) + 1);
    }
    SchedulePasses passes = *this;
    passes.rows_.insert(passes.rows_.begin() + (at - rows_.begin()), pass);
    return passes;
  }

  void run(Schedule& schedule, const PassContext& context = {}) const {
    for (const SchedulePass& pass : rows_) pass.run(schedule, context);
  }

 private:
  using Rows = std::vector<SchedulePass>;

  Rows::const_iterator find(std::string_view name) const {
    return std::find_if(rows_.begin(), rows_.end(), [&](const SchedulePass& pass) { return pass.name == name; });
  }
  Rows::const_iterator require(std::string_view name) const {
    const auto found = find(name);
    if (found == rows_.end()) {
      fail<UsageError>({.where = "schedule passes", .expected = "one of " + names(), .got = std::string(name)});
    }
    return found;
  }
  std::string names() const {
    std::string text;
    for (const SchedulePass& pass : rows_) text += (text.empty() ? "" : ", ") + std::string(pass.name);
    return text;
  }

  Rows rows_;
};

}  // namespace posemachine::inline POSEMACHINE_BUILD
