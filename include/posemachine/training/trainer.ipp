// The definitions of training/trainer.hpp.
#pragma once

#include <posemachine/training/trainer.hpp>

#include <posemachine/core/error.hpp>
#include <posemachine/data/image_headers.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/inference/evaluate.hpp>
#include <posemachine/pose/model_spec.hpp>
#include <posemachine/training/people_digest.hpp>

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

// The digest of the people, once options, step and people have been checked: before anything is compiled.
POSEMACHINE_INLINE std::string checked_digest(const Checkpoint& from, const std::vector<Person>& people,
                                              const TrainKinds& kinds) {
  check(from.options, kinds);
  const auto total =
      static_cast<std::int64_t>(steps_per_epoch(people.size(), from.options.batch)) * from.options.epochs;
  if (from.step > total) {
    fail<ModelError>({.where = "checkpoint: step",
                      .expected = "at most " + std::to_string(total) + ", the last of the run",
                      .got = std::to_string(from.step)});
  }
  const std::string digest = people_digest(people);
  if (!from.people.empty() && from.people != digest) {
    fail<UsageError>({.where = "training set",
                      .expected = "the people that the run was started with, in the same order",
                      .got = "others (" + std::to_string(people.size()) + " people)",
                      .remedy = "give the same data sets and labels, or start another run"});
  }
  return digest;
}

}  // namespace detail

POSEMACHINE_INLINE Trainer::Trainer(const Model& model, std::vector<Person> people, std::vector<Person> validation,
                                    const TrainOptions& options, std::shared_ptr<engine::Communicator> ranks,
                                    const TrainKinds& kinds)
    : Trainer(Checkpoint{model, options}, std::move(people), std::move(validation), std::move(ranks), kinds) {}

POSEMACHINE_INLINE Trainer::Trainer(const Checkpoint& from, std::vector<Person> people, std::vector<Person> validation,
                                    std::shared_ptr<engine::Communicator> ranks, const TrainKinds& kinds)
    : people_digest_(detail::checked_digest(from, people, kinds)),
      schedule_(kinds.schedules.get(from.options.schedule, "schedule")),
      ranks_(std::move(ranks)),
      validation_(from.model, std::move(validation),
                  {.threads = from.options.workers, .decoders = kinds.decoders, .damaged = damaged_}),
      training_(from, ranks_, kinds),
      loader_(std::move(people), training_.spec().joints, training_.loader_options(damaged_),
              static_cast<std::uint64_t>(from.step)),
      best_score_(from.best_score),
      epoch_losses_(from.epoch_losses),
      epoch_steps_(from.epoch_steps),
      watch_(from.plateau),
      rate_factor_(from.rate_factor),
      calibration_(from.model.spec().calibration) {
  epoch_losses_.resize(training_.graph().outputs.size(), 0.0);
}

POSEMACHINE_INLINE MetricResult Trainer::constant_pose_score() const {
  return validation_.constant_pose_score(training_.model(), loader_.people(), training_.loader_options(damaged_));
}

POSEMACHINE_INLINE std::size_t Trainer::find_damaged_headers() {
  std::vector<Person> people = loader_.people();
  people.insert(people.end(), validation_.people().begin(), validation_.people().end());
  const ModelSpec& spec = training_.spec();
  const std::size_t count =
      posemachine::find_damaged_headers(people, *damaged_, options().workers, {}, spec.bit_depth, spec.frames);
  const std::vector<Person>& trained = loader_.people();
  const auto is_lost = [&](const Person& person) { return damaged_->contains(person.image); };
  if (std::all_of(trained.begin(), trained.end(), is_lost)) detail::fail_without_photographs(trained.size(), *damaged_);
  return count;
}

POSEMACHINE_INLINE Checkpoint Trainer::checkpoint() const {
  Checkpoint state = training_.checkpoint();
  state.model = state.model.with_calibration(calibration_);
  state.best_score = best_score_;
  state.epoch_losses = epoch_losses_;
  state.epoch_steps = epoch_steps_;
  state.people = people_digest_;
  state.plateau = watch_;
  state.rate_factor = rate_factor_;
  return state;
}

