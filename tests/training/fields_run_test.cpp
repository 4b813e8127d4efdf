// The library's roles of outputs, trained on drawn arms, stored, and decoded by name.
#include "small_run.hpp"

#include <posemachine/compose.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/core/image.hpp>
#include <posemachine/core/random.hpp>
#include <posemachine/data/image_io.hpp>
#include <posemachine/data/output_targets.hpp>
#include <posemachine/data/person.hpp>
#include <posemachine/inference/estimator.hpp>
#include <posemachine/inference/estimator_pool.hpp>
#include <posemachine/inference/evaluate.hpp>
#include <posemachine/model/model.hpp>
#include <posemachine/pose/model_spec_json.hpp>
#include <posemachine/pose/output_decoders/limb_scores.hpp>
#include <posemachine/pose/output_decoders/output_decoder.hpp>
#include <posemachine/pose/pose.hpp>
#include <posemachine/pose/targets.hpp>
#include <posemachine/training/output_roles.hpp>
#include <posemachine/training/train_kinds.hpp>
#include <posemachine/training/trainer.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <numbers>
#include <string>
#include <utility>
#include <vector>

namespace fields_run_test {

namespace pm = posemachine;

namespace {

constexpr int side_px = 64;

// clang-format off: a composition, one part after another
// docs: begin fields_network
struct Arms : pm::Network<
    pm::Input<"image", 3>, pm::ConvReLU<12, 3, pm::Norm::batch>, pm::AveragePool<4>,
    pm::ConvReLU<24, 5, pm::Norm::batch>, pm::ConvReLU<24, 7, pm::Norm::batch>, pm::Tag<"trunk">,
    pm::Conv<4, 3>, pm::Output<"fields">,                       // two limbs
    pm::From<"trunk">, pm::Conv<6, 3>, pm::Output<"offsets">,   // three joints
    pm::From<"trunk">, pm::Conv<4, 3>, pm::Output<"heatmaps">> {};
// docs: end fields_network
// clang-format on

pm::ModelSpec arms_spec() {
  pm::ModelSpec spec;
  spec.joints = {};
  spec.joints.name = "arm";
  spec.joints.joints = {"shoulder", "elbow", "wrist"};
  spec.joints.limbs = {{0, 1, {}}, {1, 2, {}}};
  spec.joints.torso = {0, 2};
  spec.input_height = spec.input_width = side_px;
  spec.sigma_px = 4;
  spec.decoder.kind = "arg_max";
  // docs: begin fields_meaning
  spec.outputs = {{"fields", "limb_fields", "limb_scores"}, {"offsets", "joint_offsets", "refined_joints"}};
  // docs: end fields_meaning
  return spec;
}

pm::Model arms_model() { return pm::Model::random<Arms>(3, arms_spec()); }

void draw_bar(pm::Image& image, pm::Point from, pm::Point to, int channel) {
  for (int i = 0; i <= 100; ++i) {
    const pm::Point at = from + i / 100.0 * (to - from);
    for (int y = 0; y < side_px; ++y) {
      for (int x = 0; x < side_px; ++x) {
        if (pm::distance(at, {double(x), double(y)}) <= 2.5) image.at(x, y)[channel] = 220;
      }
    }
  }
}

// A red upper arm that hangs down, more or less, and a green lower arm, on dark noise.
pm::Person arm_person(const small_run::Folder& folder, int number) {
  pm::RandomStream stream(33, pm::Purpose::test, 0, std::uint64_t(number));
  pm::Image image(side_px, side_px);
  for (std::uint8_t& value : image.pixels) value = static_cast<std::uint8_t>(stream.below(60));
  const pm::Point elbow{stream.uniform(26, 38), stream.uniform(26, 38)};
  const double turn = stream.uniform(-0.7, 0.7) - std::numbers::pi / 2, bend = stream.uniform(2.2, 4.1);
  const pm::Point shoulder = elbow + 14 * pm::Point{std::cos(turn), std::sin(turn)};
  const pm::Point wrist = elbow + 14 * pm::Point{std::cos(turn + bend), std::sin(turn + bend)};
  draw_bar(image, shoulder, elbow, 0);
  draw_bar(image, elbow, wrist, 1);
  pm::Person person{folder / ("arm" + std::to_string(number) + ".png"), "made", number + 1, {}, pm::Framing::image};
  pm::write_png(person.image, image);
  for (const pm::Point joint : {shoulder, elbow, wrist}) person.joints.push_back({joint, pm::JointState::visible});
  return person;
}

struct Set {
  small_run::Folder folder;
  std::vector<pm::Person> people, others;

