// The definitions of schedule/schedule_passes.hpp.
#pragma once

#include <posemachine/schedule/schedule_passes.hpp>

#include <posemachine/core/error.hpp>

#include <algorithm>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace schedule {

POSEMACHINE_INLINE SchedulePasses SchedulePasses::none() {
  SchedulePasses passes;
  passes.rows_.clear();
  return passes;
}

POSEMACHINE_INLINE SchedulePasses SchedulePasses::without(std::string_view name) const {
  SchedulePasses passes = *this;
  passes.rows_.erase(passes.rows_.begin() + (require(name) - rows_.begin()));
  return passes;
}

POSEMACHINE_INLINE SchedulePasses SchedulePasses::with(const SchedulePass& pass) const {
  if (pass.run == nullptr || pass.name.empty()) {
    fail<UsageError>({.where = "schedule passes", .expected = "a name and a function", .got = std::string(pass.name)});
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

POSEMACHINE_INLINE void SchedulePasses::run(Schedule& schedule, const PassContext& context) const {
  for (const SchedulePass& pass : rows_) pass.run(schedule, context);
}

POSEMACHINE_INLINE SchedulePasses::Rows::const_iterator SchedulePasses::find(std::string_view name) const {
  return std::find_if(rows_.begin(), rows_.end(), [&](const SchedulePass& pass) { return pass.name == name; });
}

POSEMACHINE_INLINE SchedulePasses::Rows::const_iterator SchedulePasses::require(std::string_view name) const {
  const auto found = find(name);
  if (found == rows_.end()) {
    fail<UsageError>({.where = "schedule passes", .expected = "one of " + names(), .got = std::string(name)});
  }
  return found;
}

POSEMACHINE_INLINE std::string SchedulePasses::names() const {
  std::string text;
  for (const SchedulePass& pass : rows_) text += (text.empty() ? "" : ", ") + std::string(pass.name);
  return text;
}

}  // namespace schedule
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
