// RateSchedules: the schedules of the learning rate that are known by name.
#pragma once

#include <posemachine/base/named_rows.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/training/schedules/constant.hpp>
#include <posemachine/training/schedules/cosine.hpp>
#include <posemachine/training/schedules/plateau.hpp>
#include <posemachine/training/schedules/polynomial.hpp>
#include <posemachine/training/schedules/rate_schedule.hpp>
#include <posemachine/training/schedules/step.hpp>

#include <initializer_list>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// Schedules by name. The default holds those of the library: RateSchedules{my_schedule} adds one's own.
class RateSchedules : public NamedRows<RateSchedule> {
 public:
  RateSchedules()
      : NamedRows("schedule", "",
                  {constant_schedule, step_schedule, cosine_schedule, plateau_schedule, polynomial_schedule}) {}

  /// Errors: UsageError for a schedule without a factor, or with a name that is empty or another's.
  RateSchedules(std::initializer_list<RateSchedule> own) : RateSchedules() {
    for (const RateSchedule& schedule : own) add(schedule, schedule.factor != nullptr, "a function factor");
  }
};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