  Set() {
    for (int i = 0; i < 108; ++i) (i < 96 ? people : others).push_back(arm_person(folder, i));
  }
};
const Set& set() {
  static const Set made;
  return made;
}

pm::TrainOptions arms_options() {
  pm::TrainOptions options;
  options.epochs = 40;  // of 12 steps
  options.batch = 8;
  options.slice = 8;
  options.workers = 1;
  options.rate = 5e-3;
  options.warmup_steps = 5;
  options.augmentation.shift = 0.02;
  options.augmentation.rotation_deg = 0;
  options.augmentation.scale_min = options.augmentation.scale_max = 1;
  return options;
}

// Trained once for all cases.
const pm::Model& trained() {
  static const pm::Model model = [] {
    pm::Trainer trainer(arms_model(), set().people, {}, arms_options());
    trainer.run({}, [](const pm::TrainEvent&) {});
    return trainer.model();
  }();
  return model;
}

double mean_over_others(const std::function<double(const pm::Person&)>& of) {
  double sum = 0;
  for (const pm::Person& person : set().others) sum += of(person);
  return sum / double(set().others.size());
}

std::string refusal(const pm::Model& model, const pm::TrainKinds& kinds = {}) {
  try {
    const pm::Trainer trainer(model, set().people, {}, arms_options(), nullptr, kinds);
  } catch (const pm::Error& error) {
    return error.what();
  }
  return "taken";
}

// docs: begin decoder
// The share of the map that is above a half, and where its highest value lies in the image.
struct Spot {
  double share = 0;
  pm::Point highest;
};

pm::Decoded find_spot(const pm::OutputMaps& output) {
  const pm::MapView<const float>& maps = output.maps;
  Spot spot;
  float best = maps.at(0, 0, 0, 0);
  for (int y = 0; y < maps.h; ++y) {
    for (int x = 0; x < maps.w; ++x) {
      const float value = maps.at(0, 0, y, x);
      if (value > 0.5f) spot.share += 1.0 / double(maps.cells());
      if (value < best) continue;
      best = value;
      spot.highest =
          pm::apply(output.image_from_input, {pm::cell_centre(x, output.stride), pm::cell_centre(y, output.stride)});
    }
  }
  return spot;
}

const pm::OutputDecoder spot_decoder{.name = "spot", .does = "how large and where", .decode = find_spot};
// docs: end decoder

pm::Model spotted_model() {
  pm::ModelSpec spec = arms_spec();
  spec.outputs[0].decoder = "spot";
  return pm::Model::random<Arms>(3, spec);
}

}  // namespace

TEST_CASE("output roles: limb scores tell right limbs from wrong ones, refined joints beat whole cells") {
  pm::Estimator estimator(trained());
  double right = 0, wrong = 0;
  const double found = mean_over_others([&](const pm::Person& person) {
    const pm::Estimate estimate = estimator.estimate_stages(pm::read_image(person.image));
    // docs: begin decoded
    const pm::NamedNumbers& scores = estimate.pose.decoded<pm::NamedNumbers>("fields");
    // docs: end decoded
    REQUIRE(scores.size() == 2);
    CHECK(scores[0].first == "shoulder-elbow");
    for (const auto& [name, score] : scores) right += score / 2;
    // The same fields along limbs that are not there: from the wrist to the shoulder, and back.
    const pm::JointSet& joints = trained().spec().joints;
    const std::vector<pm::Keypoint> swapped{estimate.pose.keypoints[2], estimate.pose.keypoints[0],
                                            estimate.pose.keypoints[2]};
    const pm::Affine same = pm::image_from_input({0, 0, side_px, side_px}, {side_px, side_px});
    const pm::NamedNumbers others = pm::limb_scores({"fields",
                                                     "limb_fields",
                                                     pm::view_of(estimate.outputs[0].maps),
                                                     4,
                                                     swapped,
                                                     joints,
                                                     same,
                                                     {side_px, side_px},
                                                     {side_px, side_px}});
    for (const auto& [name, score] : others) wrong += score / 2;
    double error = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      error += pm::distance(estimate.pose.keypoints[j].position, person.joints[j].position) / 3;
    }
    return error;
  });
  const double refined = mean_over_others([&](const pm::Person& person) {
    const pm::Pose pose = estimator(pm::read_image(person.image));
    double error = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      const auto& [name, keypoint] = pose.decoded<pm::NamedKeypoints>("offsets")[j];
      CHECK(name == trained().spec().joints.joints[j]);
      CHECK(keypoint.score == pose.keypoints[j].score);
      error += pm::distance(keypoint.position, person.joints[j].position) / 3;
    }
    return error;
  });
  right /= double(set().others.size());
  wrong /= double(set().others.size());
  CHECK(right > 0.4);
  CHECK(wrong < 0.2);
  CHECK(found < 4);
  CHECK(refined < found);
}

