// A loss, an optimiser, a schedule and a decoder of a user's own: trained with, stored by name, resumed, evaluated.
#include "small_run.hpp"

#include <posemachine/base/json.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/core/image.hpp>
#include <posemachine/data/image_io.hpp>
#include <posemachine/inference/estimator.hpp>
#include <posemachine/inference/evaluate.hpp>
#include <posemachine/model/model.hpp>
#include <posemachine/pose/decoders/decoder_kind.hpp>
#include <posemachine/training/checkpoint.hpp>
#include <posemachine/training/losses/losses.hpp>
#include <posemachine/training/optimizers/optimizers.hpp>
#include <posemachine/training/run_folder.hpp>
#include <posemachine/training/schedules/schedules.hpp>
#include <posemachine/training/train_kinds.hpp>
#include <posemachine/training/trainer.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace own_rows_test {

namespace pm = posemachine;

namespace {

// docs: begin loss
// Maps that are too low cost twice as much as maps that are too high: a joint that is missed, more than a false one.
double compute_lopsided(const pm::LossInput& of, std::span<float> gradient) {
  double total = 0;
  for (std::size_t i = 0; i < of.maps.size(); ++i) {
    const float difference = of.maps[i] - of.targets[i];
    const float weight = of.weights[i / of.cells] * (difference < 0 ? 2.0f : 1.0f) / static_cast<float>(of.batch);
    gradient[i] = weight * difference;
    total += 0.5 * weight * difference * difference;
  }
  return total;
}

constexpr pm::LossKind lopsided_loss{
    .name = "lopsided", .does = "squared differences, twice where maps are too low", .compute = compute_lopsided};
// docs: end loss

// docs: begin optimizer
// Chen et al. 2023, Symbolic discovery of optimization algorithms: every weight moves by the rate, or not at all.
void update_lion(const pm::ParameterUpdate& of, const pm::OptimizerOptions& options) {
  const auto b1 = static_cast<float>(options.beta1), b2 = static_cast<float>(options.beta2);
  const auto rate = static_cast<float>(of.rate), decay = static_cast<float>(of.decay);
  const std::span<float> momentum = of.state[0];
  for (std::size_t i = 0; i < of.weights.size(); ++i) {
    const float blend = b1 * momentum[i] + (1 - b1) * of.gradient[i];
    const float sign = blend > 0 ? 1.0f : blend < 0 ? -1.0f : 0.0f;
    of.weights[i] -= rate * (sign + decay * of.weights[i]);
    momentum[i] = b2 * momentum[i] + (1 - b2) * of.gradient[i];
  }
}

constexpr pm::OptimizerKind lion_optimizer{
    .name = "lion",
    .does = "the sign of a momentum: half of AdamW's memory",
    .state = [](const pm::OptimizerOptions&) -> std::vector<std::string> { return {"momentum"}; },
    .update = update_lion};
// docs: end optimizer

// docs: begin schedule
constexpr pm::RateSchedule triangle_schedule{.name = "triangle",
                                             .does = "up to the middle of the run, and down again",
                                             .factor = [](const pm::LearningRate& options, std::int64_t step) {
                                               const auto middle = static_cast<double>(options.total_steps) / 2;
                                               return 1 - std::abs(static_cast<double>(step) - middle) / middle;
                                             }};
// docs: end schedule

// docs: begin decoder
// Where the parabola through a cell and its neighbours is highest, along one axis.
double parabola_top(float before, float peak, float after) {
  const float curve = 2 * peak - before - after;
  return curve > 0 ? 0.5 * (after - before) / curve : 0;
}

constexpr pm::DecoderKind parabola_decoder{
    .name = "parabola", .does = "the top of a parabola along each axis", .offset = [](const pm::Peak& peak, double) {
      const bool x = peak.room_x() > 0, y = peak.room_y() > 0;  // both neighbours are on the map
      return pm::Point{x ? parabola_top(peak.at(-1, 0), peak.at(0, 0), peak.at(1, 0)) : 0,
                       y ? parabola_top(peak.at(0, -1), peak.at(0, 0), peak.at(0, 1)) : 0};
    }};
// docs: end decoder

// docs: begin kinds
const pm::TrainKinds kinds{.losses = {lopsided_loss},
                           .optimizers = {lion_optimizer},
                           .schedules = {triangle_schedule},
                           .decoders = {parabola_decoder}};
// docs: end kinds

pm::Model own_model() {
  pm::ModelSpec spec = small_run::tiny_model().spec();
  spec.decoder.kind = "parabola";
  return small_run::tiny_model().with_spec(spec);
}

pm::TrainOptions own_options() {
  pm::TrainOptions options = small_run::tiny_options();
  options.loss = "lopsided";
  options.optimizer.kind = "lion";
  options.schedule = "triangle";
  return options;
}

pm::Trainer resume(const std::string& bytes, const pm::TrainKinds& known) {
  const auto& [folder, people, validation] = small_run::set();
  return {pm::checkpoint_from_bytes(bytes, "last"), people, validation, nullptr, known};
}

}  // namespace

