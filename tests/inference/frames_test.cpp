// Estimators of networks that are fed several frames of a video.
#include "noise.hpp"
#include "reference/random_model.hpp"
#include "refusal.hpp"
#include "temporary_folder.hpp"

#include <posemachine/core/error.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/core/image.hpp>
#include <posemachine/data/damaged_images.hpp>
#include <posemachine/data/image_io.hpp>
#include <posemachine/data/image_kinds.hpp>
#include <posemachine/data/person.hpp>
#include <posemachine/inference/estimator.hpp>
#include <posemachine/inference/estimator_pool.hpp>
#include <posemachine/inference/evaluate.hpp>
#include <posemachine/inference/pose_estimator.hpp>
#include <posemachine/layers/network.hpp>
#include <posemachine/model/frames_input.hpp>
#include <posemachine/model/grey_input.hpp>
#include <posemachine/model/model.hpp>
#include <posemachine/model/named_network.hpp>
#include <posemachine/model/take_weights.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace frames_test {

using namespace posemachine;
using test_environment::contains;
using test_environment::noise;
using test_environment::refusal;

namespace {

constexpr int side = 16;  // pixels of the network's input

// A network whose maps are the channels of its input, in their order; as many joints as channels but one.
template <int Channels>
Model copying_model(std::vector<int> frames, const std::string& colour_order) {
  struct Net : Network<Input<"image", Channels>, Conv<Channels, 1>, Output<"heatmaps">> {};
  ModelSpec spec;
  spec.joints = JointSet();
  spec.joints.name = "channels";
  for (int c = 0; c + 1 < Channels; ++c) spec.joints.joints.push_back("channel" + std::to_string(c));
  spec.input_height = spec.input_width = side;
  spec.colour_order = colour_order;
  spec.frames = std::move(frames);
  spec.normalisation = {{0, 0, 0}, {1.0 / 255, 1.0 / 255, 1.0 / 255}};
  const Model model = Model::random<Net>(1, spec);
  std::vector<Tensor> parameters = model.parameters();
  std::fill(parameters[0].values.begin(), parameters[0].values.end(), 0.0f);
  for (std::size_t c = 0; c < Channels; ++c) parameters[0].values[c * Channels + c] = 1;
  return model.with_parameters(std::move(parameters));
}

// The frames of a clip of noise.
std::vector<Image> clip(int count, int width, int height) {
  std::vector<Image> pictures;
  for (int i = 0; i < count; ++i) pictures.push_back(noise(width, height, static_cast<std::uint64_t>(i)));
  return pictures;
}

std::vector<ImageView> views(const std::vector<Image>& pictures) { return {pictures.begin(), pictures.end()}; }

std::vector<float> map_of(const Tensor& maps, std::size_t channel) {
  const auto size = static_cast<std::ptrdiff_t>(maps.shape[1] * maps.shape[2]);
  const auto begin = maps.values.begin() + static_cast<std::ptrdiff_t>(channel) * size;
  return {begin, begin + size};
}

Tensor last_maps(const Estimate& estimate) { return estimate.stages.back().maps; }

void check_same(const Pose& got, const Pose& expected) {
  CHECK(got.box == expected.box);
  REQUIRE(got.keypoints.size() == expected.keypoints.size());
  for (std::size_t j = 0; j < got.keypoints.size(); ++j) {
    CHECK(got.keypoints[j].position == expected.keypoints[j].position);
  }
}

NetworkDescription small_network() {
  NetworkDescription network = description_of(*find_network("scaling-dilation-small"));
  network.spec.input_height = network.spec.input_width = 32;
  return network;
}

Model small_model(std::vector<int> frames) {
  const NetworkDescription network = with_frames(small_network(), std::move(frames));
  return reference::random_model(network.name, network.graph, 5, network.spec);
}

}  // namespace

