// What an Estimator does beyond one look: scales, flip, decoder and second pass, each against its parts.
#include "noise.hpp"
#include "reference/random_model.hpp"

#include <posemachine/core/error.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/core/image.hpp>
#include <posemachine/core/map.hpp>
#include <posemachine/core/tensor.hpp>
#include <posemachine/data/crop.hpp>
#include <posemachine/graph/build.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops.hpp>
#include <posemachine/inference/estimator.hpp>
#include <posemachine/inference/estimator_pool.hpp>
#include <posemachine/inference/second_pass.hpp>
#include <posemachine/model/model.hpp>
#include <posemachine/networks/registry.hpp>
#include <posemachine/pose/decode.hpp>
#include <posemachine/pose/decoders/decoders.hpp>
#include <posemachine/pose/pose.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace test_time_test {

using namespace posemachine;
using test_environment::noise;

namespace {

Model small_model(bool flip_average = false, const std::string& decoder = "quarter_offset",
                  CropRule crop = CropRule{}) {
  ModelSpec spec;
  spec.input_height = 64;
  spec.input_width = 96;
  spec.decoder = {decoder, flip_average};
  spec.crop = crop;
  return reference::random_model("scaling-dilation-small", graph_of<ScalingDilationSmall>(), 5, spec);
}

// Maps are the picture's colours, a pixel a cell.
Model colour_model(int side) {
  Graph graph;
  const Value image = add_input(graph, "image", 3);
  add_output(graph, "heatmaps", convolution(graph, image, {.out = 3}));
  ModelSpec spec;
  spec.joints = JointSet{};
  spec.joints.name = "two";
  spec.joints.joints = {"left", "right"};
  spec.input_height = spec.input_width = side;
  spec.normalisation = {{0, 0, 0}, {1.0 / 255, 1.0 / 255, 1.0 / 255}};
  spec.decoder.kind = "arg_max";
  const Model model = Model::random("colours", graph, 1, spec);
  std::vector<Tensor> parameters = model.parameters();
  parameters[0].values = {1, 0, 0, 0, 1, 0, 0, 0, 1};
  return model.with_parameters(std::move(parameters));
}

void check_same(const Estimate& got, const Estimate& expected) {
  REQUIRE(got.stages.size() == expected.stages.size());
  CHECK(got.square == expected.square);
  CHECK(got.pose.box == expected.pose.box);
  for (std::size_t s = 0; s < got.stages.size(); ++s) {
    CHECK(got.stages[s].maps == expected.stages[s].maps);
    for (std::size_t j = 0; j < got.stages[s].keypoints.size(); ++j) {
      CHECK(got.stages[s].keypoints[j].position == expected.stages[s].keypoints[j].position);
      CHECK(got.stages[s].keypoints[j].score == expected.stages[s].keypoints[j].score);
    }
  }
}

// The mean over the scales that show a cell, of maps interpolated by a loop over all their cells.
std::vector<double> naive_average(const std::vector<Tensor>& maps, const std::vector<double>& scales) {
  const MapView<const float> first = view_of(maps.front());
  std::vector<double> mean;
  for (int c = 0; c < first.c; ++c) {
    for (int y = 0; y < first.h; ++y) {
      for (int x = 0; x < first.w; ++x) {
        double sum = 0;
        int count = 0;
        for (std::size_t i = 0; i < scales.size(); ++i) {
          const double middle_y = (first.h - 1) / 2.0, middle_x = (first.w - 1) / 2.0;
          const double at_y = (y - middle_y) * scales[i] + middle_y, at_x = (x - middle_x) * scales[i] + middle_x;
          if (at_y < -0.5 || at_y > first.h - 0.5 || at_x < -0.5 || at_x > first.w - 0.5) continue;
          ++count;
          const double near_y = std::clamp(at_y, 0.0, first.h - 1.0), near_x = std::clamp(at_x, 0.0, first.w - 1.0);
          for (int row = 0; row < first.h; ++row) {
            for (int column = 0; column < first.w; ++column) {
              const double weight =
                  std::max(0.0, 1 - std::abs(row - near_y)) * std::max(0.0, 1 - std::abs(column - near_x));
              sum += weight * double(view_of(maps[i]).at(0, c, row, column));
            }
          }
        }
        mean.push_back(sum / count);
      }
    }
  }
  return mean;
}

}  // namespace

