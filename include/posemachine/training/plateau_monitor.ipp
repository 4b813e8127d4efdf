// The definitions of training/plateau_monitor.hpp.
#pragma once

#include <posemachine/training/plateau_monitor.hpp>

#include <posemachine/core/error.hpp>

#include <cstdint>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

POSEMACHINE_INLINE bool judge(PlateauMonitor& monitor, int epoch, double score) {
  const bool first = monitor.judged_epoch == 0;
  monitor.judged_epoch = epoch;
  if (!first && !(score > monitor.best)) return false;
  monitor.best = score;
  monitor.best_epoch = epoch;
  return true;
}

POSEMACHINE_INLINE bool lower_rate_now(PlateauMonitor& monitor, int patience) {
  const int since = monitor.best_epoch > monitor.lowered_epoch ? monitor.best_epoch : monitor.lowered_epoch;
  if (monitor.judged_epoch == 0 || monitor.judged_epoch - since < patience) return false;
  monitor.lowered_epoch = monitor.judged_epoch;
  return true;
}

POSEMACHINE_INLINE bool has_stalled(const PlateauMonitor& monitor, int patience) {
  return patience > 0 && monitor.judged_epoch - monitor.best_epoch >= patience;
}

POSEMACHINE_INLINE Json plateau_monitor_to_json(const PlateauMonitor& monitor) {
  return {{"judged_epoch", monitor.judged_epoch},
          {"best", monitor.best},
          {"best_epoch", monitor.best_epoch},
          {"lowered_epoch", monitor.lowered_epoch}};
}

POSEMACHINE_INLINE PlateauMonitor plateau_monitor_from_json(const Json& json, const std::string& where) {
  reject_unknown_keys<ModelError>(json, {"judged_epoch", "best", "best_epoch", "lowered_epoch"}, where);
  constexpr std::int64_t most = 1 << 30;
  PlateauMonitor monitor;
  monitor.judged_epoch = static_cast<int>(integer_member<ModelError>(json, "judged_epoch", where, 0, most));
  monitor.best = number_member<ModelError>(json, "best", where, -1e300, 1e300);
  monitor.best_epoch = static_cast<int>(integer_member<ModelError>(json, "best_epoch", where, 0, most));
  monitor.lowered_epoch = static_cast<int>(integer_member<ModelError>(json, "lowered_epoch", where, 0, most));
  return monitor;
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