TEST_CASE("rows of one's own: a run stores their names and goes on from a checkpoint to equal bytes") {
  const small_run::Folder folder;
  const auto& [pictures, people, validation] = small_run::set();
  const pm::Model model = small_run::tiny_model();
  pm::TrainOptions options = small_run::tiny_options();
  // docs: begin train
  options.loss = "lopsided";
  options.optimizer.kind = "lion";
  options.schedule = "triangle";
  pm::ModelSpec spec = model.spec();
  spec.decoder.kind = "parabola";
  pm::Trainer trainer(model.with_spec(spec), people, validation, options, nullptr, kinds);
  // docs: end train
  const pm::RunFolder run = pm::RunFolder::create(folder / "run", {{"train", pm::train_options_to_json(options)}});
  std::string begun, finished;
  CHECK(trainer.run({}, [&](const pm::TrainEvent& event) {
    run.on_event(event);
    if (event.kind != pm::TrainEvent::Kind::checkpoint) return;
    finished = pm::checkpoint_to_bytes(event.checkpoint());
    if (event.step == 4) begun = finished;
  }));
  pm::Trainer rest = resume(begun, kinds);
  CHECK(rest.step() == 4);
  CHECK(rest.run({}, [](const pm::TrainEvent&) {}));
  CHECK(pm::checkpoint_to_bytes(rest.checkpoint()) == finished);

  const pm::Json train = run.config()["train"];
  CHECK(train["loss"] == "lopsided");
  CHECK(train["optimizer"] == "lion");
  CHECK(train["schedule"] == "triangle");
  const pm::Checkpoint last = run.load();
  REQUIRE(last.moments.size() == 1);
  CHECK(last.moments[0].name == "momentum");
  CHECK(last.model.spec().decoder.kind == "parabola");
  CHECK(pm::load_trained(run.last()).to_bytes() ==
        pm::Model::load(run.model()).to_bytes());  // for use, no row is needed
}

TEST_CASE("rows of one's own: a program that lacks one says which, and which it has") {
  const std::string bytes = pm::checkpoint_to_bytes(pm::Checkpoint{own_model(), own_options()});
  const auto refused = [&](const pm::TrainKinds& known, const std::string& message) {
    CAPTURE(message);
    CHECK_THROWS_WITH_AS(resume(bytes, known), doctest::Contains(message.c_str()), pm::UsageError);
  };
  pm::TrainKinds some = kinds;
  some.losses = {};
  refused(some, "options.loss: expected one of squared_error, cross_entropy");
  refused(some, "got \"lopsided\"; a user's own is known only to a program that brings it (TrainKinds)");
  some = kinds;
  some.optimizers = {};
  refused(some, "options.optimizer: expected one of rmsprop, sgd, adamw");
  some = kinds;
  some.schedules = {};
  refused(some, "options.schedule: expected one of constant, step, cosine, plateau");
  some = kinds;
  some.decoders = {};
  CHECK_THROWS_WITH_AS(resume(bytes, some), doctest::Contains("got \"parabola\""), pm::ModelError);
}