POSEMACHINE_INLINE bool Trainer::run(const std::stop_token& stop, const OnEvent& on_event_of_first) {
  const OnEvent on_event = is_first() ? on_event_of_first : [](const TrainEvent&) {};
  started_ = Clock::now();
  steps_here_ = 0;
  validated_ = waited_ = Clock::duration{};
  if (step() == 0 && !stop_asked(stop)) raise(TrainEvent::Kind::checkpoint, on_event);
  while (step() < total_steps() && !has_stalled_now()) {
    if (stop_asked(stop)) {
      raise(TrainEvent::Kind::checkpoint, on_event);
      raise(TrainEvent::Kind::stopped, on_event);
      return false;
    }
    const StepResult result = take_step();
    TrainEvent event = make_event(TrainEvent::Kind::step);
    event.losses = training_.stage_losses(result.losses);
    event.output_losses = training_.other_losses(result.losses);
    event.gradient_norm = result.gradient_norm;
    event.skipped = result.skipped;
    on_event(event);
    if (step() % steps_per_epoch() == 0) {
      end_epoch(on_event);
    } else if (step() % options().checkpoint_steps == 0) {
      raise(TrainEvent::Kind::checkpoint, on_event);
    }
  }
  raise(TrainEvent::Kind::finished, on_event);
  return true;
}

POSEMACHINE_INLINE std::vector<double> Trainer::train_step() { return training_.stage_losses(take_step().losses); }

POSEMACHINE_INLINE StepResult Trainer::take_step() {
  const auto before = Clock::now();
  const Batch batch = loader_.next();
  waited_ += Clock::now() - before;
  StepResult result = training_(batch, rate_now(step()));
  rate_factor_ *= result.rate_factor;
  if (!result.skipped) {
    ++epoch_steps_;
    for (std::size_t i = 0; i < epoch_losses_.size(); ++i) epoch_losses_[i] += result.losses[i];
  }
  ++steps_here_;
  return result;
}

POSEMACHINE_INLINE bool Trainer::stop_asked(const std::stop_token& stop) const {
  return ranks_ == nullptr ? stop.stop_requested() : engine::any_of_ranks(*ranks_, stop.stop_requested());
}

POSEMACHINE_INLINE LearningRate Trainer::rate() const {
  LearningRate rate;
  rate.base = options().rate;
  rate.schedule = options().schedule;
  rate.warmup_steps = options().warmup_steps;
  rate.total_steps = total_steps();
  rate.final_fraction = options().final_fraction;
  rate.cooldown_steps = options().cooldown_epochs * steps_per_epoch();
  rate.step_size = options().rate_step_epochs * steps_per_epoch();
  rate.step_factor = options().rate_step_factor;
  return rate;
}

POSEMACHINE_INLINE TrainEvent Trainer::make_event(TrainEvent::Kind kind) {
  TrainEvent event;
  event.kind = kind;
  event.step = step();
  event.steps_per_epoch = steps_per_epoch();
  event.epoch = static_cast<int>(step() / steps_per_epoch());
  event.rate = rate_now(step() > 0 ? step() - 1 : 0);
  event.skipped_steps = training_.finite().skipped();
  event.stalled = kind == TrainEvent::Kind::finished && step() < total_steps();
  const std::chrono::duration<double> spent = Clock::now() - started_ - validated_;
  event.images_per_second = spent.count() > 0 ? double(steps_here_) * options().batch / spent.count() : 0;
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
  event.losses = training_.stage_losses(means);
  event.output_losses = training_.other_losses(means);
  epoch_losses_.assign(epoch_losses_.size(), 0.0);
  epoch_steps_ = 0;
  std::optional<ValidationResult> validation;
  const bool due = event.epoch % options().validate_epochs == 0 || step() == total_steps();
  if (due && !validation_.empty() && is_first()) {
    validation = validate();
    calibration_ = validation->calibration;
    event.validation = &validation->evaluation;
    event.estimator = &validation->estimator;
    event.people = validation_.people();
    event.damaged = damaged_.get();
    event.best = validation->evaluation.pck().mean > best_score_;
  }
  if (is_first()) judge_epoch(event);
  share_judgement();
  on_event(event);
  raise(TrainEvent::Kind::checkpoint, on_event);
}

POSEMACHINE_INLINE ValidationResult Trainer::validate() {
  const auto before = Clock::now();
  ValidationResult validation = validation_(training_.result());
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
  if (lower_rate_now(watch_, options().plateau_epochs)) rate_factor_ *= options().rate_step_factor;
}

POSEMACHINE_INLINE void Trainer::share_judgement() {
  if (ranks_ == nullptr) return;
  ranks_->broadcast(0, std::as_writable_bytes(std::span(&best_score_, 1)));
  ranks_->broadcast(0, std::as_writable_bytes(std::span(&rate_factor_, 1)));
  ranks_->broadcast(0, std::as_writable_bytes(std::span(&watch_, 1)));
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
