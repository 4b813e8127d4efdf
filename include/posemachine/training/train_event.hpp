// TrainEvent: what a trainer says of itself.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/inference/evaluate.hpp>
#include <posemachine/training/checkpoint.hpp>

#include <cstdint>
#include <functional>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {

/// What happened in a run.
struct TrainEvent {
  enum class Kind {
    step,        // a step is done
    checkpoint,  // `checkpoint` should be kept: the run can go on from it
    epoch,       // an epoch is over; `validation` where it was validated
    stopped,     // the stop token was set; a checkpoint came before
    finished     // the last epoch is over
  };
  Kind kind = Kind::step;
  std::int64_t step = 0;                 // steps done
  std::int64_t steps_per_epoch = 1;
  int epoch = 0;                         // epochs done
  std::vector<double> losses;            // by stage: of the step, or the mean over the epoch
  double rate = 0;
  double images_per_second = 0;          // since run() was called; validation not counted
  double loader_wait = 0;                // share of that time spent waiting for data, 0 to 1
  const EvaluationResult* validation = nullptr;
  bool best = false;                     // epoch: the best validation so far
  std::function<Checkpoint()> checkpoint;  // checkpoint, epoch, stopped, finished: the state, made when asked for
};

}  // namespace posemachine::inline POSEMACHINE_BUILD
