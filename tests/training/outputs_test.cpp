// An output besides the heatmaps: a mask of drawn people, trained, stored, resumed and read from an estimate.
#include "small_run.hpp"

#include <posemachine/base/json.hpp>
#include <posemachine/compose.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/core/image.hpp>
#include <posemachine/core/random.hpp>
#include <posemachine/core/tensor.hpp>
#include <posemachine/data/image_io.hpp>
#include <posemachine/data/output_targets.hpp>
#include <posemachine/data/person.hpp>
#include <posemachine/inference/estimator.hpp>
#include <posemachine/model/layer_words.hpp>
#include <posemachine/model/model.hpp>
#include <posemachine/model/network_json.hpp>
#include <posemachine/pose/targets.hpp>
#include <posemachine/training/checkpoint.hpp>
#include <posemachine/training/output_roles.hpp>
#include <posemachine/training/run_folder.hpp>
#include <posemachine/training/train_kinds.hpp>
#include <posemachine/training/trainer.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace outputs_test {

namespace pm = posemachine;

namespace {

constexpr int side_px = 64;

// docs: begin role
// People are discs between their two joints: 1 on them, 0 beside them.
void draw_disc(const pm::TargetSample& sample, const pm::TargetMaps& into) {
  const pm::Point left = sample.joints[0].position, right = sample.joints[1].position;
  for (int y = 0; y < into.map.height; ++y) {
    for (int x = 0; x < into.map.width; ++x) {
      const pm::Point cell{pm::cell_centre(x, into.stride), pm::cell_centre(y, into.stride)};
      const bool inside = pm::distance(cell, 0.5 * (left + right)) <= pm::distance(left, right) / 2;
      into.maps[static_cast<std::size_t>(y * into.map.width + x)] = inside ? 1.0f : 0.0f;
    }
  }
}

const pm::OutputRole disc_role{.name = "person_disc", .does = "1 on the person, 0 beside", .draw = draw_disc};
const pm::TrainKinds kinds{.roles = {disc_role}};
// docs: end role

// clang-format off: a composition, one part after another
// docs: begin network
struct Masked : pm::Network<
    pm::Input<"image", 3>, pm::ConvReLU<8, 3>, pm::AveragePool<4>, pm::ConvReLU<8, 3>, pm::Tag<"trunk">,
    pm::Conv<1, 3>, pm::Output<"mask">,
    pm::From<"trunk">, pm::Conv<3, 3>, pm::Output<"heatmaps">> {};
// docs: end network
// clang-format on

pm::ModelSpec masked_spec() {
  pm::ModelSpec spec;
  spec.joints = {};
  spec.joints.name = "ends";
  spec.joints.joints = {"left_end", "right_end"};
  spec.joints.pairs = {{0, 1}};
  spec.input_height = spec.input_width = side_px;
  // docs: begin meaning
  spec.outputs = {{"mask", "person_disc"}};
  // docs: end meaning
  return spec;
}

pm::Model masked_model() { return pm::Model::random<Masked>(3, masked_spec()); }

// Bright discs on dark noise.
pm::Person disc_person(const small_run::Folder& folder, int number) {
  pm::RandomStream stream(21, pm::Purpose::test, 0, std::uint64_t(number));
  const pm::Point middle{stream.uniform(24, 40), stream.uniform(24, 40)};
  const double radius = stream.uniform(10, 18);
  pm::Image image(side_px, side_px);
  for (int y = 0; y < side_px; ++y) {
    for (int x = 0; x < side_px; ++x) {
      const bool inside = pm::distance(middle, {double(x), double(y)}) <= radius;
      const auto value = static_cast<std::uint8_t>((inside ? 180 : 20) + stream.below(50));
      std::fill(image.at(x, y), image.at(x, y) + 3, value);
    }
  }
  pm::Person person{folder / ("disc" + std::to_string(number) + ".png"), "made", number + 1, {}, pm::Framing::image};
  pm::write_png(person.image, image);
  for (const double side : {-1.0, 1.0}) {
    person.joints.push_back({middle + pm::Point{side * radius, 0}, pm::JointState::visible});
  }
  return person;
}

struct Set {
  small_run::Folder folder;
  std::vector<pm::Person> people, others;

