// TrainingStep: one step of gradient descent, with everything that lasts from one step to the next.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/tensor.hpp>
#include <posemachine/data/damaged_images.hpp>
#include <posemachine/data/loader.hpp>
#include <posemachine/engine/batch_gradients.hpp>
#include <posemachine/engine/communicator.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/model/model.hpp>
#include <posemachine/pose/model_spec.hpp>
#include <posemachine/training/checkpoint.hpp>
#include <posemachine/training/finite_guard.hpp>
#include <posemachine/training/optimizer.hpp>
#include <posemachine/training/supervision.hpp>
#include <posemachine/training/train_event.hpp>
#include <posemachine/training/train_kinds.hpp>
#include <posemachine/training/train_options.hpp>
#include <posemachine/training/weight_average.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// The outcome of a step.
struct StepResult {
  std::vector<double> losses;  // per output of the graph, without their weights
  double gradient_norm = 0;    // before it was clipped
  bool skipped = false;        // its numbers were not finite: nothing was changed
  double rate_factor = 1;      // for the rates of all later steps; other than 1 after a step that was skipped
};

/// Forward, losses, backward, clipping, the optimiser's update and the weights' average. Knows neither where batches
/// come from nor which rate is next: a Trainer does, and so does whoever trains by hand:
///
///     TrainingStep step(model, options);
///     BatchLoader batches(people, model.spec().joints, step.loader_options());
///     for (int i = 0; i < 1000; ++i) step(batches.next(), 1e-3);
///     step.result().save("pose.safetensors");
///
/// The same model, options, batches and rates give the same bytes for any number of workers and of ranks. Used by one
/// thread; stays where it was made.
class TrainingStep {
 public:
  /// Starts at step 0. Of the options it takes all but those that name an epoch, the rate or its schedule.
  /// Errors: UsageError for names that are none of `kinds` and for options that do not fit, as BatchGradients;
  /// ModelError for inputs or outputs that cannot be fed or supervised.
  explicit TrainingStep(const Model& model, const TrainOptions& options = {},
                        std::shared_ptr<engine::Communicator> ranks = nullptr, const TrainKinds& kinds = {});

  /// Goes on from a checkpoint. Errors: as above; ModelError where the optimiser's state is not that of the network.
  explicit TrainingStep(const Checkpoint& from, std::shared_ptr<engine::Communicator> ranks = nullptr,
                        const TrainKinds& kinds = {});

  TrainingStep(const TrainingStep&) = delete;
  TrainingStep& operator=(const TrainingStep&) = delete;

  /// One step at this rate. Shapes: of loader_options(); with ranks those samples alone that are this rank's.
  /// Errors: UsageError for a batch of other shapes, and for targets of an output that are not finite; RuntimeFailure
  /// as FiniteGuard, and where a rank cannot be reached.
  StepResult operator()(const Batch& batch, double rate);

  /// Steps done, skipped ones included.
  std::int64_t step() const { return step_; }
  /// As given, with the slice that was chosen for 0.
  const TrainOptions& options() const { return options_; }
  const Graph& graph() const { return model_.graph(); }
  const ModelSpec& spec() const { return model_.spec(); }
  const FiniteGuard& finite() const { return finite_; }

  /// Of a loader whose batches fit. `damaged`: as LoaderOptions has it.
  LoaderOptions loader_options(std::shared_ptr<DamagedImages> damaged = nullptr) const;

  /// The model with its weights as they are now, and without a calibration.
  Model model() const { return model_.with_parameters(*parameters_); }
  /// The same with averaged weights, where options().average_decay keeps them.
  Model result() const { return average_.is_kept() ? model_.with_parameters(average_.tensors()) : model(); }

  /// The losses of heatmaps, stage by stage, among those per output.
  std::vector<double> stage_losses(const std::vector<double>& by_output) const;
  /// Those of other outputs that are trained.
  std::vector<OutputLoss> other_losses(const std::vector<double>& by_output) const;

  /// A state to go on from, as far as it is the step's: without epochs, scores, people and calibration.
  Checkpoint checkpoint() const;

 private:
  // Forward and backward: the losses per output, without their weights; gradients_ has the gradients.
  std::vector<double> compute_losses(const Batch& batch);

  // Centre maps never change: filled once in every worker's execution, for each image of a slice.
  void fill_centres();

  Model model_;  // of the start: graph and spec
  TrainOptions options_;
  Supervision supervision_;
  std::string image_input_;
  std::shared_ptr<engine::Communicator> ranks_;
  std::int64_t step_ = 0;
  std::shared_ptr<std::vector<Tensor>> parameters_;
  engine::BatchGradients gradients_;
  Optimizer optimizer_;
  WeightAverage average_;
  FiniteGuard finite_;
  std::int64_t optimizer_start_ = 0;  // updates before the optimiser began from nothing
};

namespace detail {

// Of a loader of the samples of a share of the slices, for targets of heatmaps and of `outputs`.
LoaderOptions loader_options(const Model& model, const TrainOptions& options, const engine::BlockPartition& slices,
                             std::shared_ptr<DamagedImages> damaged, std::vector<OutputTargets> outputs = {});

// Refuses what would otherwise be found after an hour, or read beyond its end.
void check_trainable(const Model& model, const TrainOptions& options, const TrainKinds& kinds);

}  // namespace detail

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/training/training_step.ipp>
#endif
