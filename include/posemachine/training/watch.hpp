// Watch: whether a run still gets better, epoch by epoch.
#pragma once

#include <posemachine/base/json.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>

#include <cstdint>
#include <string>

namespace posemachine::inline POSEMACHINE_BUILD {

/// What is remembered of the epochs that were judged.
struct Watch {
  bool judged = false;   // whether any was
  double best = 0;       // the best score of them
  int best_epoch = 0;    // ... and when it was; epochs count from 1
  int lowered_epoch = 0; // when the rate was last lowered for want of a better one
};

/// Takes in the score of an epoch, larger is better; returns whether it is the best so far.
inline bool judge(Watch& watch, int epoch, double score) {
  if (watch.judged && !(score > watch.best)) return false;
  watch.judged = true;
  watch.best = score;
  watch.best_epoch = epoch;
  return true;
}

/// Whether the last `patience` epochs, since the best or since the rate was lowered, brought nothing better; if so, the
/// rate counts as lowered now. Source: PyTorch's ReduceLROnPlateau.
inline bool lower_rate_now(Watch& watch, int epoch, int patience) {
  const int since = watch.best_epoch > watch.lowered_epoch ? watch.best_epoch : watch.lowered_epoch;
  if (!watch.judged || epoch - since < patience) return false;
  watch.lowered_epoch = epoch;
  return true;
}

/// Whether nothing better came in the last `patience` epochs; 0: never.
inline bool has_stalled(const Watch& watch, int epoch, int patience) {
  return patience > 0 && watch.judged && epoch - watch.best_epoch >= patience;
}

inline Json watch_to_json(const Watch& watch) {
  return {{"judged", watch.judged},
          {"best", watch.best},
          {"best_epoch", watch.best_epoch},
          {"lowered_epoch", watch.lowered_epoch}};
}

/// Errors: ModelError naming the field.
inline Watch watch_from_json(const Json& json, const std::string& where) {
  reject_unknown_keys<ModelError>(json, {"judged", "best", "best_epoch", "lowered_epoch"}, where);
  constexpr std::int64_t most = 1 << 30;
  Watch watch;
  watch.judged = boolean_member<ModelError>(json, "judged", where);
  watch.best = number_member<ModelError>(json, "best", where, -1e300, 1e300);
  watch.best_epoch = static_cast<int>(integer_member<ModelError>(json, "best_epoch", where, 0, most));
  watch.lowered_epoch = static_cast<int>(integer_member<ModelError>(json, "lowered_epoch", where, 0, most));
  return watch;
}

}  // namespace posemachine::inline POSEMACHINE_BUILD