  Set() {
    for (int i = 0; i < 24; ++i) (i < 16 ? people : others).push_back(disc_person(folder, i));
  }
};
const Set& set() {
  static const Set made;
  return made;
}

pm::TrainOptions masked_options() {
  pm::TrainOptions options;
  options.epochs = 40;  // of 2 steps
  options.batch = 8;
  options.workers = 1;
  options.rate = 1e-2;
  options.warmup_steps = 5;
  options.augmentation.shift = 0.02;
  return options;
}

// Cells of both over cells of either, the mask being more than a half.
double overlap(const pm::Model& model, const pm::Person& person) {
  pm::Estimator estimator(model);
  // docs: begin estimate
  const pm::Estimate estimate = estimator.estimate_stages(pm::read_image(person.image));
  const pm::Tensor& mask = estimate.outputs[0].maps;  // (1, 16, 16), of estimate.square
  // docs: end estimate
  REQUIRE(mask.shape == pm::Shape{1, 16, 16});
  std::vector<float> truth(256), weights(1, 1.0f);
  const pm::Affine same = pm::image_from_input({0, 0, side_px, side_px}, {side_px, side_px});
  draw_disc({person, person.joints, same, false, {side_px, side_px}, model.spec().joints},
            {truth, weights, {16, 16}, 4});
  int both = 0, either = 0;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    const bool found = mask.values[i] > 0.5f, there = truth[i] > 0.5f;
    both += found && there;
    either += found || there;
  }
  return static_cast<double>(both) / std::max(1, either);
}

double mean_overlap(const pm::Model& model) {
  double sum = 0;
  for (const pm::Person& person : set().others) sum += overlap(model, person);
  return sum / static_cast<double>(set().others.size());
}

std::string refusal(const pm::TrainOptions& options, const pm::TrainKinds& known, const pm::Model& model) {
  try {
    const pm::Trainer trainer(model, set().people, {}, options, nullptr, known);
  } catch (const pm::Error& error) {
    return error.what();
  }
  return "taken";
}

}  // namespace

TEST_CASE("outputs: a mask is learnt beside the heatmaps, reported by name, and found in other pictures") {
  const small_run::Folder folder;
  pm::TrainOptions options = masked_options();
  // docs: begin train
  options.outputs = {{.output = "mask", .loss = "huber", .weight = 0.5}};
  pm::Trainer trainer(masked_model(), set().people, {}, options, nullptr, kinds);
  // docs: end train
  const pm::RunFolder run = pm::RunFolder::create(folder / "run", {{"train", pm::train_options_to_json(options)}});
  std::string begun, finished;
  trainer.run({}, [&](const pm::TrainEvent& event) {
    run.on_event(event);
    if (event.kind == pm::TrainEvent::Kind::step) CHECK(event.losses.size() == 1);
    if (event.kind != pm::TrainEvent::Kind::checkpoint) return;
    finished = pm::checkpoint_to_bytes(event.checkpoint());
    if (event.step == 40) begun = finished;
  });
  const std::vector<pm::Json> metrics = run.metrics();
  REQUIRE(metrics.size() == 40);
  CHECK(metrics.front()["losses"].size() == 1);
  CHECK(metrics.back()["output_losses"]["mask"].get<double>() <
        0.4 * metrics.front()["output_losses"]["mask"].get<double>());
  CHECK(run.config()["train"]["outputs"][0]["loss"] == "huber");

  const pm::Model trained = pm::Model::load(run.model());
  CHECK(trained.spec().heatmaps == std::vector<std::string>{"heatmaps"});
  CHECK(trained.spec().outputs == masked_spec().outputs);
  CHECK(mean_overlap(trained) > 0.8);
  CHECK(mean_overlap(masked_model()) < 0.4);

  pm::Trainer rest(pm::checkpoint_from_bytes(begun, "last"), set().people, {}, nullptr, kinds);
  CHECK(rest.run({}, [](const pm::TrainEvent&) {}));
  CHECK(pm::checkpoint_to_bytes(rest.checkpoint()) == finished);
  CHECK_THROWS_WITH_AS(pm::Trainer(pm::checkpoint_from_bytes(begun, "last"), set().people, {}),
                       doctest::Contains("the output mask: expected a role that this program can draw targets for: "
                                         "limb_fields, joint_offsets, got person_disc"),
                       pm::UsageError);
}

