// TrainingStep and Validation by hand: the same bytes as a Trainer's, and batches that do not fit.
#include "refusal.hpp"
#include "small_run.hpp"

#include <posemachine/core/error.hpp>
#include <posemachine/core/tensor.hpp>
#include <posemachine/data/damaged_images.hpp>
#include <posemachine/data/loader.hpp>
#include <posemachine/data/person.hpp>
#include <posemachine/inference/evaluate.hpp>
#include <posemachine/model/model.hpp>
#include <posemachine/training/checkpoint.hpp>
#include <posemachine/training/learning_rate.hpp>
#include <posemachine/training/trainer.hpp>
#include <posemachine/training/training_step.hpp>
#include <posemachine/training/validation.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

namespace training_step_test {

using namespace posemachine;
using small_run::set;
using test_environment::contains;
using test_environment::refusal;

namespace {

TrainOptions averaged_options() {
  TrainOptions options = small_run::tiny_options();
  options.average_decay = 0.8;
  options.clip_norm = 0.05;
  return options;
}

// The rate of a Trainer with averaged_options() over its nine steps.
double rate_of(std::int64_t step) {
  const TrainOptions options = averaged_options();
  LearningRate rate;
  rate.base = options.rate;
  rate.schedule = options.schedule;
  rate.warmup_steps = options.warmup_steps;
  rate.total_steps = 9;
  rate.final_fraction = options.final_fraction;
  return rate_at(rate, step);
}

// Some steps by hand, from the loader's batch of the step's own number on.
void take(TrainingStep& step, int count) {
  BatchLoader batches(set().people, step.spec().joints, step.loader_options(), static_cast<std::uint64_t>(step.step()));
  for (int i = 0; i < count; ++i) step(batches.next(), rate_of(step.step()));
}

}  // namespace

TEST_CASE("TrainingStep: a loop by hand gives the weights, moments and average of a Trainer") {
  Trainer trainer(small_run::tiny_model(), set().people, {}, averaged_options());
  REQUIRE(trainer.total_steps() == 9);
  trainer.run({}, [](const TrainEvent&) {});
  TrainingStep step(small_run::tiny_model(), averaged_options());
  take(step, 9);

  CHECK(step.step() == 9);
  CHECK(step.model().to_bytes() == trainer.model().to_bytes());
  CHECK(step.result().to_bytes() == trainer.result().to_bytes());
  CHECK(step.result().to_bytes() != step.model().to_bytes());
  Checkpoint whole = trainer.checkpoint();
  whole.people.clear();
  whole.plateau = {};
  whole.epoch_losses.clear();
  CHECK(checkpoint_to_bytes(step.checkpoint()) == checkpoint_to_bytes(whole));
}

TEST_CASE("TrainingStep: goes on from its checkpoint as if it had never stopped") {
  TrainingStep whole(small_run::tiny_model(), averaged_options());
  take(whole, 5);
  TrainingStep first(small_run::tiny_model(), averaged_options());
  take(first, 2);
  const small_run::Folder folder;
  const std::filesystem::path file = folder / "state.safetensors";
  // docs: begin resume
  save_checkpoint(first.checkpoint(), file);
  TrainingStep second(load_checkpoint(file));  // the bytes after any further step are those of one that never stopped
  // docs: end resume
  CHECK(second.step() == 2);
  take(second, 3);
  CHECK(checkpoint_to_bytes(second.checkpoint()) == checkpoint_to_bytes(whole.checkpoint()));
}

TEST_CASE("TrainingStep: reports losses per output and the norm before clipping, and moves weights by the rate alone") {
  TrainingStep step(small_run::tiny_model(), averaged_options());
  BatchLoader batches(set().people, step.spec().joints, step.loader_options());
  const Batch batch = batches.next();
  const StepResult result = step(batch, 0);
  CHECK(result.losses.size() == 2);
  CHECK(step.stage_losses(result.losses) == result.losses);
  CHECK(step.other_losses(result.losses).empty());
  CHECK(result.gradient_norm > averaged_options().clip_norm);
  CHECK_FALSE(result.skipped);
  CHECK(result.rate_factor == 1);
  const Model start = small_run::tiny_model();
  const Model now = step.model();
  for (std::size_t id = 0; id < start.parameters().size(); ++id) {
    if (start.graph().parameters[id].trainable) {
      CHECK(now.parameters()[id].values == start.parameters()[id].values);
    }
  }
}

TEST_CASE("TrainingStep: a batch of other shapes is refused before anything is read beyond its end") {
  TrainingStep step(small_run::tiny_model(), averaged_options());
  BatchLoader batches(set().people, step.spec().joints, step.loader_options());
  const Batch good = batches.next();

  SUBCASE("targets of another stride") {
    Batch batch = good;
    batch.targets = Tensor({4, 15, 2, 2});
    CHECK(
        contains(refusal<UsageError>([&] { step(batch, 1e-3); }), "batch: expected targets and weights of the output"));
  }
  SUBCASE("targets of fewer joints") {
    Batch batch = good;
    batch.targets = Tensor({4, 14, 4, 4});
    CHECK_THROWS_AS(step(batch, 1e-3), UsageError);
  }
  SUBCASE("weights of fewer samples") {
    Batch batch = good;
    batch.map_weights = Tensor({3, 15});
    CHECK_THROWS_AS(step(batch, 1e-3), UsageError);
  }
  SUBCASE("values that are fewer than the shape says") {
    Batch batch = good;
    batch.targets.values.pop_back();
    CHECK_THROWS_AS(step(batch, 1e-3), UsageError);
  }
  SUBCASE("samples from another place of the step on") {
    Batch batch = good;
    batch.first = 2;
    CHECK_THROWS_AS(step(batch, 1e-3), UsageError);
  }
  SUBCASE("images of another size") {
    Batch batch = good;
    batch.images = Tensor({4, 3, 24, 32});
    CHECK_THROWS_AS(step(batch, 1e-3), UsageError);
  }
  CHECK(step.step() == 0);
  CHECK_NOTHROW(step(good, 1e-3));
}

TEST_CASE("Validation: is what evaluate() says of the model, and needs people") {
  const Model model = small_run::tiny_model();
  const std::vector<Person>& people = set().validation;
  // docs: begin validation
  const Validation validation(model, people, {.threads = 2});
  const ValidationResult result = validation(model);
  const double pck = result.evaluation.pck().mean;
  // docs: end validation
  Estimator estimator(model);
  CHECK(pck == evaluate(estimator, people).pck().mean);
  CHECK(result.evaluation.people == 3);

  const Validation nobody(model, {}, {});
  CHECK(nobody.empty());
  CHECK(contains(refusal<UsageError>([&] { nobody(model); }), "validation: expected people to validate on"));
  const TrainingStep step(model, averaged_options());
  CHECK(validation.constant_pose_score(model, set().people, step.loader_options()).mean >= 0);
  CHECK_THROWS_AS(nobody.constant_pose_score(model, set().people, step.loader_options()), UsageError);
}

}  // namespace training_step_test