TEST_CASE("output roles: channels that are not the joint set's are refused, and names that the library has") {
  pm::ModelSpec spec = arms_spec();
  spec.outputs[0].role = "joint_offsets";
  CHECK(refusal(pm::Model::random<Arms>(3, spec))
            .find("the output fields: expected 6 channels for its role joint_offsets and the joint set arm, got 4") !=
        std::string::npos);
  spec = arms_spec();
  spec.joints.limbs.clear();
  CHECK(refusal(pm::Model::random<Arms>(3, spec)).find("give the joint set limbs") != std::string::npos);
  CHECK(pm::OutputRoles().names() == std::vector<std::string>{"limb_fields", "joint_offsets"});
  const pm::OutputRole mine{.name = "limb_fields", .draw = [](const pm::TargetSample&, const pm::TargetMaps&) {}};
  CHECK_THROWS_WITH_AS(pm::OutputRoles{mine}, doctest::Contains("a name of its own"), pm::UsageError);
}

TEST_CASE("output decoders: a user's own is given to the estimator, and refused by name where it is missing") {
  const pm::Model model = spotted_model();
  const pm::Image image = pm::read_image(set().others[0].image);
  // docs: begin own_decoder
  pm::Estimator estimator(model, {.own_output_decoders = {spot_decoder}});
  const pm::Pose pose = estimator(image);
  const Spot& spot = pose.decoded<Spot>("fields");
  // docs: end own_decoder
  const pm::Tensor maps = estimator.estimate_stages(image).outputs[0].maps;
  const auto highest = std::max_element(maps.values.begin(), maps.values.begin() + 256) - maps.values.begin();
  CHECK(spot.highest.x == doctest::Approx(pm::cell_centre(double(highest % 16), 4)));
  CHECK(spot.highest.y == doctest::Approx(pm::cell_centre(double(highest / 16), 4)));
  CHECK_THROWS_WITH_AS(pose.decoded<pm::NamedNumbers>("fields"),
                       doctest::Contains("the output fields, decoded by spot: expected"), pm::UsageError);
  CHECK_THROWS_WITH_AS(pm::Estimator{model},
                       doctest::Contains("the decoder of the output fields: expected one of limb_scores, "
                                         "refined_joints, got \"spot\""),
                       pm::ModelError);
  CHECK(pm::Estimator(model, {.decode_outputs = false})(image).outputs.empty());
  CHECK(pm::evaluate(pm::Estimator(model, {.decode_outputs = false}), set().others).people == 12);
  pm::Trainer trainer(model, set().people, set().others, arms_options());  // validation needs no decoder
  CHECK(refusal(model) == "taken");

  // Several people, several threads, a pool: the same values.
  const std::vector<pm::Box> boxes{{0, 0, 64, 64}, {0, 0, 64, 64}};
  pm::Estimator pair(model, {.threads = 2, .own_output_decoders = {spot_decoder}});
  const std::vector<pm::Pose> poses = pair(image, boxes);
  CHECK(poses[0].decoded<Spot>("fields").share == poses[1].decoded<Spot>("fields").share);
  CHECK(poses[0].outputs.size() == 2);
  pm::EstimatorPool pool(model, {.threads = 1, .estimator = {.own_output_decoders = {spot_decoder}}});
  CHECK(pool.submit(image).get().decoded<Spot>("fields").share == spot.share);
}

TEST_CASE("output decoders: joints are where the maps of another first scale have them") {
  const pm::Image image = pm::read_image(set().others[1].image);
  const pm::Pose plain = pm::Estimator(trained())(image);
  const pm::Pose scaled = pm::Estimator(trained(), {.scales = {0.8, 1}})(image);
  for (std::size_t j = 0; j < 3; ++j) {
    const pm::Point one = plain.decoded<pm::NamedKeypoints>("offsets")[j].second.position;
    const pm::Point other = scaled.decoded<pm::NamedKeypoints>("offsets")[j].second.position;
    CHECK(pm::distance(one, other) < 5);
  }
}

TEST_CASE("output decoders: files name one where the output has it, and are otherwise the same bytes") {
  pm::ModelSpec spec = arms_spec();
  CHECK(pm::spec_to_json(spec)["outputs"].dump() ==
        R"([{"name":"fields","role":"limb_fields","decoder":"limb_scores"},)"
        R"({"name":"offsets","role":"joint_offsets","decoder":"refined_joints"}])");
  CHECK(pm::spec_from_json(pm::spec_to_json(spec), "m").outputs == spec.outputs);
  for (pm::OutputSpec& output : spec.outputs) output.decoder.clear();
  CHECK(pm::spec_to_json(spec)["outputs"].dump() ==
        R"([{"name":"fields","role":"limb_fields"},{"name":"offsets","role":"joint_offsets"}])");
  pm::Json json = pm::spec_to_json(spec);
  json["outputs"][0]["decoder"] = "";
  CHECK_THROWS_WITH_AS(pm::spec_from_json(json, "m"), doctest::Contains("m.outputs.fields.decoder"), pm::ModelError);
  json["outputs"][0]["decoder"] = std::string(65, 'x');
  CHECK_THROWS_WITH_AS(pm::spec_from_json(json, "m"), doctest::Contains("outputs.fields.decoder: expected a name"),
                       pm::ModelError);
}

}  // namespace fields_run_test