TEST_CASE("outputs: a weight scales the gradient of its output alone; 0 trains nothing and needs no role") {
  const auto moved = [](double weight, const pm::TrainKinds& known) {
    pm::TrainOptions options = masked_options();
    options.optimizer.kind = "sgd";
    options.optimizer.weight_decay = 0;
    options.outputs = {{.output = "mask", .weight = weight}};
    const pm::Model model = masked_model();
    pm::Trainer trainer(model, set().people, {}, options, nullptr, known);
    CHECK(trainer.train_step().size() == 1);
    std::vector<std::vector<double>> change;
    for (std::size_t id = 0; id < model.parameters().size(); ++id) {
      const pm::Model now = trainer.model();
      change.emplace_back();
      for (std::size_t i = 0; i < model.parameters()[id].values.size(); ++i) {
        change.back().push_back(double{now.parameters()[id].values[i]} - double{model.parameters()[id].values[i]});
      }
    }
    return change;
  };
  constexpr std::size_t mask_weights = 4, heatmap_weights = 6;
  const auto none = moved(0, {}), once = moved(1, kinds), twice = moved(2, kinds);
  REQUIRE(once.size() == 8);
  CHECK(once[heatmap_weights] == none[heatmap_weights]);
  CHECK(once[heatmap_weights] == twice[heatmap_weights]);
  CHECK(once[0] != none[0]);  // the trunk learns from both
  double largest = 0;
  for (std::size_t i = 0; i < once[mask_weights].size(); ++i) {
    CHECK(none[mask_weights][i] == 0);
    CHECK(std::abs(twice[mask_weights][i] - 2 * once[mask_weights][i]) < 1e-6);  // weights below 1 are rounded by 6e-8
    largest = std::max(largest, std::abs(once[mask_weights][i]));
  }
  CHECK(largest > 1e-5);
}

TEST_CASE("outputs: options and targets that do not fit are refused by the output's name") {
  pm::TrainOptions options = masked_options();
  options.outputs = {{.output = "masks"}};
  CHECK(refusal(options, kinds, masked_model()).find("options.outputs[0].output: expected an output of the model") !=
        std::string::npos);
  options.outputs = {{.output = "mask"}, {.output = "mask"}};
  CHECK(refusal(options, kinds, masked_model()).find("every output once") != std::string::npos);
  options.outputs = {{.output = "mask", .loss = "hubert"}};
  CHECK(refusal(options, kinds, masked_model()).find("options.outputs[0].loss: expected one of squared_error") !=
        std::string::npos);
  options.outputs = {{.output = "mask", .loss = "cross_entropy"}};
  CHECK(refusal(options, kinds, masked_model()).find("output mask: expected a spatial softmax") != std::string::npos);

  const pm::OutputRole broken{.name = "person_disc", .draw = [](const pm::TargetSample&, const pm::TargetMaps& into) {
                                into.maps[0] = std::numeric_limits<float>::quiet_NaN();
                              }};
  pm::Trainer trainer(masked_model(), set().people, {}, masked_options(), nullptr, {.roles = {broken}});
  CHECK_THROWS_WITH_AS(trainer.train_step(), doctest::Contains("targets of the output mask for"), pm::UsageError);
  CHECK_THROWS_WITH_AS(pm::OutputRoles{pm::OutputRole{.name = "none"}}, doctest::Contains("a function draw"),
                       pm::UsageError);
}