TEST_CASE("Estimator: maps of several scales are the naive average of those of models with smaller and larger crops") {
  const Image image = noise(96, 64, 3);
  for (const bool flip : {false, true}) {
    // Sides of squares are exact in binary, so that both ways feed the network the same bits.
    const std::vector<double> scales{1, 0.5, 2};
    Estimator estimator(small_model(flip), {.scales = scales});
    const Estimate estimate = estimator.estimate_stages(image);
    std::vector<Estimate> parts;
    for (const double scale : scales) {
      Estimator plain(small_model(flip, "quarter_offset", {.image_scale = 1 / scale}));
      parts.push_back(plain.estimate_stages(image));
    }
    CHECK(estimate.square == parts.front().square);
    REQUIRE(estimate.stages.size() == 3);
    for (std::size_t s = 0; s < 3; ++s) {
      std::vector<Tensor> maps;
      for (const Estimate& part : parts) maps.push_back(part.stages[s].maps);
      const std::vector<double> expected = naive_average(maps, scales);
      const Tensor& got = estimate.stages[s].maps;
      double largest = 0;
      for (const Tensor& each : maps) {
        for (const float value : each.values) largest = std::max(largest, std::abs(double(value)));
      }
      // A sample rounds 6 times, their sum 3 times, each time at most the largest value's epsilon.
      const double tolerance = 9 * double(std::numeric_limits<float>::epsilon()) * largest;
      REQUIRE(got.values.size() == expected.size());
      for (std::size_t i = 0; i < expected.size(); ++i)
        CHECK(std::abs(double(got.values[i]) - expected[i]) <= tolerance);
      CHECK(got != maps.front());
      const std::vector<Keypoint> keypoints = decode_heatmaps(view_of(got), 14, 8, quarter_offset_decoder);
      for (std::size_t j = 0; j < 14; ++j) {
        const Point at = apply(image_from_input(estimate.square, {64, 96}), keypoints[j].position);
        CHECK(estimate.stages[s].keypoints[j].position.x == doctest::Approx(std::clamp(at.x, 0.0, 95.0)));
        CHECK(estimate.stages[s].keypoints[j].position.y == doctest::Approx(std::clamp(at.y, 0.0, 63.0)));
        CHECK(estimate.stages[s].keypoints[j].score == keypoints[j].score);
      }
    }
  }
}

TEST_CASE("Estimator: a joint beyond the edge of an enlarged crop is found by the other scales") {
  Image image(40, 40);
  image.at(38, 3)[0] = 255;  // at scale 1.25 the crop ends at 36
  image.at(19, 20)[1] = image.at(20, 20)[1] = image.at(19, 19)[1] = image.at(20, 19)[1] = 255;
  Estimator estimator(colour_model(40), {.scales = {1, 1.25}});
  const Pose pose = estimator(image);
  CHECK(pose.keypoints[0].position.x == doctest::Approx(38));
  CHECK(pose.keypoints[0].position.y == doctest::Approx(3));
  CHECK(pose.keypoints[0].score == doctest::Approx(1));
  CHECK(distance(pose.keypoints[1].position, {19.5, 19.5}) < 1);
}

TEST_CASE("Estimator: scales and a second pass use one execution, and nothing depends on earlier images") {
  EstimatorOptions options;
  options.cached_sizes = 1;
  options.scales = {0.8, 1, 1.2};
  options.second_pass = SecondPass{0, 4};
  Estimator estimator(small_model(true), options);
  const Image image = noise(90, 70, 1);
  const Estimate first = estimator.estimate_stages(image);
  estimator(noise(30, 80, 2));
  CHECK(estimator.is_ready_for({64, 96}));
  check_same(estimator.estimate_stages(image), first);
  Estimator copy = estimator;
  check_same(copy.estimate_stages(image), first);
}

TEST_CASE("Estimator: flip and decoder of the options are those of a model that says so") {
  const Image image = noise(90, 70, 4);
  for (const bool flip : {false, true}) {
    Estimator other(small_model(!flip), {.flip_average = flip});
    Estimator same(small_model(flip));
    check_same(other.estimate_stages(image), same.estimate_stages(image));
  }
  const DecoderKinds kinds;
  for (const DecoderKind& kind : kinds.all()) {
    Estimator other(small_model(false), {.decoder = kind});
    Estimator same(small_model(false, std::string(kind.name)));
    check_same(other.estimate_stages(image), same.estimate_stages(image));
  }
}

TEST_CASE("Estimator: a second pass is the estimate in the box of the first one's joints") {
  const Image image = noise(120, 90, 6);
  const Model model = small_model(true);
  Estimator plain(model);
  const SecondPass second{0.0, 4};
  Estimator twice(model, {.second_pass = second});
  for (const std::optional<Box>& box : {std::optional<Box>(), std::optional(Box{20, 10, 60, 70})}) {
    const Estimate first = plain.estimate_stages(image, box);
    const std::optional<Box> found = second_pass_box(first.pose.keypoints, second);
    REQUIRE(found);
    const Estimate expected = plain.estimate_stages(image, *found);
    check_same(twice.estimate_stages(image, box), expected);
    CHECK(expected.square != first.square);
  }
  const std::vector<Box> boxes{{20, 10, 60, 70}, {0, 0, 50, 90}};
  const std::vector<Pose> poses = twice(image, boxes);
  for (std::size_t i = 0; i < 2; ++i) CHECK(poses[i].box == twice.estimate_stages(image, boxes[i]).pose.box);
  CHECK(poses[0].box != boxes[0]);
}

