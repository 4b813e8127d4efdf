// Estimator: where the network looks, what comes back, and that nothing depends on threads or history.
#include "reference/random_model.hpp"

#include <posemachine/base/files.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/core/image.hpp>
#include <posemachine/core/random.hpp>
#include <posemachine/engine/device.hpp>
#include <posemachine/engine/dnnl_bridge.hpp>
#include <posemachine/engine/measure_costs.hpp>
#include <posemachine/engine/tuning_file.hpp>
#include <posemachine/graph/build.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops.hpp>
#include <posemachine/inference/estimator.hpp>
#include <posemachine/layers/network.hpp>
#include <posemachine/model/model.hpp>
#include <posemachine/networks/registry.hpp>
#include <posemachine/pose/calibration.hpp>
#include <posemachine/pose/pose.hpp>
#include <posemachine/schedule/cost_model.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace estimator_test {

using namespace posemachine;
using namespace posemachine::schedule;
using namespace posemachine::engine;

namespace {

Image noise(int width, int height, std::uint64_t seed) {
  Image image(width, height);
  RandomStream stream(seed, Purpose::test);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const double wave = 128 + 60 * std::sin(0.11 * x + 0.07 * y) + stream.uniform(-60, 60);
      for (std::size_t c = 0; c < 3; ++c) image.at(x, y)[c] = static_cast<std::uint8_t>(wave);
    }
  }
  return image;
}

Model small_model(bool flip_average = false) {
  ModelSpec spec;
  spec.input_height = 64;
  spec.input_width = 64;
  spec.decoder.flip_average = flip_average;
  return reference::random_model("scaling-dilation-small", graph_of<ScalingDilationSmall>(), 5, spec);
}

// A network whose maps are the picture itself, one pixel a cell: map j is 1 minus the distance from joint j's colour,
// so the whole path from photograph to keypoint can be told by eye. Joint 0 follows red, joint 1 green.
Model colour_model(int height, int width) {
  Graph graph;
  const Value image = add_input(graph, "image", 3);
  add_output(graph, "heatmaps", convolution(graph, image, {.out = 3}));
  ModelSpec spec;
  spec.joints = JointSet{};
  spec.joints.name = "two";
  spec.joints.joints = {"left", "right"};
  spec.joints.pairs = {{0, 1}};
  spec.input_height = height;
  spec.input_width = width;
  spec.normalisation = {{0, 0, 0}, {1.0 / 255, 1.0 / 255, 1.0 / 255}};
  spec.decoder.kind = "arg_max";
  const Model model = Model::random("colours", graph, 1, spec);
  std::vector<Tensor> parameters = model.parameters();
  parameters[0].values = {1, 0, 0, 0, 1, 0, 0, 0, 1};  // maps: red, green, blue
  return model.with_parameters(std::move(parameters));
}

void check_same(const std::vector<Keypoint>& got, const std::vector<Keypoint>& expected) {
  REQUIRE(got.size() == expected.size());
  for (std::size_t j = 0; j < got.size(); ++j) {
    CHECK(got[j].position.x == expected[j].position.x);
    CHECK(got[j].position.y == expected[j].position.y);
    CHECK(got[j].score == expected[j].score);
  }
}

}  // namespace

TEST_CASE("EstimatorOptions: what an execution may take by default is what executions allow") {
  CHECK(EstimatorOptions{}.max_bytes == ProgramOptions{}.max_bytes);
}

TEST_CASE("Estimator: a coloured pixel of the photograph comes back at its own place") {
  Estimator estimator(colour_model(40, 40));
  Image image(40, 40);
  image.at(31, 7)[0] = 255;
  image.at(4, 22)[1] = 204;
  const Pose pose = estimator(image);
  CHECK(pose.keypoints[0].position.x == doctest::Approx(31));
  CHECK(pose.keypoints[0].position.y == doctest::Approx(7));
  CHECK(pose.keypoints[1].position.x == doctest::Approx(4));
  CHECK(pose.keypoints[1].position.y == doctest::Approx(22));
  CHECK(pose.keypoints[0].score == doctest::Approx(1.0));
  CHECK(pose.keypoints[1].score == doctest::Approx(0.8));
  CHECK(pose.box == Box{0, 0, 40, 40});
}