TEST_CASE("Estimator: the input is the frames' channels, frame by frame, in the model's order of colours") {
  const std::vector<Image> pictures = clip(2, side, side);
  for (const bool bgr : {false, true}) {
    Estimator estimator(copying_model<6>({-1, 0}, bgr ? "bgr" : "rgb"));
    const Tensor maps = last_maps(estimator.estimate_stages(views(pictures)));
    double worst = 0;
    for (std::size_t frame = 0; frame < 2; ++frame) {
      for (std::size_t c = 0; c < 3; ++c) {
        const std::vector<float> map = map_of(maps, 3 * frame + c);
        for (std::size_t i = 0; i < map.size(); ++i) {
          const double pixel = pictures[frame].pixels[3 * i + (bgr ? 2 - c : c)] / 255.0;
          worst = std::max(worst, std::abs(double{map[i]} - pixel));
        }
      }
    }
    CHECK(worst < 1e-6);
  }
}

TEST_CASE("Estimator: each frame is cropped, mirrored and scaled as a picture by itself, to the bit") {
  const std::vector<Image> pictures = clip(3, 50, 40);
  std::vector<EstimatorOptions> all(3);
  all[1].flip_average = true;
  all[2].scales = {1, 0.8, 1.3};
  const Box box{5, 3, 30, 25};
  for (const EstimatorOptions& options : all) {
    Estimator of_three(copying_model<3>({-2, 0, 1}, "grey"), options);
    Estimator of_colours(copying_model<3>({0}, "rgb"), options);
    const Estimate estimate = of_three.estimate_stages(views(pictures), box);
    for (std::size_t frame = 0; frame < 3; ++frame) {
      // Three equal channels of the frame's luma.
      const Image grey = rgb_of(luma(pictures[frame]));
      CHECK(map_of(last_maps(estimate), frame) == map_of(last_maps(of_colours.estimate_stages(grey, box)), 0));
    }
  }
}

TEST_CASE("Estimator: the second pass looks at all frames where the first one found the person") {
  const std::vector<Image> pictures = clip(2, 60, 70);
  const Model model = small_model({-1, 0});
  Estimator twice(model, {.second_pass = SecondPass{.min_score = 0}}), once(model);
  const Estimate second = twice.estimate_stages(views(pictures));
  const Estimate expected = once.estimate_stages(views(pictures), second.pose.box);
  CHECK(second.pose.box != once.estimate_stages(views(pictures)).pose.box);
  CHECK(last_maps(second).values == last_maps(expected).values);
}

TEST_CASE("Estimator: another frame changes the answer, and all doors of estimation say the same") {
  const std::vector<Image> pictures = clip(2, 60, 70);
  const std::vector<Box> boxes{{0, 0, 30, 40}, {10, 10, 35, 45}, {5, 20, 40, 40}};
  const Model model = small_model({-1, 0});
  Estimator estimator(model);
  const Estimate expected = estimator.estimate_stages(views(pictures));
  CHECK(last_maps(estimator.estimate_stages(views({pictures[1], pictures[1]}))).values != last_maps(expected).values);
  const std::vector<Pose> poses = estimator(views(pictures), boxes);
  check_same(estimator(views(pictures)), expected.pose);
  Estimator team(model, {.threads = 3});
  const std::vector<Pose> by_team = team(views(pictures), boxes);

  const test_environment::TemporaryFolder folder;
  model.save(folder / "model.safetensors");
  PoseEstimator light((folder / "model.safetensors").string());
  CHECK(light.spec().frames == std::vector{-1, 0});
  check_same(light(views(pictures)), expected.pose);
  check_same(light.estimate_stages(views(pictures), boxes[1]).pose, poses[1]);
  const std::vector<Pose> by_light = light(views(pictures), boxes);
  EstimatorPool pool(model, {.threads = 2});
  const std::vector<AnyImage> owned(pictures.begin(), pictures.end());
  auto one = pool.submit(owned);
  auto several = pool.submit(owned, boxes);
  check_same(one.get(), expected.pose);
  const std::vector<Pose> by_pool = several.get();
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    for (const auto& other : {by_team, by_light, by_pool}) check_same(other[i], poses[i]);
  }
  CHECK(contains(refusal<UsageError>([&] { pool.submit(pictures[0]).get(); }), "frames: expected 2 pictures"));
}