TEST_CASE("rows of one's own: each changes what is learnt, and one that is the library's by another name does not") {
  const auto weights_after = [](const pm::TrainOptions& options, const pm::TrainKinds& known) {
    pm::Trainer trainer(own_model(), small_run::set().people, {}, options, nullptr, known);
    for (int step = 0; step < 3; ++step) trainer.train_step();
    return trainer.model().to_bytes();
  };
  pm::TrainOptions options = own_options();
  const std::string own = weights_after(options, kinds);
  for (std::string pm::TrainOptions::* name : {&pm::TrainOptions::loss, &pm::TrainOptions::schedule}) {
    pm::TrainOptions other = options;
    other.*name = pm::TrainOptions{}.*name;
    CHECK(weights_after(other, kinds) != own);
  }
  options.optimizer.kind = "adamw";
  CHECK(weights_after(options, kinds) != own);

  pm::LossKind loss = pm::squared_error_loss;
  loss.name = "mine";
  pm::OptimizerKind optimizer = pm::adamw_optimizer;
  optimizer.name = "mine";
  pm::RateSchedule schedule = pm::cosine_schedule;
  schedule.name = "mine";
  const pm::TrainKinds same{.losses = {loss}, .optimizers = {optimizer}, .schedules = {schedule}};
  options = small_run::tiny_options();
  const std::string library = weights_after(options, {});
  options.loss = options.optimizer.kind = options.schedule = "mine";
  CHECK(weights_after(options, same) == library);
}

TEST_CASE("rows of one's own: a decoder that the model names is the Estimator's and evaluate()'s") {
  const pm::Model model = pm::Model::from_bytes(own_model().to_bytes(), "file");
  CHECK_THROWS_WITH_AS(pm::Estimator{model}, doctest::Contains("the model's decoder: expected one of arg_max"),
                       pm::ModelError);
  pm::ModelSpec plain = model.spec();
  plain.decoder.kind = "arg_max";
  // docs: begin estimate
  const pm::Estimator named(model, {.own_decoders = {parabola_decoder}});
  // docs: end estimate
  const pm::Estimator chosen(model.with_spec(plain), {.decoder = parabola_decoder});
  const pm::Estimator other(model.with_spec(plain));
  const auto& people = small_run::set().validation;
  const pm::Image image = pm::read_image(people[0].image);
  const auto positions = [&](pm::Estimator estimator) {
    std::vector<pm::Point> found;
    for (const pm::Keypoint& keypoint : estimator(image).keypoints) found.push_back(keypoint.position);
    return found;
  };
  CHECK(positions(chosen) == positions(named));
  CHECK(positions(other) != positions(named));
  CHECK(pm::evaluate(named, people).pck().parts == pm::evaluate(chosen, people).pck().parts);
}

TEST_CASE("rows of one's own: lion moves by its rate, a triangle peaks in the middle, a parabola finds its own top") {
  std::vector<float> weights{1, 1, 1}, momentum{0, 0, 0};
  const std::vector<float> gradient{0.5f, -2, 0};
  const std::vector<std::span<float>> state{momentum};
  update_lion({weights, gradient, state, 0.125, 0, 0}, {});
  CHECK(weights == std::vector<float>{0.875f, 1.125f, 1});
  CHECK(momentum[1] == doctest::Approx(-0.002));
  const pm::LearningRate rate{.total_steps = 10};
  CHECK(triangle_schedule.factor(rate, 5) == 1);
  CHECK(triangle_schedule.factor(rate, 0) == 0);
  CHECK(triangle_schedule.factor(rate, 9) == doctest::Approx(0.2));
  const auto height = [](double x) { return static_cast<float>(1 - (x - 0.25) * (x - 0.25)); };
  CHECK(parabola_top(height(-1), height(0), height(1)) == doctest::Approx(0.25).epsilon(1e-6));
}

}  // namespace own_rows_test
