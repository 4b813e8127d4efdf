// Trainer: a run of training, from the first step to the last; silent, it raises events.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/data/damaged_images.hpp>
#include <posemachine/data/loader.hpp>
#include <posemachine/data/person.hpp>
#include <posemachine/engine/communicator.hpp>
#include <posemachine/model/model.hpp>
#include <posemachine/pose/calibration.hpp>
#include <posemachine/pose/metrics/metric.hpp>
#include <posemachine/training/checkpoint.hpp>
#include <posemachine/training/learning_rate.hpp>
#include <posemachine/training/plateau_monitor.hpp>
#include <posemachine/training/schedules/rate_schedule.hpp>
#include <posemachine/training/train_event.hpp>
#include <posemachine/training/train_kinds.hpp>
#include <posemachine/training/train_options.hpp>
#include <posemachine/training/training_step.hpp>
#include <posemachine/training/validation.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// A run. The same model, people and options give the same bytes after the same step, for any number of workers and of
/// ranks, whether the run was stopped and resumed or not. Each rank has a trainer, made and called as the others' are;
/// it computes its share of every step and has the whole state after it. Rank 0's alone validates and raises events.
class Trainer {
 public:
  using OnEvent = std::function<void(const TrainEvent&)>;

  /// Starts at step 0. `kinds`: what options and model may name. Errors: UsageError for names that are none of these,
  /// for options that do not fit, as BatchLoader and BatchGradients, and for validation people whom evaluate() would
  /// refuse; ModelError for inputs or outputs that cannot be fed or supervised.
  Trainer(const Model& model, std::vector<Person> people, std::vector<Person> validation, const TrainOptions& options,
          std::shared_ptr<engine::Communicator> ranks = nullptr, const TrainKinds& kinds = {});

  /// Goes on from a checkpoint. Errors: as above; UsageError where people are not those of the run; ModelError where
  /// the optimiser's state is not that of the network.
  Trainer(const Checkpoint& from, std::vector<Person> people, std::vector<Person> validation,
          std::shared_ptr<engine::Communicator> ranks = nullptr, const TrainKinds& kinds = {});

  std::int64_t step() const { return training_.step(); }
  std::int64_t steps_per_epoch() const { return static_cast<std::int64_t>(loader_.steps_per_epoch()); }
  std::int64_t total_steps() const { return steps_per_epoch() * options().epochs; }

  /// The model as it is now.
  Model model() const { return training_.model().with_calibration(calibration_); }
  /// The model to use: of averaged weights, where options.average_decay keeps them, its scores calibrated by the latest
  /// validation, where there was one that told enough.
  Model result() const { return training_.result().with_calibration(calibration_); }

  bool has_validation() const { return !validation_.empty(); }
  /// The metric that validation is judged by. Errors: UsageError without people to validate on.
  Metric validation_metric() const { return validation_.metric(training_.spec().joints); }
  /// PCK in validation of the constant pose of the people that are trained on: a network below it has learnt nothing.
  /// Errors: UsageError without people to validate on; DataError for a photograph that cannot be used.
  MetricResult constant_pose_score() const;

  /// Reads the headers of all photographs, of training and of validation, and notes in damaged() what the run would
  /// meet later, with the same consequences. Returns how many photographs there are. Errors: as find_damaged_headers,
  /// so of 8-bit pictures for a 16-bit input, too; DataError where nobody is left to train on.
  std::size_t find_damaged_headers();

  /// The photographs that could not be used so far, in training and in validation: other people stand in for those who
  /// are on them, and validation leaves them out.
  const DamagedImages& damaged() const { return *damaged_; }

  Checkpoint checkpoint() const;

  /// Trains until the run is over: the last epoch is, or options.stop_epochs epochs brought nothing better; returns
  /// false where `stop` was set before, on any rank: that is honoured after the step under way. A run that begins
  /// raises a checkpoint first, so that there is always one to go on from. Better is a higher PCK in validation;
  /// without people to validate on, a lower mean loss of the last stage.
  /// Errors: RuntimeFailure for a loss or gradient that is not finite, where options.on_not_finite says stop or
  /// FiniteGuard::most_skipped_in_a_row steps came one after another, and for a weight that is not finite: every
  /// checkpoint raised before is sound, and the trainer is of no use any more; DataError for an image that cannot be
  /// used; what on_event throws.
  bool run(const std::stop_token& stop, const OnEvent& on_event_of_first);

  /// One step; returns the losses by stage. Errors: UsageError for targets of another output that are not finite.
  std::vector<double> train_step();

 private:
  using Clock = std::chrono::steady_clock;

  bool is_first() const { return ranks_ == nullptr || ranks_->rank() == 0; }

  // A stop that one rank is asked for is one of all: they have to end after the same step.
  bool stop_asked(const std::stop_token& stop) const;

  const TrainOptions& options() const { return training_.options(); }

  LearningRate rate() const;

  double rate_now(std::int64_t step) const { return rate_at(rate(), schedule_, step) * rate_factor_; }

  // One step, whose losses per output are added to the epoch's.
  StepResult take_step();

  TrainEvent make_event(TrainEvent::Kind kind);

  void raise(TrainEvent::Kind kind, const OnEvent& on_event) { on_event(make_event(kind)); }

  bool has_stalled_now() const { return has_stalled(watch_, options().stop_epochs); }

  void end_epoch(const OnEvent& on_event);

  ValidationResult validate();

  // How the run goes on after this epoch: by its score, if it has one.
  void judge_epoch(const TrainEvent& event);

  // Rank 0 alone has people to validate on; all must go on in one way.
  void share_judgement();

  std::string people_digest_;
  RateSchedule schedule_;
  std::shared_ptr<engine::Communicator> ranks_;
  std::shared_ptr<DamagedImages> damaged_ = std::make_shared<DamagedImages>();  // before those who have it
  Validation validation_;
  TrainingStep training_;
  BatchLoader loader_;
  double best_score_ = -1;
  std::vector<double> epoch_losses_;  // per output: sums over the steps so far
  std::int64_t epoch_steps_ = 0;
  PlateauMonitor watch_;
  double rate_factor_ = 1;
  std::optional<Calibration> calibration_;  // by the latest validation
  std::int64_t steps_here_ = 0;
  Clock::time_point started_ = Clock::now();
  Clock::duration validated_{};
  Clock::duration waited_{};
};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/training/trainer.ipp>
#endif
