// Watch: whether a run still gets better, epoch by epoch.
#pragma once

#include <posemachine/base/json.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>

#include <cstdint>
#include <string>

namespace posemachine::inline POSEMACHINE_BUILD {

/// What is remembered of the epochs that were judged; epochs count from 1, 0 is none.
struct Watch {
  int judged_epoch = 0;   // the last one
  double best = 0;        // the best score
  int best_epoch = 0;     // ... and when it was
  int lowered_epoch = 0;  // when the rate was last lowered for want of a better one
};

/// Takes in the score of an epoch, larger is better; returns whether it is the best so far.
inline bool judge(Watch& watch, int epoch, double score) {
  const bool first = watch.judged_epoch == 0;
  watch.judged_epoch = epoch;
  if (!first && !(score > watch.best)) return false;
  watch.best = score;
  watch.best_epoch = epoch;
  return true;
}

/// To be asked once an epoch was judged: whether `patience` epochs or more have brought nothing better, since the best
/// or since the rate was lowered; if so, the rate counts as lowered now.
inline bool lower_rate_now(Watch& watch, int patience) {
  const int since = watch.best_epoch > watch.lowered_epoch ? watch.best_epoch : watch.lowered_epoch;
  if (watch.judged_epoch == 0 || watch.judged_epoch - since < patience) return false;
  watch.lowered_epoch = watch.judged_epoch;
  return true;
}

/// Whether nothing better came in the `patience` epochs up to the last that was judged; 0: never.
inline bool has_stalled(const Watch& watch, int patience) {
  return patience > 0 && watch.judged_epoch - watch.best_epoch >= patience;
}

inline Json watch_to_json(const Watch& watch) {
  return {{"judged_epoch", watch.judged_epoch},
          {"best", watch.best},
          {"best_epoch", watch.best_epoch},
          {"lowered_epoch", watch.lowered_epoch}};
}

/// Errors: ModelError naming the field.
inline Watch watch_from_json(const Json& json, const std::string& where) {
  reject_unknown_keys<ModelError>(json, {"judged_epoch", "best", "best_epoch", "lowered_epoch"}, where);
  constexpr std::int64_t most = 1 << 30;
  Watch watch;
  watch.judged_epoch = static_cast<int>(integer_member<ModelError>(json, "judged_epoch", where, 0, most));
  watch.best = number_member<ModelError>(json, "best", where, -1e300, 1e300);
  watch.best_epoch = static_cast<int>(integer_member<ModelError>(json, "best_epoch", where, 0, most));
  watch.lowered_epoch = static_cast<int>(integer_member<ModelError>(json, "lowered_epoch", where, 0, most));
  return watch;
}

}  // namespace posemachine::inline POSEMACHINE_BUILD
