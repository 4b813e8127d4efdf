// TrainEvent: what a trainer says of itself.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/data/damaged_images.hpp>
#include <posemachine/data/person.hpp>
#include <posemachine/inference/estimator.hpp>
#include <posemachine/inference/evaluate.hpp>
#include <posemachine/model/model.hpp>
#include <posemachine/training/checkpoint.hpp>

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// The loss of an output besides the heatmaps, without its weight.
struct OutputLoss {
  std::string name;
  double value = 0;
};

/// What happened in a run.
struct TrainEvent {
  enum class Kind {
    step,        // a step is done
    checkpoint,  // `checkpoint` should be kept: the run can go on from it
    epoch,       // an epoch is over; `validation` where it was validated
    stopped,     // the stop token was set; a checkpoint came before
    finished     // the last epoch is over, or the run has stalled
  };
  Kind kind = Kind::step;
  std::int64_t step = 0;  // steps done
  std::int64_t steps_per_epoch = 1;
  int epoch = 0;                          // epochs done
  std::vector<double> losses;             // by stage: of the step, or the mean over the epoch's steps but skipped ones
  std::vector<OutputLoss> output_losses;  // likewise, of outputs besides the heatmaps
  double rate = 0;                        // of the last step
  double gradient_norm = 0;               // step: the length of the gradient, before it was cut
  bool skipped = false;                   // step: it was not finite and changed nothing
  std::int64_t skipped_steps = 0;         // since the run began
  bool stalled = false;                   // finished: before the last epoch, for want of a better one
  double images_per_second = 0;           // since run() was called; evaluate() not counted, what on_event does is
  double loader_wait = 0;                 // share of that time spent waiting for data, 0 to 1
  const EvaluationResult* validation = nullptr;
  bool best = false;  // epoch: the best validation so far
  // Of validation, where there was one: the network that was validated, and the people it was validated on.
  Estimator* estimator = nullptr;
  std::span<const Person> people;
  const DamagedImages* damaged = nullptr;  // whose photographs among them cannot be used
  // checkpoint, epoch, stopped, finished: made when asked for.
  std::function<Checkpoint()> checkpoint;  // the state
  std::function<Model()> result;           // the network as it is to be used: of averaged weights, where they are kept
};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