TEST_CASE("Estimator: another number of pictures, another size and an empty frame are refused") {
  const std::vector<Image> pictures = clip(3, 40, 30);
  const std::vector<Box> boxes{{0, 0, 20, 20}};
  Estimator estimator(small_model({-2, 0, 1}));
  const std::string message =
      "frames: expected 3 pictures, of the model's frames -2, 0, 1, where 0 is the one estimated, got ";
  CHECK(refusal<UsageError>([&] { estimator(pictures[0]); }) == message + "1");
  CHECK(refusal<UsageError>([&] { estimator(pictures[0], boxes); }) == message + "1");
  CHECK(refusal<UsageError>([&] { estimator(views(clip(4, 40, 30))); }) == message + "4");
  CHECK(refusal<UsageError>([&] { estimator(std::vector<ImageView>()); }) == message + "0");
  std::vector<Image> other = pictures;
  other[2] = noise(30, 40, 1);
  CHECK(refusal<DataError>([&] { estimator(views(other)); }) ==
        "frame 1: expected 40 x 30 pixels, as frame 0 has, got 30 x 40");
  other[2] = Image();
  CHECK(contains(refusal<DataError>([&] { estimator(views(other), boxes); }), "got 0 x 0"));
  CHECK(
      contains(refusal<DataError>([&] { estimator(views(std::vector<Image>(3))); }), "image: expected at least 1 x 1"));
  Estimator one(small_model({0}));
  CHECK(refusal<UsageError>([&] { one(views(clip(2, 40, 30))); }) ==
        "frames: expected one picture, as the model has one frame, got 2");
  CHECK(last_maps(one.estimate_stages(views(clip(1, 40, 30)))).values ==
        last_maps(one.estimate_stages(pictures[0])).values);
}

TEST_CASE("take_weights: a network of several frames begun with one of one frame gives its maps, whatever else moves") {
  const Model one = small_model({0});
  const Model begun = take_weights(small_model({-1, 0, 1}), one).model;
  const std::vector<Image> pictures = clip(3, 60, 60);
  Estimator wide(begun), narrow(one);
  const Estimate got = wide.estimate_stages(views(pictures)), expected = narrow.estimate_stages(pictures[1]);
  const std::vector<float> a = last_maps(got).values;
  const std::vector<float> b = last_maps(expected).values;
  REQUIRE(a.size() == b.size());
  double most = 0, worst = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    most = std::max(most, double(std::abs(b[i])));
    worst = std::max(worst, double(std::abs(a[i] - b[i])));
  }
  CHECK(most > 0.01);
  CHECK(worst < 1e-4 * most);  // some thirty layers of sums in another order
}

TEST_CASE("evaluate: each image is estimated with the frames beside it; people without theirs are left out") {
  const test_environment::TemporaryFolder folder;
  const std::vector<Image> pictures = clip(5, 50, 60);
  const auto file = [&](std::size_t i) { return folder / ("f" + std::to_string(10 * i) + ".png"); };
  Estimator estimator(small_model({-1, 0}));
  std::vector<Person> people;
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    write_png(file(i), pictures[i]);
    Person person;
    person.image = file(i);
    const std::vector<Image> frames{pictures[i == 0 ? 0 : i - 1], pictures[i]};
    for (const Keypoint& keypoint : estimator.estimate_stages(views(frames)).pose.keypoints) {
      person.joints.push_back({keypoint.position, JointState::visible});
    }
    people.push_back(person);
  }
  EvaluateOptions options;
  for (const int threads : {1, 3}) {
    options.threads = threads;
    CHECK(evaluate(estimator, people, options).pck().mean == 100);
  }
  std::ofstream(file(2)) << "no picture";
  CHECK(contains(refusal<DataError>([&] { evaluate(estimator, std::vector{people[3]}, options); }),
                 "f30.png: frame -1: " + file(2).string()));
  options.damaged = std::make_shared<DamagedImages>();
  const EvaluationResult result = evaluate(estimator, people, options);
  CHECK(options.damaged->all().size() == 2);
  CHECK(options.damaged->contains(file(2)));
  CHECK(options.damaged->contains(file(3)));
  for (std::size_t i = 0; i < people.size(); ++i) CHECK(result.estimates[0][i].empty() == (i == 2 || i == 3));
  CHECK(result.pck().mean == 100);
}

}  // namespace frames_test