TEST_CASE("Estimator: without enough joints of enough score the first pass is the answer") {
  const Image image = noise(120, 90, 6);
  const Model model = small_model();
  Estimator plain(model);
  Estimator many(model, {.second_pass = SecondPass{0.0, 15}});
  check_same(many.estimate_stages(image), plain.estimate_stages(image));
  double best = 0;
  for (const Keypoint& keypoint : plain(image).keypoints) best = std::max(best, keypoint.score);
  REQUIRE(best < 1);
  Estimator sure(model, {.second_pass = SecondPass{std::nextafter(best, 1.0), 2}});
  check_same(sure.estimate_stages(image), plain.estimate_stages(image));
}

TEST_CASE("Estimator: a second pass sees a small person in more cells") {
  Image image(240, 100);
  for (int y = 0; y < 4; ++y) {
    for (int x = 0; x < 4; ++x) {
      image.at(200 + x, 40 + y)[0] = 255;
      image.at(212 + x, 47 + y)[1] = 255;
    }
  }
  Estimator once(colour_model(60));  // 4 image pixels a cell
  Estimator twice(colour_model(60), {.second_pass = SecondPass{0.1, 2}});
  const Estimate estimate = twice.estimate_stages(image);
  CHECK(estimate.square.width < 25);
  CHECK(estimate.square.width > 12);
  CHECK(once.estimate_stages(image).square.width == 240);
  CHECK(std::abs(estimate.pose.keypoints[0].position.x - 201.5) <= 2);
  CHECK(std::abs(estimate.pose.keypoints[1].position.y - 48.5) <= 2);
}

TEST_CASE("second_pass_box: 1.15 times the box of the joints whose scores reach, none of too few or of one place") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::vector<Keypoint> keypoints{{{10, 20}, 0.5}, {{30, 60}, 0.2}, {{500, 500}, 0.19}, {{nan, nan}, 0}};
  const std::optional<Box> box = second_pass_box(keypoints, {0.2, 2});
  REQUIRE(box);
  CHECK(box->width == doctest::Approx(1.15 * 20));
  CHECK(box->height == doctest::Approx(1.15 * 40));
  CHECK(centre(*box).x == doctest::Approx(20.5));  // boxes count from the pixels' edges
  CHECK(centre(*box).y == doctest::Approx(40.5));
  CHECK(!second_pass_box(keypoints, {0.2, 3}));
  CHECK(!second_pass_box(keypoints, {0.0, 4}));
  CHECK(!second_pass_box(std::vector<Keypoint>{{{5, 5}, 1}, {{6, 5}, 1}}, {0.1, 2}));
  CHECK(!second_pass_box({}, {0.0, 2}));
}

TEST_CASE("EstimatorPool: its requests have the options of its estimators") {
  const Model model = small_model(true);
  const Image image = noise(90, 70, 9);
  const EstimatorOptions options{
      .scales = {0.9, 1.1}, .flip_average = false, .decoder = taylor_decoder, .second_pass = SecondPass{0.0, 4}};
  EstimatorPool pool(model, {.estimator = options});
  Estimator estimator(model, options);
  const Pose got = pool.submit(image).get(), expected = estimator(image);
  CHECK(got.box == expected.box);
  for (std::size_t j = 0; j < 14; ++j) CHECK(got.keypoints[j].position == expected.keypoints[j].position);
}

TEST_CASE("EstimatorOptions: what no estimator can have is refused by name") {
  const auto refused = [](const EstimatorOptions& options, const char* message) {
    CHECK_THROWS_WITH_AS(check(options), message, UsageError);
    CHECK_THROWS_WITH_AS(Estimator(small_model(), options), message, UsageError);
    CHECK_THROWS_WITH_AS(Estimator(small_model()).with(options), message, UsageError);
  };
  const double nan = std::numeric_limits<double>::quiet_NaN();
  refused({.threads = 0}, "threads: expected at least 1, got 0");
  refused({.scales = {}}, "scales: expected 1 to 64, got 0");
  refused({.scales = std::vector<double>(65, 1.0)}, "scales: expected 1 to 64, got 65");
  refused({.scales = {1, 0}}, "scales: expected numbers from 0.1 to 10, got 0.000000");
  refused({.scales = {1, nan}}, "scales: expected numbers from 0.1 to 10, got nan");
  refused({.scales = {1.5, 1.25}}, "scales: expected one of at most 1, which sees the whole crop, got 1.250000");
  refused({.second_pass = SecondPass{1.5, 4}}, "second_pass.min_score: expected 0 to 1, got 1.500000");
  refused({.second_pass = SecondPass{nan, 4}}, "second_pass.min_score: expected 0 to 1, got nan");
  refused({.second_pass = SecondPass{0.1, 1}}, "second_pass.min_joints: expected at least 2, got 1");
  check(EstimatorOptions{});
}

}  // namespace test_time_test