TEST_CASE("Estimator: a calibrated model scores by its curve, at the same places, and looks at the same boxes") {
  const Model model = small_model();
  const Calibration curve{.half = 0.3, .slope = 2.5};
  EstimatorOptions options;
  options.second_pass = SecondPass{.min_score = 0, .min_joints = 4};
  Estimator plain(model, options);
  Estimator calibrated(model.with_calibration(curve), options);
  const Image image = noise(90, 70, 8);
  const Estimate peaks = plain.estimate_stages(image);
  const Estimate chances = calibrated.estimate_stages(image);
  CHECK(chances.pose.box.x == peaks.pose.box.x);
  CHECK(chances.pose.box.width == peaks.pose.box.width);
  for (std::size_t s = 0; s < peaks.stages.size(); ++s) {
    CHECK(chances.stages[s].maps.values == peaks.stages[s].maps.values);
    std::vector<Keypoint> expected = peaks.stages[s].keypoints;
    for (Keypoint& keypoint : expected) keypoint.score = curve(keypoint.score);
    check_same(chances.stages[s].keypoints, expected);
  }
  check_same(chances.pose.keypoints, chances.stages.back().keypoints);
}

TEST_CASE("Estimator: a photograph that is not square is seen whole, and a box moves and scales what is seen") {
  Estimator estimator(colour_model(60, 60));
  Image image(120, 50);
  for (const auto& [dx, dy] : {std::pair{0, 0}, {1, 0}, {0, 1}, {1, 1}}) image.at(100 + dx, 42 + dy)[0] = 255;
  const Pose whole = estimator(image);  // 2 image pixels a cell
  CHECK(whole.keypoints[0].position.x == doctest::Approx(100.5));
  CHECK(std::abs(whole.keypoints[0].position.y - 42.5) <= 1.0);
  const Box box{80, 34, 24, 12};  // square 30: half a pixel a cell
  const Estimate near = estimator.estimate_stages(image, box);
  CHECK(near.square.width == doctest::Approx(30));
  CHECK(near.square.x == doctest::Approx(77));
  CHECK(near.pose.box == box);
  CHECK(std::abs(near.pose.keypoints[0].position.x - 100.5) <= 0.8);
}

TEST_CASE("Estimator: keypoints stay within the image even where the square reaches beyond it") {
  const Image image = noise(30, 90, 3);
  Estimator estimator(small_model());
  const Estimate estimate = estimator.estimate_stages(image);
  REQUIRE(estimate.stages.size() == 3);
  for (const StageEstimate& stage : estimate.stages) {
    for (const Keypoint& keypoint : stage.keypoints) {
      REQUIRE(keypoint.found());
      CHECK(keypoint.position.x >= 0);
      CHECK(keypoint.position.x <= 29);
      CHECK(keypoint.position.y >= 0);
      CHECK(keypoint.position.y <= 89);
    }
  }
}

TEST_CASE("Estimator: a tuning file is read once and shared, changes no pose beyond rounding, and is refused by name") {
  const Model model = small_model();
  const std::string path = (std::filesystem::temp_directory_path() / "posemachine_estimator_tuning.json").string();
  CostModel costs;
  const Graph graph = Estimator(model).model().graph();
  for (const ConvolutionCase& which : convolution_cases(graph, {64, 64})) costs.set(which, 1, {10, 20, 1});
  write_file_atomically(path, tuning_text(costs));
  Estimator plain(model);
  Estimator tuned(model, {.tuning = path});
  write_file_atomically(path, "{}");
  Estimator copy = tuned.with({.threads = 2, .tuning = path});  // not read again
  const Image image = noise(70, 50, 4);
  for (Estimator* estimator : {&tuned, &copy}) {
    const Estimate estimate = estimator->estimate_stages(image);
    const Estimate truth = plain.estimate_stages(image);
    // The file was used: with the kernels of 2.6 for AVX-512, channels last rounds otherwise. Those of 3.x give equal
    // bytes.
    if (Device::cpu().block() == 16 && !dnnl_is_v3)
      CHECK(estimate.stages[2].maps.values != truth.stages[2].maps.values);
    for (std::size_t i = 0; i < truth.stages[2].maps.values.size(); ++i) {
      CHECK(estimate.stages[2].maps.values[i] == doctest::Approx(truth.stages[2].maps.values[i]).epsilon(1e-3));
    }
  }
  CHECK_THROWS_AS(Estimator(model, {.tuning = path}), DataError);
  CHECK_THROWS_AS(plain.with({.tuning = path}), DataError);
  std::filesystem::remove(path);
}

