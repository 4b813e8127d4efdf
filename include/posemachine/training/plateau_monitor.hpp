// PlateauMonitor: whether validation still improves, epoch by epoch.
#pragma once

#include <posemachine/base/json.hpp>
#include <posemachine/core/config.hpp>

#include <string>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// What is remembered of the epochs that were judged; epochs count from 1, 0 is none.
struct PlateauMonitor {
  int judged_epoch = 0;   // the last one
  double best = 0;        // the best score
  int best_epoch = 0;     // ... and when it was
  int lowered_epoch = 0;  // when the rate was last lowered for want of a better one
};

/// Takes in the score of an epoch, larger is better; returns whether it is the best so far.
bool judge(PlateauMonitor& monitor, int epoch, double score);

/// To be asked once an epoch was judged: whether `patience` epochs or more have brought nothing better, since the best
/// or since the rate was lowered; if so, the rate counts as lowered now.
bool lower_rate_now(PlateauMonitor& monitor, int patience);

/// Whether nothing better came in the `patience` epochs up to the last that was judged; 0: never.
bool has_stalled(const PlateauMonitor& monitor, int patience);

Json plateau_monitor_to_json(const PlateauMonitor& monitor);

/// Errors: ModelError naming the field.
PlateauMonitor plateau_monitor_from_json(const Json& json, const std::string& where);

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/training/plateau_monitor.ipp>
#endif
