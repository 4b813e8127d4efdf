// Trainer: events, stopping, resuming to the same bytes, and numbers that are not finite.
#include "small_run.hpp"

#include <posemachine/base/json.hpp>
#include <posemachine/compose.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/image.hpp>
#include <posemachine/data/image_io.hpp>
#include <posemachine/data/loader.hpp>
#include <posemachine/data/person.hpp>
#include <posemachine/graph/build.hpp>
#include <posemachine/graph/custom_op.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops.hpp>
#include <posemachine/graph/passes/heatmap_logits.hpp>
#include <posemachine/inference/calibrate.hpp>
#include <posemachine/inference/estimator.hpp>
#include <posemachine/inference/evaluate.hpp>
#include <posemachine/model/model.hpp>
#include <posemachine/model/named_network.hpp>
#include <posemachine/model/op_set.hpp>
#include <posemachine/networks/registry.hpp>
#include <posemachine/pose/calibration.hpp>
#include <posemachine/pose/pose.hpp>
#include <posemachine/training/checkpoint.hpp>
#include <posemachine/training/losses/losses.hpp>
#include <posemachine/training/run_folder.hpp>
#include <posemachine/training/trainer.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace trainer_test {

using namespace posemachine;
using small_run::set;
using Kind = TrainEvent::Kind;