TEST_CASE("Estimator: every stage has its maps, and the pose is that of the last") {
  Estimator estimator(small_model());
  const Estimate estimate = estimator.estimate_stages(noise(70, 50, 4));
  REQUIRE(estimate.stages.size() == 3);
  for (const StageEstimate& stage : estimate.stages) CHECK(stage.maps.shape == Shape{15, 8, 8});
  CHECK(estimate.stages[0].maps.values != estimate.stages[2].maps.values);
  check_same(estimate.pose.keypoints, estimate.stages[2].keypoints);
  CHECK(estimator.estimate_stages(noise(70, 50, 4), {}, {96, 64}).stages[0].maps.shape == Shape{15, 12, 8});
}

TEST_CASE("Estimator: boxes together give the poses of boxes one by one, for any number of threads") {
  const Image image = noise(160, 120, 5);
  const std::vector<Box> boxes{{0, 0, 40, 80}, {30, 20, 60, 60}, {100, 10, 30, 100}, {-10, 70, 50, 70}, {5, 5, 3, 2}};
  Estimator one(small_model());
  Estimator two = one.with({.threads = 2});
  const std::vector<Pose> expected = one(image, boxes);
  const std::vector<Pose> got = two(image, boxes);
  REQUIRE(got.size() == boxes.size());
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    CHECK(got[i].box == boxes[i]);
    check_same(got[i].keypoints, expected[i].keypoints);
    check_same(one.estimate_stages(image, boxes[i]).pose.keypoints, expected[i].keypoints);
  }
  CHECK(two(image, std::vector<Box>{}).empty());
}

