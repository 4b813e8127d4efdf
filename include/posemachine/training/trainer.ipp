// The definitions of training/trainer.hpp.
#pragma once

#include <posemachine/training/trainer.hpp>

#include <posemachine/core/geometry.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/inference/estimate.hpp>
#include <posemachine/model/meaning.hpp>

#include <posemachine/core/error.hpp>
#include <posemachine/data/image_headers.hpp>
#include <posemachine/graph/queries.hpp>
#include <posemachine/inference/calibrate.hpp>
#include <posemachine/pose/metrics/pck.hpp>
#include <posemachine/pose/targets.hpp>
#include <posemachine/training/constant_pose.hpp>
#include <posemachine/training/gradient_norm.hpp>
#include <posemachine/training/people_digest.hpp>
#include <posemachine/training/trainer_setup.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <utility>

namespace posemachine::inline POSEMACHINE_BUILD {

POSEMACHINE_INLINE Trainer::Trainer(const Model& model, std::vector<Person> people, std::vector<Person> validation,
                                    const TrainOptions& options, std::shared_ptr<Ranks> ranks, const TrainKinds& kinds)
    : Trainer(Checkpoint{model, options}, std::move(people), std::move(validation), std::move(ranks), kinds) {}

POSEMACHINE_INLINE Trainer::Trainer(const Checkpoint& from, std::vector<Person> people, std::vector<Person> validation,
                                    std::shared_ptr<Ranks> ranks, const TrainKinds& kinds)
    : model_(detail::checked(from, people, validation, kinds).with_calibration({})),
      options_(detail::resolved(model_, from.options)),
      supervision_(supervise(model_, options_, kinds)),
      schedule_(kinds.schedules.get(options_.schedule, "schedule")),
      decoders_(kinds.decoders),
      ranks_(std::move(ranks)),
      step_(from.step),
      best_score_(from.best_score),
      people_digest_(people_digest(people)),
      parameters_(std::make_shared<std::vector<Tensor>>(from.model.parameters())),
      gradients_(detail::supervised_graph(model_, supervision_), parameters_,
                 detail::gradient_options(model_, options_, ranks_)),
      optimizer_(model_.graph(), options_.optimizer, options_.groups, kinds.optimizers),
      average_(options_.average_decay, *parameters_),
      loader_(std::move(people), model_.meaning().joints,
              detail::loader_options(model_, options_, gradients_.share(), damaged_, supervision_.targets),
              static_cast<std::uint64_t>(from.step)),
      validation_(std::move(validation)),
      epoch_losses_(from.epoch_losses),
      epoch_steps_(from.epoch_steps),
      watch_(from.watch),
      rate_factor_(from.rate_factor),
      finite_(model_.graph(), options_.on_not_finite, from.skipped, from.skipped_in_a_row),
      optimizer_start_(from.optimizer_start),
      calibration_(from.model.meaning().calibration) {
  if (step_ > total_steps()) {
    fail<ModelError>({.where = "checkpoint: step",
                      .expected = "at most " + std::to_string(total_steps()) + ", the last of the run",
                      .got = std::to_string(step_)});
  }
  const bool begins = from.moments.empty() && from.optimizer_start == from.updates();
  if (!begins) optimizer_.restore(from.moments);
  if (step_ > 0 || !from.average.empty()) average_.restore(from.average);
  epoch_losses_.resize(model_.graph().outputs.size(), 0.0);
  fill_centres();
}

POSEMACHINE_INLINE Model Trainer::result() const {
  return average_.is_kept() ? model_.with_parameters(average_.tensors()).with_calibration(calibration_) : model();
}

POSEMACHINE_INLINE MetricResult Trainer::constant_pose_score() const {
  const Meaning& meaning = model_.meaning();
  if (validation_.empty()) {
    fail<UsageError>({.where = "constant pose", .expected = "people to validate on", .got = "none"});
  }
  const LoaderOptions options = detail::loader_options(model_, options_, gradients_.share(), damaged_);
  const std::vector<Keypoint> pose = constant_pose(loader_.people(), meaning.joints, options);
  const Metric metric = pck_kind.make({"pck", {}, ""}, meaning.joints);
  return measure_constant_pose(pose, validation_, metric, meaning.crop, options.input, damaged_, meaning.frames);
}

POSEMACHINE_INLINE std::size_t Trainer::find_damaged_headers() {
  std::vector<Person> people = loader_.people();
  people.insert(people.end(), validation_.begin(), validation_.end());
  const Meaning& meaning = model_.meaning();
  return posemachine::find_damaged_headers(people, *damaged_, options_.workers, {}, meaning.bit_depth, meaning.frames);
}

POSEMACHINE_INLINE Checkpoint Trainer::checkpoint() const {
  return {.model = model(),
          .options = options_,
          .step = step_,
          .best_score = best_score_,
          .moments = optimizer_.state(),
          .epoch_losses = epoch_losses_,
          .epoch_steps = epoch_steps_,
          .people = people_digest_,
          .average = average_.tensors(),
          .watch = watch_,
          .rate_factor = rate_factor_,
          .skipped = finite_.skipped(),
          .skipped_in_a_row = finite_.skipped_in_a_row(),
          .optimizer_start = optimizer_start_};
}

POSEMACHINE_INLINE bool Trainer::run(const std::stop_token& stop, const OnEvent& on_event_of_first) {
  const OnEvent on_event = is_first() ? on_event_of_first : [](const TrainEvent&) {};
  started_ = Clock::now();
  steps_here_ = 0;
  validated_ = waited_ = Clock::duration{};
  if (step_ == 0 && !stop_asked(stop)) raise(TrainEvent::Kind::checkpoint, on_event);
  while (step_ < total_steps() && !has_stalled_now()) {
    if (stop_asked(stop)) {
      raise(TrainEvent::Kind::checkpoint, on_event);
      raise(TrainEvent::Kind::stopped, on_event);
      return false;
    }
    const std::vector<double> losses = train_step();
    TrainEvent event = make_event(TrainEvent::Kind::step);
    event.losses = losses;
    event.output_losses = other_losses(step_losses_);
    event.gradient_norm = gradient_norm_;
    event.skipped = finite_.skipped_in_a_row() > 0;
    on_event(event);
    if (step_ % steps_per_epoch() == 0) {
      end_epoch(on_event);
    } else if (step_ % options_.checkpoint_steps == 0) {
      raise(TrainEvent::Kind::checkpoint, on_event);
    }
  }
  raise(TrainEvent::Kind::finished, on_event);
  return true;
}

POSEMACHINE_INLINE std::vector<double> Trainer::train_step() {
  const auto before = Clock::now();
  const Batch batch = loader_.next();
  finite_.keep_statistics(*parameters_);
  waited_ += Clock::now() - before;
  const std::vector<double> total = compute_losses(batch);
  gradient_norm_ = gradient_norm(gradients_.gradients(), optimizer_.updated(), gradients_.workers());
  const StepNumbers numbers{total, gradients_.gradients(), gradient_norm_};
  if (FiniteGuard::accepts(numbers)) {
    clip_gradients(gradients_.gradients(), gradient_norm_, most_norm(), gradients_.workers());
    const std::int64_t updates = step_ - finite_.skipped();  // so far: what was skipped counts for nothing
    optimizer_.update(*parameters_, gradients_.gradients(), rate_now(step_), updates - optimizer_start_,
                      gradients_.workers());
    finite_.require_finite_state(*parameters_, optimizer_, step_);
    average_.update(*parameters_, updates, gradients_.workers());
    finite_.count_taken();
    ++epoch_steps_;
    for (std::size_t output = 0; output < total.size(); ++output) epoch_losses_[output] += total[output];
  } else {
    rate_factor_ *= finite_.skip(numbers, *parameters_, step_);
  }
  ++step_;
  ++steps_here_;
  step_losses_ = total;
  return stage_losses(total);
}

POSEMACHINE_INLINE bool Trainer::stop_asked(const std::stop_token& stop) const {
  return ranks_ == nullptr ? stop.stop_requested() : any_of_ranks(*ranks_, stop.stop_requested());
}

POSEMACHINE_INLINE std::string_view Trainer::image_input() const {
  for (const InputMeaning& input : model_.meaning().inputs) {
    if (input.role == InputRole::image) return input.name;
  }
  return {};  // refused by detail::checked()
}

POSEMACHINE_INLINE std::vector<double> Trainer::compute_losses(const Batch& batch) {
  const std::size_t outputs = supervision_.outputs.size();
  std::vector<double> losses(static_cast<std::size_t>(gradients_.slice_count()) * outputs, 0.0);
  gradients_.compute(
      image_input(), batch.images.values,
      [&](const SliceView& view) {
        for (std::size_t place = 0; place < outputs; ++place) {
          losses[static_cast<std::size_t>(view.index) * outputs + place] =
              compute_loss(supervision_.outputs[place], place, batch, view, options_.batch);
        }
      },
      options_.seed, static_cast<std::uint64_t>(step_));
  if (ranks_ != nullptr) exchange(*ranks_, std::span<double>(losses), gradients_.slice_count());
  std::vector<double> total(outputs, 0.0);
  for (std::size_t i = 0; i < losses.size(); ++i) total[i % outputs] += losses[i];  // slices in order
  return total;
}

POSEMACHINE_INLINE std::vector<double> Trainer::stage_losses(const std::vector<double>& by_output) const {
  std::vector<double> losses;
  for (const std::size_t place : supervision_.places(true)) losses.push_back(by_output[place]);
  return losses;
}

POSEMACHINE_INLINE std::vector<OutputLoss> Trainer::other_losses(const std::vector<double>& by_output) const {
  std::vector<OutputLoss> losses;
  for (const std::size_t place : supervision_.places(false)) {
    const SupervisedOutput& output = supervision_.outputs[place];
    if (output.targets) losses.push_back({output.name, by_output[place]});
  }
  return losses;
}

POSEMACHINE_INLINE void Trainer::fill_centres() {
  const Size input{model_.meaning().input_height, model_.meaning().input_width};
  const std::size_t plane = std::size_t(input.height) * std::size_t(input.width);
  for (const InputMeaning& port : model_.meaning().inputs) {
    if (port.role != InputRole::centre_gaussian) continue;
    for (const auto& execution : gradients_.executions()) {
      const std::span<float> maps = execution->input(port.name);
      for (std::size_t i = 0; i < maps.size(); i += plane)
        render_centre_gaussian(input, port.sigma_px, maps.data() + i);
    }
  }
}

POSEMACHINE_INLINE LearningRate Trainer::rate() const {
  LearningRate rate;
  rate.base = options_.rate;
  rate.schedule = options_.schedule;
  rate.warmup_steps = options_.warmup_steps;
  rate.total_steps = total_steps();
  rate.final_fraction = options_.final_fraction;
  rate.cooldown_steps = options_.cooldown_epochs * steps_per_epoch();
  rate.step_size = options_.rate_step_epochs * steps_per_epoch();
  rate.step_factor = options_.rate_step_factor;
  return rate;
}

POSEMACHINE_INLINE double Trainer::most_norm() const {
  return options_.clip_norm > 0 ? options_.clip_norm : std::numeric_limits<double>::infinity();
}

POSEMACHINE_INLINE TrainEvent Trainer::make_event(TrainEvent::Kind kind) {
  TrainEvent event;
  event.kind = kind;
  event.step = step_;
  event.steps_per_epoch = steps_per_epoch();
  event.epoch = static_cast<int>(step_ / steps_per_epoch());
  event.rate = rate_now(step_ > 0 ? step_ - 1 : 0);
  event.skipped_steps = finite_.skipped();
  event.stalled = kind == TrainEvent::Kind::finished && step_ < total_steps();
  const std::chrono::duration<double> spent = Clock::now() - started_ - validated_;
  event.images_per_second = spent.count() > 0 ? double(steps_here_) * options_.batch / spent.count() : 0;
  event.loader_wait = spent.count() > 0 ? std::chrono::duration<double>(waited_).count() / spent.count() : 0;
  if (kind != TrainEvent::Kind::step) {
    event.checkpoint = [this] { return checkpoint(); };
    event.result = [this] { return result(); };
  }
  return event;
}

POSEMACHINE_INLINE void Trainer::end_epoch(const OnEvent& on_event) {
  TrainEvent event = make_event(TrainEvent::Kind::epoch);
  std::vector<double> means = epoch_losses_;  // of an epoch that was skipped as a whole: not numbers
  for (double& loss : means) loss /= static_cast<double>(epoch_steps_);
  event.losses = stage_losses(means);
  event.output_losses = other_losses(means);
  epoch_losses_.assign(epoch_losses_.size(), 0.0);
  epoch_steps_ = 0;
  std::optional<Estimator> estimator;
  std::optional<EvaluationResult> validation;
  const bool due = event.epoch % options_.validate_epochs == 0 || step_ == total_steps();
  if (due && !validation_.empty() && is_first()) {
    estimator.emplace(result().with_calibration({}), EstimatorOptions{.decoder = decoders_.of(model_.meaning())});
    validation = validate(*estimator);
    calibration_ = calibrate(*validation, model_.meaning().joints);
    event.validation = &*validation;
    event.estimator = &*estimator;
    event.people = validation_;
    event.damaged = damaged_.get();
    event.best = validation->pck().mean > best_score_;
  }
  if (is_first()) judge_epoch(event);
  share_judgement();
  on_event(event);
  raise(TrainEvent::Kind::checkpoint, on_event);
}

POSEMACHINE_INLINE EvaluationResult Trainer::validate(const Estimator& estimator) {
  const auto before = Clock::now();
  EvaluateOptions options;
  options.threads = options_.workers;
  options.damaged = damaged_;
  EvaluationResult validation = evaluate(estimator, validation_, options);
  validated_ += Clock::now() - before;
  return validation;
}

POSEMACHINE_INLINE void Trainer::judge_epoch(const TrainEvent& event) {
  double score = -event.losses.back();
  if (event.validation != nullptr) {
    score = event.validation->pck().mean;
    if (std::isfinite(score)) best_score_ = std::max(best_score_, score);
  } else if (!validation_.empty()) {
    return;
  }
  if (!std::isfinite(score)) return;  // of photographs that are all damaged, or an epoch skipped as a whole
  judge(watch_, event.epoch, score);
  if (!schedule_.lowers_at_plateau) return;
  if (lower_rate_now(watch_, options_.plateau_epochs)) rate_factor_ *= options_.rate_step_factor;
}

POSEMACHINE_INLINE void Trainer::share_judgement() {
  if (ranks_ == nullptr) return;
  ranks_->broadcast(0, std::as_writable_bytes(std::span(&best_score_, 1)));
  ranks_->broadcast(0, std::as_writable_bytes(std::span(&rate_factor_, 1)));
  ranks_->broadcast(0, std::as_writable_bytes(std::span(&watch_, 1)));
}

}  // namespace posemachine::inline POSEMACHINE_BUILD
