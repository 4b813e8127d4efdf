// TrainKinds: what a run's options and its model may name, the library's and a user's own.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/pose/decoders/decoders.hpp>
#include <posemachine/training/losses/losses.hpp>
#include <posemachine/training/optimizers/optimizers.hpp>
#include <posemachine/training/output_roles.hpp>
#include <posemachine/training/schedules/schedules.hpp>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// TrainKinds{.losses = {my_loss}}: a trainer that knows one loss more.
struct TrainKinds {
  LossKinds losses{};
  OptimizerKinds optimizers{};
  RateSchedules schedules{};
  DecoderKinds decoders{};  // of validation
  OutputRoles roles{};      // of outputs besides the heatmaps
};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
