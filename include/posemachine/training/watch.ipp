// The definitions of training/watch.hpp.
#pragma once

#include <posemachine/training/watch.hpp>

#include <posemachine/core/error.hpp>

#include <cstdint>

namespace posemachine::inline POSEMACHINE_BUILD {

POSEMACHINE_INLINE bool judge(Watch& watch, int epoch, double score) {
  const bool first = watch.judged_epoch == 0;
  watch.judged_epoch = epoch;
  if (!first && !(score > watch.best)) return false;
  watch.best = score;
  watch.best_epoch = epoch;
  return true;
}

POSEMACHINE_INLINE bool lower_rate_now(Watch& watch, int patience) {
  const int since = watch.best_epoch > watch.lowered_epoch ? watch.best_epoch : watch.lowered_epoch;
  if (watch.judged_epoch == 0 || watch.judged_epoch - since < patience) return false;
  watch.lowered_epoch = watch.judged_epoch;
  return true;
}

POSEMACHINE_INLINE bool has_stalled(const Watch& watch, int patience) {
  return patience > 0 && watch.judged_epoch - watch.best_epoch >= patience;
}

POSEMACHINE_INLINE Json watch_to_json(const Watch& watch) {
  return {{"judged_epoch", watch.judged_epoch},
          {"best", watch.best},
          {"best_epoch", watch.best_epoch},
          {"lowered_epoch", watch.lowered_epoch}};
}

POSEMACHINE_INLINE Watch watch_from_json(const Json& json, const std::string& where) {
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