namespace {

// An operation that spoils its map in the steps that are poisoned: a network whose gradients now and then are not
// finite.
constexpr std::array<std::int64_t, 3> poisoned_steps{1, 4, 5};
std::atomic<bool> poisoned = false;
void poison_for(std::int64_t step) { poisoned = std::ranges::count(poisoned_steps, step) > 0; }

void poison_forward(const ForwardCall& call) {
  const float factor = poisoned ? std::numeric_limits<float>::quiet_NaN() : 1;
  for (std::size_t i = 0; i < call.dst.size(); ++i) call.dst.data[i] = factor * call.srcs[0].data[i];
}
void poison_backward(const BackwardCall& call) {
  if (call.diff_srcs[0].data == nullptr) return;
  for (std::size_t i = 0; i < call.diff_dst.size(); ++i) call.diff_srcs[0].data[i] = call.diff_dst.data[i];
}
constexpr CustomKernels poison_kernels{poison_forward, poison_backward};
constexpr OpInfo poison_op{.name = "test.poison", .kernels = &poison_kernels};

const OpSet& operations() {
  static const OpSet set{&poison_op};
  return set;
}

// Its peaks are small and all different.
struct Plain : Network<Input<"image", 3>, ConvReLU<8, 3>, AveragePool<8>,
                       Conv<15, 1, ConvolutionOptions{.init = Init::near_zero}>, Output<"heatmaps">> {};

// What a run leaves, without what depends on time.
struct Outcome {
  std::string state;
  std::string model;
  std::vector<std::string> metrics;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

Outcome outcome_of(const RunFolder& run) {
  Checkpoint last = run.load(operations());
  last.options.workers = 1;  // speeds, stored with the options
  last.options.loader_workers = 1;
  last.options.cache_mb = 0;
  Outcome outcome{checkpoint_to_bytes(last), small_run::contents(run.model()), {}};
  for (Json line : run.metrics()) {
    CHECK(line.erase("images_per_second") == 1);
    CHECK(line.erase("loader_wait") == 1);
    outcome.metrics.push_back(line.dump());
  }
  return outcome;
}

Model poisonable_model() {
  Graph graph;
  Value value = add_node(graph, poison_op, {}, {add_input(graph, "image", 3)});
  value = batch_norm(graph, convolution(graph, value, {.out = 8, .kernel = 3}));
  value = average_pool(graph, relu(graph, value), {.window = 8});
  add_output(graph, "heatmaps", convolution(graph, value, {.out = 15}));
  ModelSpec spec;
  spec.input_height = spec.input_width = 32;
  return Model::random("poisonable", graph, 3, spec);
}

// All that a run can be told at once.
TrainOptions elaborate_options() {
  TrainOptions options = small_run::tiny_options();
  options.epochs = 5;
  options.validate_epochs = 1;
  options.schedule = "plateau";
  options.plateau_epochs = 1;
  options.rate_step_factor = 0.5;
  options.groups = {{.match = "*.bias", .rate = 2, .weight_decay = 0.1}};
  options.clip_norm = 0.05;
  options.average_decay = 0.8;
  options.on_not_finite = NotFinite::lower;
  options.keep_checkpoints = 2;
  return options;
}

// Trains in a folder, from its last checkpoint where there is one, until `stop_at` steps are done.
std::vector<Kind> train(const std::filesystem::path& path, const TrainOptions& options, std::int64_t stop_at = -1,
                        const Model& model = small_run::tiny_model()) {
  const bool resumed = std::filesystem::exists(path);
  const RunFolder run = resumed ? RunFolder::open(path) : RunFolder::create(path, Json::object());
  Checkpoint start = resumed ? run.load(operations()) : Checkpoint{model, options};
  start.options = options;
  Trainer trainer(start, set().people, set().validation);
  poison_for(trainer.step());
  if (resumed) run.rewind_metrics(static_cast<int>(trainer.step() / trainer.steps_per_epoch()));
  std::stop_source stop;
  std::vector<Kind> kinds;
  trainer.run(stop.get_token(), [&](const TrainEvent& event) {
    run.on_event(event);
    kinds.push_back(event.kind);
    if (event.kind == Kind::step) poison_for(event.step);
    if (event.kind == Kind::step && event.step == stop_at) stop.request_stop();
  });
  return kinds;
}

}  // namespace

TEST_CASE("Trainer: a run raises its events in order, validates where due and at the end, and means are of the epoch") {
  const small_run::Folder folder;
  TrainOptions options = small_run::tiny_options();
  Trainer trainer(small_run::tiny_model(), set().people, set().validation, options);
  CHECK(trainer.steps_per_epoch() == 3);
  CHECK(trainer.total_steps() == 9);
  std::string events;
  std::vector<double> sums{0, 0};
  double best = -1;
  trainer.run({}, [&](const TrainEvent& event) {
    events += "scexf"[static_cast<int>(event.kind)];
    CHECK(event.epoch == event.step / 3);
    CHECK(event.losses.size() == (event.kind == Kind::step || event.kind == Kind::epoch ? 2 : 0));
    if (event.kind == Kind::step) {
      for (std::size_t i = 0; i < 2; ++i) sums[i] += event.losses[i];
    }
    if (event.kind == Kind::epoch) {
      for (std::size_t i = 0; i < 2; ++i) CHECK(event.losses[i] == doctest::Approx(sums[i] / 3));
      sums = {0, 0};
      CHECK((event.validation != nullptr) == (event.epoch >= 2));  // every second one, and the last
      if (event.validation != nullptr) {
        CHECK(event.best == (event.validation->pck().mean > best));
        best = std::max(best, event.validation->pck().mean);
      }
    }
  });
  // c: a checkpoint before the first step, after steps 2, 4 and 8 (6 is an epoch's end) and with each epoch.
  CHECK(events == "csscsecscssecsscsecf");
}

TEST_CASE("Trainer: validation calibrates what a run is for, and a resumed run has the same calibration") {
  const small_run::Folder folder;
  ModelSpec spec;
  spec.input_height = spec.input_width = 32;
  const Model model = Model::random<Plain>(4, spec);
  // Strong peaks of the model as it begins are right, weak ones are not; a rate of next to nothing keeps it so.
  std::vector<Person> validation = small_run::noise_people(folder, 8, false, 5);
  Estimator estimator(model);
  for (Person& person : validation) {
    const Image image = read_image(person.image);
    const std::vector<Keypoint> keypoints = estimator(image).keypoints;
    std::vector<double> scores;
    for (const Keypoint& keypoint : keypoints) scores.push_back(keypoint.score);
    std::nth_element(scores.begin(), scores.begin() + 10, scores.end());
    for (std::size_t j = 0; j < keypoints.size(); ++j) {
      const double away = keypoints[j].score >= scores[10] ? 0 : 500;  // about half of the maps have no positive cell
      person.joints[j].position = {keypoints[j].position.x + away, keypoints[j].position.y};
    }
    person.joints[std::size_t(spec.joints.torso[0])].position = {0, 0};
    person.joints[std::size_t(spec.joints.torso[1])].position = {0, 20};
  }
  TrainOptions options = small_run::tiny_options();
  options.rate = 1e-12;
  options.average_decay = 0.5;
  Trainer trainer(model, set().people, validation, options);
  CHECK_FALSE(trainer.result().spec().calibration.has_value());
  std::optional<Calibration> best;
  trainer.run({}, [&](const TrainEvent& event) {
    if (event.best) best = event.result().spec().calibration;
  });
  const std::optional<Calibration> found = trainer.result().spec().calibration;
  REQUIRE(found.has_value());
  CHECK(best.has_value());
  CHECK(found->metric == "pck@0.2:torso");
  CHECK(found->joints > 20);
  const EvaluationResult again = evaluate(Estimator(trainer.result().with_calibration({})), validation);
  CHECK(found == calibrate(again, spec.joints));
  const Checkpoint last = checkpoint_from_bytes(checkpoint_to_bytes(trainer.checkpoint()), "last");
  CHECK(Trainer(last, set().people, validation).result().to_bytes() == trainer.result().to_bytes());
}

TEST_CASE("Trainer: a stop is honoured after the step under way, with a checkpoint before the word that it stopped") {
  const small_run::Folder folder;
  Trainer trainer(small_run::tiny_model(), set().people, {}, small_run::tiny_options());
  std::stop_source stop;
  std::string events;
  trainer.run(stop.get_token(), [&](const TrainEvent& event) {
    events += "scexf"[static_cast<int>(event.kind)];
    if (event.kind == Kind::step && event.step == 1) stop.request_stop();
    if (event.kind == Kind::stopped) CHECK(event.step == 1);
  });
  CHECK(events == "cscx");
  Trainer other(small_run::tiny_model(), set().people, {}, small_run::tiny_options());
  events.clear();
  other.run(stop.get_token(), [&](const TrainEvent& event) { events += "scexf"[static_cast<int>(event.kind)]; });
  CHECK(events == "cx");
}

TEST_CASE(
    "Trainer: stopped after any step and resumed, a run ends with the bytes of an undisturbed one, for 1 and 2 "
    "workers, without and with pictures kept") {
  const small_run::Folder folder;
  const TrainOptions options = small_run::tiny_options();
  train(folder / "whole", options);
  const Outcome whole = outcome_of(RunFolder::open(folder / "whole"));
  REQUIRE(whole.metrics.size() == 3);
  CHECK(whole.metrics[1].find("val_pck") != std::string::npos);
  CHECK(whole.model == RunFolder::open(folder / "whole").load().model.to_bytes());
  for (const int workers : {1, 2}) {
    TrainOptions changed = options;
    changed.workers = workers;
    changed.loader_workers = workers;
    changed.cache_mb = workers == 1 ? 0 : options.cache_mb;
    for (std::int64_t stop_at = 1; stop_at <= 9; ++stop_at) {
      INFO("stopped after step " << stop_at << ", " << workers << " workers");
      const std::filesystem::path path = folder / ("stopped" + std::to_string(workers) + std::to_string(stop_at));
      const std::vector<Kind> kinds = train(path, changed, stop_at);
      CHECK(kinds.back() ==
            (stop_at < 9 ? Kind::stopped : Kind::finished));  // after the last step nothing is left to stop
      train(path, changed);
      CHECK(outcome_of(RunFolder::open(path)) == whole);
    }
  }
}

TEST_CASE(
    "Trainer: with averages, groups, cut gradients, plateaus and skipped steps, too, a run that was stopped ends the "
    "same") {
  const small_run::Folder folder;
  const TrainOptions options = elaborate_options();
  train(folder / "whole", options, -1, poisonable_model());
  const RunFolder run = RunFolder::open(folder / "whole");
  const Outcome whole = outcome_of(run);
  const Checkpoint last = run.load(operations());
  CHECK(last.skipped == 3);
  CHECK(last.rate_factor < 0.125);  // three halvings, and at least one plateau
  CHECK(last.average.size() == last.model.parameters().size());
  REQUIRE(run.epoch_checkpoints().size() == 2);
  CHECK(run.epoch_checkpoints().front().filename() == "step-00000012.safetensors");
  CHECK(small_run::contents(run.epoch_checkpoints().back()) == small_run::contents(run.last()));
  // What the run is for is the average, not the last weights.
  const Model result = Model::load(run.model(), operations());
  CHECK(result.to_bytes() == last.model.with_parameters(last.average).to_bytes());
  CHECK(result.to_bytes() != last.model.to_bytes());
  CHECK(load_trained(run.last(), operations()).to_bytes() == result.to_bytes());
  CHECK(load_trained(run.model(), operations()).to_bytes() == result.to_bytes());
  for (std::int64_t stop_at = 1; stop_at <= 14; ++stop_at) {
    INFO("stopped after step " << stop_at);
    const std::filesystem::path path = folder / ("stopped" + std::to_string(stop_at));
    TrainOptions changed = options;
    changed.workers = 1 + static_cast<int>(stop_at % 2);
    train(path, changed, stop_at, poisonable_model());
    train(path, changed, -1, poisonable_model());
    CHECK(outcome_of(RunFolder::open(path)) == whole);
  }
}

TEST_CASE(
    "Trainer: a step that is not finite is skipped: weights, moments, statistics and averages stay as they were") {
  for (const NotFinite policy : {NotFinite::skip, NotFinite::lower}) {
    TrainOptions options = elaborate_options();
    options.on_not_finite = policy;
    options.schedule = "constant";
    options.warmup_steps = 0;
    poisoned = false;
    Trainer trainer(poisonable_model(), set().people, {}, options);
    trainer.train_step();
    const Checkpoint before = trainer.checkpoint();
    poisoned = true;
    trainer.train_step();  // the loss is finite: ReLU makes 0 of what is no number; the gradient is not
    const Checkpoint after = trainer.checkpoint();
    CHECK(after.moments == before.moments);
    for (std::size_t id = 0; id < before.average.size(); ++id) {
      CHECK(after.model.parameters()[id].values == before.model.parameters()[id].values);
      CHECK(after.average[id].values == before.average[id].values);
    }
    CHECK(after.step == 2);
    CHECK(after.skipped == 1);
    CHECK(after.epoch_steps == 1);
    CHECK(after.epoch_losses == before.epoch_losses);
    CHECK(after.rate_factor == (policy == NotFinite::lower ? 0.5 : 1));
    poisoned = false;
    trainer.train_step();
    CHECK(trainer.checkpoint().skipped_in_a_row == 0);
    CHECK(trainer.checkpoint().model.parameters()[0].values != before.model.parameters()[0].values);
    poisoned = true;
    for (int i = 1; i < FiniteGuard::most_skipped_in_a_row; ++i) trainer.train_step();
    CHECK_THROWS_WITH_AS(trainer.train_step(), doctest::Contains("10 steps without them one after another"),
                         RuntimeFailure);
  }
  poisoned = false;
}

TEST_CASE("Trainer: gradients are cut to the length that was asked for, and the event says how long they were") {
  TrainOptions options = small_run::tiny_options();
  options.optimizer.kind = "sgd";
  options.optimizer.weight_decay = 0;
  options.schedule = "constant";
  options.warmup_steps = 0;
  options.rate = 1;
  options.clip_norm = 1e-3;
  const Model model = small_run::tiny_model();
  Trainer trainer(model, set().people, {}, options);
  double norm = 0;
  std::stop_source stop;
  trainer.run(stop.get_token(), [&](const TrainEvent& event) {
    if (event.kind != Kind::step) return;
    norm = event.gradient_norm;
    stop.request_stop();
  });
  CHECK(norm > 1e-2);
  double moved = 0;  // by a rate of 1: the gradient itself
  for (std::size_t id = 0; id < model.parameters().size(); ++id) {
    if (!model.graph().parameters[id].trainable) continue;
    for (std::size_t i = 0; i < model.parameters()[id].values.size(); ++i) {
      const double now = trainer.model().parameters()[id].values[i];
      moved += std::pow(now - double{model.parameters()[id].values[i]}, 2);
    }
  }
  CHECK(std::sqrt(moved) == doctest::Approx(1e-3).epsilon(1e-3));
}

TEST_CASE("Trainer: a run that gets no better ends after stop_epochs, and stays ended when it is resumed") {
  const small_run::Folder folder;
  TrainOptions options = small_run::tiny_options();
  options.rate = 0;  // PCK stays what it is at the first validation
  options.epochs = 20;
  options.validate_epochs = 1;
  options.stop_epochs = 3;
  const std::vector<Kind> kinds = train(folder / "run", options);
  CHECK(std::ranges::count(kinds, Kind::epoch) == 4);
  CHECK(kinds.back() == Kind::finished);
  CHECK(train(folder / "run", options) == std::vector{Kind::finished});
  // Without people to validate on, the loss of the last stage is watched.
  options.validate_epochs = 7;
  Trainer trainer(small_run::tiny_model(), set().people, {}, options);
  bool stalled = false;
  trainer.run({}, [&](const TrainEvent& event) { stalled = event.stalled; });
  CHECK(stalled);
  CHECK(trainer.step() < 20 * 3);
  CHECK(trainer.step() >= 4 * 3);
}

TEST_CASE("Trainer: epochs between validations are no reason to lower the rate or to end") {
  TrainOptions options = small_run::tiny_options();
  options.epochs = 12;
  options.validate_epochs = 3;
  options.stop_epochs = 6;
  options.schedule = "plateau";
  options.plateau_epochs = 3;
  options.rate = 0;  // validated after 3, 6 and 9: the first stays the best
  Trainer trainer(small_run::tiny_model(), set().people, set().validation, options);
  std::vector<double> factors;
  std::vector<int> validated;
  trainer.run({}, [&](const TrainEvent& event) {
    if (event.kind != Kind::epoch) return;
    if (event.validation != nullptr) validated.push_back(event.epoch);
    factors.push_back(event.checkpoint().rate_factor);
  });
  CHECK(validated == std::vector{3, 6, 9});
  REQUIRE(factors.size() == 9);
  for (std::size_t i = 0; i < 9; ++i) CHECK(factors[i] == doctest::Approx(i < 5 ? 1 : i < 8 ? 0.1 : 0.01));
}

TEST_CASE("Trainer: an epoch whose steps were all skipped has no mean loss, and the run goes on") {
  const small_run::Folder folder;
  TrainOptions options = elaborate_options();
  options.epochs = 2;
  options.checkpoint_steps = 100;
  const RunFolder run = RunFolder::create(folder / "run", Json::object());
  Trainer trainer(Checkpoint{poisonable_model(), options}, set().people, {});
  poisoned = true;
  trainer.run({}, [&](const TrainEvent& event) {
    if (event.kind == Kind::epoch) poisoned = false;  // the second one is sound
    run.on_event(event);
  });
  poisoned = false;
  const std::vector<Json> lines = run.metrics();
  REQUIRE(lines.size() == 2);
  CHECK(lines[0]["losses"][0].is_null());
  CHECK(lines[1]["losses"][0].is_number());
  CHECK(run.load(operations()).skipped == 3);
}

TEST_CASE("Trainer: a step that was skipped counts for nothing in the optimiser") {
  TrainOptions options = elaborate_options();
  options.schedule = "constant";
  options.warmup_steps = 0;
  options.on_not_finite = NotFinite::skip;
  poisoned = false;
  // The rule's first update moves every weight by about the rate, however many steps were skipped before.
  const Model model = poisonable_model();
  Trainer trainer(model, set().people, {}, options);
  poisoned = true;
  for (int i = 0; i < 5; ++i) trainer.train_step();
  poisoned = false;
  trainer.train_step();
  const std::vector<float>& before = model.parameters()[0].values;
  const std::vector<float> after = trainer.model().parameters()[0].values;
  double largest = 0;
  for (std::size_t i = 0; i < before.size(); ++i) {
    largest = std::max(largest, std::abs(double{after[i]} - double{before[i]}));
  }
  CHECK(largest == doctest::Approx(options.rate).epsilon(0.05));
}

TEST_CASE("Trainer: without moments a run goes on as if the optimiser began, and is resumed to the same bytes") {
  TrainOptions options = small_run::tiny_options();
  options.schedule = "constant";
  options.warmup_steps = 0;
  options.optimizer.weight_decay = 0;
  Trainer before(small_run::tiny_model(), set().people, {}, options);
  for (int i = 0; i < 4; ++i) before.train_step();
  const Checkpoint light = without_moments(before.checkpoint());
  Trainer trainer(light, set().people, {});
  CHECK(trainer.step() == 4);
  trainer.train_step();
  double longest = 0;  // Adam's first update moves every weight by the rate, whatever its gradient
  for (std::size_t id = 0; id < light.model.parameters().size(); ++id) {
    if (!light.model.graph().parameters[id].trainable) continue;
    const std::vector<float>& from = light.model.parameters()[id].values;
    const Checkpoint now = trainer.checkpoint();
    for (std::size_t i = 0; i < from.size(); ++i) {
      longest = std::max(longest, std::abs(double{now.model.parameters()[id].values[i]} - double{from[i]}));
    }
  }
  CHECK(longest == doctest::Approx(options.rate).epsilon(0.01));

  const Checkpoint stopped = checkpoint_from_bytes(checkpoint_to_bytes(trainer.checkpoint()), "stopped");
  Trainer resumed(stopped, set().people, {});
  trainer.train_step();
  resumed.train_step();
  CHECK(checkpoint_to_bytes(resumed.checkpoint()) == checkpoint_to_bytes(trainer.checkpoint()));

  Checkpoint broken = before.checkpoint();  // moments that are merely lost
  broken.moments.clear();
  CHECK_THROWS_AS(Trainer(broken, set().people, {}), ModelError);
}

TEST_CASE("Trainer: a checkpoint of a step behind the last one is refused") {
  Checkpoint later{small_run::tiny_model(), small_run::tiny_options()};
  later.step = 10;  // of 9
  CHECK_THROWS_WITH_AS(Trainer(later, set().people, {}), doctest::Contains("checkpoint: step: expected at most 9"),
                       ModelError);
}

TEST_CASE("Trainer: groups that name nothing are refused before the first step") {
  TrainOptions options = small_run::tiny_options();
  options.groups = {{.match = "Trunk.*", .rate = 0.1}};
  CHECK_THROWS_WITH_AS(Trainer(small_run::tiny_model(), set().people, {}, options),
                       doctest::Contains("groups[0].match"), UsageError);
}

TEST_CASE("Trainer: killed between checkpoints, a run goes on from the last one to the same bytes and metrics") {
  const small_run::Folder folder;
  const TrainOptions options = small_run::tiny_options();
  train(folder / "whole", options);
  struct Killed {};
  for (std::int64_t kill_at = 1; kill_at <= 9; ++kill_at) {
    INFO("killed after step " << kill_at);
    const std::filesystem::path path = folder / ("killed" + std::to_string(kill_at));
    {
      const RunFolder run = RunFolder::create(path, Json::object());  // the dead process lets go of it
      Trainer trainer(small_run::tiny_model(), set().people, set().validation, options);
      const auto until_killed = [&](const TrainEvent& event) {
        // At an epoch's end: its metrics are written, its checkpoint is not.
        if (event.kind == Kind::checkpoint && event.step == kill_at) throw Killed{};
        run.on_event(event);
        if (event.kind == Kind::step && event.step == kill_at && kill_at % 3 != 0) throw Killed{};
      };
      CHECK_THROWS_AS(trainer.run({}, until_killed), Killed);
    }
    train(path, options);
    CHECK(outcome_of(RunFolder::open(path)) == outcome_of(RunFolder::open(folder / "whole")));
  }
}

TEST_CASE("Trainer: another seed gives other weights; the same gives the same") {
  const auto weights_after = [](std::uint64_t seed) {
    TrainOptions options = small_run::tiny_options();
    options.seed = seed;
    Trainer trainer(small_run::tiny_model(), set().people, {}, options);
    for (int i = 0; i < 2; ++i) trainer.train_step();
    return trainer.model().to_bytes();
  };
  CHECK(weights_after(1) == weights_after(1));
  CHECK(weights_after(1) != weights_after(2));
}

TEST_CASE("Trainer: numbers that are not finite end the run at their step, and the last checkpoint is sound") {
  struct Case {
    const char* message;
    const char* kind;
    double rate;
    float weights;  // of the network's last convolution, 0: as drawn
    float bias;
    std::int64_t step;
  };
  for (const Case& each :
       {Case{"step 1: expected finite numbers, got a loss that is not finite, of the output heatmaps", "sgd", 0, 3e38f,
             0, 0},
        Case{"got a gradient that is not finite", "sgd", 0, 0, 3e38f, 0},
        Case{"got a gradient that is too large to be squared", "adamw", 0, 0, 1e22f, 0},
        Case{"not finite", "sgd", 90, 0, 0, -1}}) {
    INFO(std::string(each.message));
    const small_run::Folder folder;
    const RunFolder run = RunFolder::create(folder / "run", Json::object());
    Model model = small_run::tiny_model();
    std::vector<Tensor> parameters = model.parameters();
    const auto set_all = [](Tensor& tensor, float value) { tensor.values.assign(tensor.values.size(), value); };
    if (each.weights != 0) set_all(parameters[parameters.size() - 2], each.weights);
    if (each.bias != 0) set_all(parameters.back(), each.bias);
    TrainOptions options = small_run::tiny_options();
    options.epochs = 50;
    options.warmup_steps = 0;
    options.rate = each.rate;
    options.checkpoint_steps = 1;
    options.optimizer.kind = each.kind;
    options.optimizer.weight_decay = 0;
    Trainer trainer(model.with_parameters(parameters), set().people, {}, options);
    std::int64_t saved = -1;
    std::string message;
    try {
      trainer.run({}, [&](const TrainEvent& event) {
        run.on_event(event);
        if (event.kind == Kind::checkpoint) saved = event.step;
      });
    } catch (const RuntimeFailure& failure) {
      message = failure.what();
    }
    INFO(message);
    CHECK(message.find(each.message) != std::string::npos);
    CHECK(message.find("step " + std::to_string(saved + 1)) !=
          std::string::npos);  // a checkpoint a step: the next one failed
    if (each.step >= 0) CHECK(saved == each.step);
    const Checkpoint kept = run.load();
    CHECK(kept.step == saved);
  }
}

TEST_CASE("Trainer: what cannot be trained is refused before the first step") {
  TrainOptions options = small_run::tiny_options();
  const Model model = small_run::tiny_model();
  const auto refused = [&](const std::string& message, std::vector<Person> people, std::vector<Person> validation,
                           const auto& from) {
    INFO(message);
    std::string text;
    try {
      Trainer trainer(from, std::move(people), std::move(validation));
    } catch (const Error& error) {
      text = error.what();
    }
    CHECK(text.find(message) != std::string::npos);
  };
  refused("training set: expected at least one person", {}, {}, Checkpoint{model, options});
  std::vector<Person> unlabelled = set().people;
  for (Person& person : unlabelled) person.joints[2] = {};
  refused("at least one person with a labelled torso", set().people, unlabelled, Checkpoint{model, options});
  options.batch = 5;
  refused("a multiple of the slice, 2", set().people, {}, Checkpoint{model, options});
  options = small_run::tiny_options();
  options.rate = -1;
  refused("options.rate", set().people, {}, Checkpoint{model, options});

  options = small_run::tiny_options();
  Trainer trainer(model, set().people, {}, options);
  trainer.train_step();
  const Checkpoint checkpoint = trainer.checkpoint();
  const std::vector<Person> other(set().people.rbegin(), set().people.rend());
  refused("the people that the run was started with", other, {}, checkpoint);
  Checkpoint sgd = checkpoint;
  sgd.options.optimizer.kind = "sgd";
  refused("expected nothing of this network's parameters, as sgd of these options, got first, second", set().people, {},
          sgd);
}

// The losses of the first step, by stage, and those of maps that say nothing: empty ones, or uniform distributions.
struct FirstLosses {
  std::vector<double> got;
  double nothing = 0;
};

static FirstLosses first_losses(Model model, const std::string& loss) {
  TrainOptions options = small_run::tiny_options();
  options.loss = loss;
  const ModelSpec spec = model.spec();
  LoaderOptions loader;
  loader.input = {spec.input_height, spec.input_width};
  loader.stride = stride_of(model.graph(), answer(model.graph())).ratio();
  loader.sigma_px = spec.sigma_px;
  loader.batch = options.batch;
  loader.seed = options.seed;
  const Batch batch = BatchMaker(set().people, spec.joints, loader)(0);
  const std::vector<float> empty(batch.targets.values.size());
  std::vector<float> gradient(empty.size());
  const std::size_t cells = empty.size() / batch.map_weights.values.size();
  const double nothing =
      LossKinds()
          .get(loss, "loss")
          .compute({empty, batch.targets.values, batch.map_weights.values, cells, options.batch}, gradient);
  return {Trainer(model, set().people, {}, options).train_step(), nothing};
}

TEST_CASE("Trainer: every named network begins with maps that say nothing, under both losses") {
  for (const NamedNetwork& network : networks) {
    if (network.centre_sigma_px > 0) continue;  // cpm: too large to be trained here
    CAPTURE(network.name);
    NetworkDescription description = description_of(network);
    description.spec.input_height = description.spec.input_width = 64;
    for (const std::string loss : {"squared_error", "cross_entropy"}) {
      if (loss == "squared_error" && has_distributions(description.graph)) continue;
      if (loss == "cross_entropy") add_distributions(description.graph, network.sigma_px);
      const FirstLosses losses = first_losses(Model::random(description, 3), loss);
      for (const double stage : losses.got) CHECK(stage == doctest::Approx(losses.nothing).epsilon(0.02));
    }
  }
}

TEST_CASE("Trainer: a cross-entropy needs distributions, and falls while they are trained") {
  TrainOptions options = small_run::tiny_options();
  options.loss = "cross_entropy";
  CHECK_THROWS_WITH_AS(Trainer(small_run::tiny_model(), set().people, {}, options),
                       doctest::Contains("add_distributions()"), ModelError);

  const Model heatmaps = small_run::tiny_model();
  Graph graph = heatmaps.graph();
  ModelSpec spec = heatmaps.spec();
  spec.sigma_px = 3;  // narrow: little of the loss is the targets' own entropy
  add_distributions(graph, spec.sigma_px);
  const Model model("tiny", graph, heatmaps.parameters(), spec);
  options.batch = 14;  // everybody in every step: losses can be compared
  options.epochs = 150;
  options.rate = 1e-2;
  options.augment = false;
  Trainer trainer(model, set().people, {}, options);
  const double first = trainer.train_step().back();
  double last = 0;
  while (trainer.step() < trainer.total_steps()) last = trainer.train_step().back();
  CHECK(last < 0.9 * first);
  CHECK(has_distributions(trainer.model().graph()));
}

TEST_CASE("Trainer: joints of weight 0 train as unlabelled ones do to the last byte; half the weights, half the loss") {
  std::vector<Person> unlabelled = set().people, weightless = unlabelled, half = unlabelled;
  for (std::size_t i = 0; i < unlabelled.size(); ++i) {
    for (std::size_t j = i % 3; j < 14; j += 4) {
      unlabelled[i].joints[j] = {};
      weightless[i].joints[j].weight = 0;
    }
    for (Joint& joint : half[i].joints) joint.weight = 0.5f;
  }
  const auto trained = [](const std::vector<Person>& people) {
    Trainer trainer(small_run::tiny_model(), people, {}, small_run::tiny_options());
    for (int step = 0; step < 3; ++step) trainer.train_step();
    return trainer.checkpoint();
  };
  Checkpoint expected = trained(unlabelled), got = trained(weightless);
  CHECK(got.people != expected.people);
  got.people = expected.people;
  CHECK(checkpoint_to_bytes(got) == checkpoint_to_bytes(expected));

  Trainer whole(small_run::tiny_model(), set().people, {}, small_run::tiny_options());
  Trainer halved(small_run::tiny_model(), half, {}, small_run::tiny_options());
  const std::vector<double> losses = whole.train_step();
  const std::vector<double> half_losses = halved.train_step();
  REQUIRE(half_losses.size() == losses.size());
  for (std::size_t stage = 0; stage < losses.size(); ++stage) CHECK(half_losses[stage] == losses[stage] / 2);

  CHECK_THROWS_WITH_AS(Trainer(expected, weightless, {}), doctest::Contains("give the same data sets and labels"),
                       UsageError);
}

TEST_CASE("Trainer: all stages share the targets, so outputs of another stride are refused") {
  struct TwoStrides : Network<Input<"image", 3>, Conv<4, 3>, AveragePool<4>, Tag<"fine">, AveragePool<2>, Conv<15, 1>,
                              Output<"heatmaps">, From<"fine">, Conv<15, 1>, Output<"heatmaps">> {};
  ModelSpec spec;
  spec.input_height = spec.input_width = 32;
  const Model model = Model::random("two_strides", graph_of<TwoStrides>(), 1, spec);
  CHECK_THROWS_WITH_AS(Trainer(model, set().people, {}, small_run::tiny_options()),
                       doctest::Contains("heatmaps_stage_1"), ModelError);
}

TEST_CASE("Trainer: a second input with a centre map is fed, the same in every slice") {
  struct Centred : Network<Input<"image", 3>, Input<"centre", 1>, AveragePool<8>, Conv<15, 1>, Output<"heatmaps">> {};
  ModelSpec spec;
  spec.input_height = spec.input_width = 32;
  spec.inputs = {{"image", InputRole::image, 0}, {"centre", InputRole::centre_gaussian, 8}};
  const Model model = Model::random("centred", graph_of<Centred>(), 1, spec);
  std::vector<std::string> states;
  for (const int workers : {1, 2}) {
    TrainOptions options = small_run::tiny_options();
    options.workers = workers;
    Trainer trainer(model, set().people, {}, options);
    for (int i = 0; i < 2; ++i) trainer.train_step();
    states.push_back(trainer.model().to_bytes());
    CHECK(trainer.model().parameters()[0].values !=
          model.parameters()[0].values);  // the map is not zero: its weights move
  }
  CHECK(states[0] == states[1]);
}

}  // namespace trainer_test