TEST_CASE("outputs: their options are JSON where there are any, and a network file gives roles") {
  pm::TrainOptions options;
  CHECK_FALSE(pm::train_options_to_json(options).contains("outputs"));
  options.outputs = {{.output = "mask", .loss = "huber", .weight = 0.25}};
  const pm::Json json = pm::train_options_to_json(options);
  CHECK(json["outputs"].dump() == R"([{"output":"mask","loss":"huber","weight":0.25}])");
  CHECK(pm::train_options_to_json(pm::train_options_from_json(json, "train")) == json);
  const auto refused = [](const char* text) {
    try {
      pm::train_options_from_json(pm::parse_json(text, "text"), "train");
    } catch (const pm::UsageError& error) {
      return std::string(error.what());
    }
    return std::string("taken");
  };
  CHECK(refused(R"({"outputs": ["mask"]})").find("train.outputs[0]: expected an object") != std::string::npos);
  CHECK(refused(R"({"outputs": [{"output": "m", "weights": 1}]})").find("did you mean \"weight\"?") !=
        std::string::npos);
  CHECK(refused(R"({"outputs": [{"output": "m", "weight": -1}]})").find("outputs[0].weight") != std::string::npos);

  const char* const text = R"({"network": "masked", "layers": [{"Input": {"name": "image", "channels": 3}},
    {"Tag": "trunk"}, {"Conv": {"out": 1, "kernel": 3}}, {"Output": "mask"},
    {"From": "trunk"}, {"Conv": {"out": 15, "kernel": 1}}, {"Output": "heatmaps"}],
    "meaning": {"input_height": 32, "input_width": 32, "outputs": [{"name": "mask", "role": "person_disc"}]}})";
  const pm::NetworkDescription described =
      pm::network_from_json(pm::parse_json(text, "n.json"), "n.json", pm::library_layers());
  CHECK(described.spec.heatmaps == std::vector<std::string>{"heatmaps"});
  CHECK(described.spec.outputs == std::vector<pm::OutputSpec>{{"mask", "person_disc"}});
}

TEST_CASE("outputs: a model refuses roles for outputs that it lacks, for its answer and twice for one") {
  const auto misfit = [](std::vector<pm::OutputSpec> outputs) {
    pm::ModelSpec spec = masked_spec();
    spec.outputs = std::move(outputs);
    try {
      pm::Model::random<Masked>(3, spec);
    } catch (const pm::ModelError& error) {
      return std::string(error.what());
    }
    return std::string("taken");
  };
  CHECK(misfit({{"mask", "anything"}}) == "taken");
  CHECK(misfit({}).find("heatmaps.mask: expected 3 maps, one per joint and the background, got 1") !=
        std::string::npos);
  CHECK(misfit({{"masks", "a"}}).find("outputs.masks: expected an output of the graph") != std::string::npos);
  CHECK(misfit({{"mask", "a"}, {"mask", "b"}}).find("every output once") != std::string::npos);
  CHECK(misfit({{"heatmaps", "a"}}).find("heatmaps as the last output") != std::string::npos);
  CHECK(misfit({{"mask", ""}}).find("outputs.mask.role: expected a name of 1 to 64 bytes") != std::string::npos);
}

TEST_CASE("outputs: flips and scales change no other output, and a stage keeps those before it") {
  const pm::Model model = masked_model();
  const pm::Image image = pm::read_image(set().others[0].image);
  const pm::Estimate plain = pm::Estimator(model).estimate_stages(image);
  REQUIRE(plain.stages.size() == 1);
  REQUIRE(plain.outputs.size() == 1);
  CHECK(plain.outputs[0].name == "mask");
  CHECK(plain.outputs[0].role == "person_disc");
  const pm::Estimate flipped = pm::Estimator(model, {.flip_average = true}).estimate_stages(image);
  CHECK(flipped.outputs[0].maps.values == plain.outputs[0].maps.values);
  CHECK(flipped.stages[0].maps.values != plain.stages[0].maps.values);
  const pm::Estimate scaled = pm::Estimator(model, {.scales = {1, 0.8}}).estimate_stages(image);
  CHECK(scaled.outputs[0].maps.values == plain.outputs[0].maps.values);
  const pm::Estimate staged = pm::Estimator(model, {.stages = 1}).estimate_stages(image);
  CHECK(staged.outputs[0].maps.values == plain.outputs[0].maps.values);
  CHECK_THROWS_WITH_AS(pm::Estimator(model, {.stages = 2}), doctest::Contains("1 to 1"), pm::UsageError);
}

}  // namespace outputs_test