TEST_CASE("Estimator: copies on threads of their own give the bytes of one") {
  const Estimator first(small_model(true));
  std::vector<std::vector<std::vector<float>>> maps(3);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < maps.size(); ++t) {
    threads.emplace_back([&, t] {
      Estimator mine = first;
      for (std::uint64_t i = 0; i < 4; ++i)
        maps[t].push_back(mine.estimate_stages(noise(90, 90, i)).stages.back().maps.values);
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(maps[1] == maps[0]);
  CHECK(maps[2] == maps[0]);
  CHECK(maps[0][0] != maps[0][1]);
}

TEST_CASE("Estimator: with the flip average the mirrored photograph has the mirrored pose, sides exchanged") {
  Estimator estimator(small_model(true));
  const Image image = noise(64, 64, 8);
  Image mirrored(64, 64);
  for (int y = 0; y < 64; ++y) {
    for (int x = 0; x < 64; ++x) {
      for (std::size_t c = 0; c < 3; ++c) mirrored.at(63 - x, y)[c] = image.at(x, y)[c];
    }
  }
  const Pose pose = estimator(image);
  const Pose other = estimator(mirrored);
  const std::vector<int> partner = mirror(estimator.model().spec().joints);
  for (std::size_t j = 0; j < pose.keypoints.size(); ++j) {
    const Keypoint& twin = other.keypoints[static_cast<std::size_t>(partner[j])];
    CHECK(twin.position.x == doctest::Approx(63 - pose.keypoints[j].position.x));
    CHECK(twin.position.y == doctest::Approx(pose.keypoints[j].position.y));
    CHECK(twin.score == doctest::Approx(pose.keypoints[j].score));
  }
  Estimator plain(small_model(false));
  CHECK(plain.estimate_stages(image).stages[2].maps.values != estimator.estimate_stages(image).stages[2].maps.values);
}

TEST_CASE("Estimator: weights that are not finite give missing joints, no index and no crash") {
  const Model model = small_model();
  std::vector<Tensor> parameters = model.parameters();
  parameters.back().values[3] = std::numeric_limits<float>::infinity();  // bias of the last convolution: map 3
  parameters.back().values[4] = std::numeric_limits<float>::quiet_NaN();
  const Pose pose = Estimator(model.with_parameters(std::move(parameters)))(noise(50, 50, 1));
  REQUIRE(pose.keypoints.size() == 14);
  for (std::size_t j = 0; j < 14; ++j) {
    CHECK(pose.keypoints[j].found() == (j != 3 && j != 4));
    if (j == 3 || j == 4) CHECK(pose.keypoints[j].score == 0);
  }
}

TEST_CASE("Estimator: a centre input is fed its Gaussian, the same before and after a flip") {
  Graph graph;
  const Value image = add_input(graph, "image", 3);
  const Value centre = add_input(graph, "centre", 1);
  add_output(graph, "heatmaps", convolution(graph, concat(graph, {image, centre}), {.out = 2}));
  ModelSpec spec;
  spec.inputs = {{"image", InputRole::image, 0}, {"centre", InputRole::centre_gaussian, 5}};
  spec.joints = JointSet{};
  spec.joints.name = "one";
  spec.joints.joints = {"middle"};
  spec.input_height = spec.input_width = 33;
  spec.decoder.flip_average = true;
  const Model model = Model::random("centre", graph, 1, spec);
  std::vector<Tensor> parameters = model.parameters();
  parameters[0].values = {0, 0, 0, 1, 0, 0, 0, 0};
  Estimator estimator(model.with_parameters(std::move(parameters)));
  for (int again = 0; again < 2; ++again) {
    const Pose pose = estimator(noise(66, 66, 2));
    CHECK(pose.keypoints[0].position.x == doctest::Approx(32.5));
    CHECK(pose.keypoints[0].position.y == doctest::Approx(32.5));
    CHECK(pose.keypoints[0].score == doctest::Approx(1.0));
  }
}

TEST_CASE("Estimator: boxes and sizes that mean nothing are refused by name") {
  Estimator estimator(small_model());
  const Image image = noise(50, 40, 1);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const Box& box : {Box{0, 0, 0, 10}, Box{0, 0, 10, -1}, Box{nan, 0, 10, 10}, Box{50, 0, 10, 10}, Box{0, -9, 5, 9},
                         Box{0, 0, std::numeric_limits<double>::infinity(), 10}}) {
    const std::vector<Box> boxes{{0, 0, 9, 9}, box};
    CHECK_THROWS_WITH_AS(estimator(image, boxes), doctest::Contains("box: expected"), UsageError);
  }
  CHECK_THROWS_AS(estimator(image, std::vector<Box>{{-1e12, -1e12, 3e12, 3e12}}), UsageError);
  CHECK_THROWS_AS(estimator(Image{}), DataError);
  CHECK_THROWS_AS(estimator.estimate_stages(image, {}, {60, 64}), ModelError);
  CHECK_THROWS_AS(Estimator(small_model(), {.threads = 0}), UsageError);
}

TEST_CASE("Estimator: a model whose maps need more memory than allowed is refused before it is taken") {
  const Model model = small_model();
  Estimator estimator(model, {.max_bytes = 4096});
  CHECK_THROWS_WITH_AS(estimator(Image(40, 30)), doctest::Contains("ProgramOptions::max_bytes"), ModelError);
  CHECK_NOTHROW(estimator.with({})(Image(40, 30)));
}

TEST_CASE(
    "Estimator: stopped after an earlier stage it gives that stage's keypoints, for as many stages as there are") {
  const Model model = small_model(true);
  const Image image = noise(90, 70, 4);
  Estimator whole(model);
  const Estimate all = whole.estimate_stages(image);
  REQUIRE(all.stages.size() == 3);
  for (int stages = 1; stages <= 3; ++stages) {
    Estimator early = whole.with({.stages = stages});
    const Estimate estimate = early.estimate_stages(image);
    REQUIRE(estimate.stages.size() == static_cast<std::size_t>(stages));
    check_same(estimate.pose.keypoints, all.stages[static_cast<std::size_t>(stages) - 1].keypoints);
  }
  CHECK_THROWS_WITH_AS(Estimator(model, {.stages = 4}), doctest::Contains("expected 1 to 3"), UsageError);
}

}  // namespace estimator_test
