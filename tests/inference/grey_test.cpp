// Estimators of networks that see one channel.
#include "noise.hpp"
#include "reference/random_model.hpp"
#include "refusal.hpp"
#include "temporary_folder.hpp"

#include <posemachine/core/error.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/core/image.hpp>
#include <posemachine/core/random.hpp>
#include <posemachine/data/image_io.hpp>
#include <posemachine/data/image_kinds.hpp>
#include <posemachine/data/person.hpp>
#include <posemachine/inference/draw_estimate.hpp>
#include <posemachine/inference/estimator.hpp>
#include <posemachine/inference/estimator_pool.hpp>
#include <posemachine/inference/evaluate.hpp>
#include <posemachine/inference/pose_estimator.hpp>
#include <posemachine/model/grey_input.hpp>
#include <posemachine/model/model.hpp>
#include <posemachine/model/named_network.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <future>
#include <string>
#include <vector>

namespace grey_test {

using namespace posemachine;
using test_environment::contains;
using test_environment::noise;
using test_environment::refusal;

namespace {

NetworkDescription small_network() {
  NetworkDescription network = description_of(*find_network("scaling-dilation-small"));
  network.spec.input_height = network.spec.input_width = 32;
  return network;
}

Model grey_model(int bit_depth) {
  const NetworkDescription network = with_grey_input(small_network(), bit_depth);
  return reference::random_model(network.name, network.graph, 5, network.spec);
}

DepthImage depth_picture(int width, int height) {
  DepthImage image(width, height);
  RandomStream stream(4, Purpose::test);
  for (std::uint16_t& value : image.pixels) value = static_cast<std::uint16_t>(stream.below(6000));
  return image;
}

void check_same(const Estimate& got, const Estimate& expected) {
  CHECK(got.square == expected.square);
  REQUIRE(got.stages.size() == expected.stages.size());
  for (std::size_t s = 0; s < got.stages.size(); ++s)
    CHECK(got.stages[s].maps.values == expected.stages[s].maps.values);
}

double highest(const Estimate& estimate) {
  const std::vector<float>& maps = estimate.stages.back().maps.values;
  return *std::max_element(maps.begin(), maps.end());
}

}  // namespace

TEST_CASE("Estimator: a grey network says the same of a grey picture and of an RGB picture of that grey, to the bit") {
  const Model model = grey_model(8);
  const GreyImage grey = luma(noise(70, 90, 1));
  const Box box{5, 10, 40, 60};
  std::vector<EstimatorOptions> all(4);
  all[1].flip_average = true;
  all[2].scales = {0.8, 1.2};
  all[3].second_pass = SecondPass{.min_score = 0};
  for (const EstimatorOptions& options : all) {
    Estimator estimator(model, options);
    const Estimate expected = estimator.estimate_stages(grey, box);
    check_same(estimator.estimate_stages(rgb_of(grey), box), expected);
    CHECK(std::abs(highest(expected)) > 0.01);
    CHECK(estimator.estimate_stages(GreyImage(70, 90, {50}), box).stages.back().maps.values !=
          expected.stages.back().maps.values);
  }
  const test_environment::TemporaryFolder folder;
  write_png(folder / "grey.png", grey);
  write_png(folder / "rgb.png", rgb_of(grey));
  Estimator estimator(model);
  const Estimate expected = estimator.estimate_stages(grey);
  for (const char* name : {"grey.png", "rgb.png"}) {
    check_same(estimator.estimate_stages(read_image(folder / name)), expected);
    check_same(estimator.estimate_stages(read_image_as(pixel_kind(model.spec()), folder / name)), expected);
  }
}

TEST_CASE("Estimator: a grey network says what an RGB network says whose weights for the colours sum to its own") {
  const NetworkDescription rgb = small_network();
  const Model grey = grey_model(8);
  std::vector<Tensor> parameters = grey.parameters();
  int changed = 0;
  for (std::size_t p = 0; p < parameters.size(); ++p) {
    const Parameter& wide = rgb.graph.parameters[p];
    if (static_cast<std::size_t>(wide.size()) == parameters[p].values.size()) continue;
    ++changed;
    const Tensor own = parameters[p];  // (out, 1, k, k)
    const auto window = static_cast<std::size_t>(own.shape[2] * own.shape[3]);
    parameters[p] = Tensor({own.shape[0], 3, own.shape[2], own.shape[3]});
    constexpr std::array<float, 3> shares{0.25f, 0.5f, 0.25f};
    for (std::size_t i = 0; i < parameters[p].values.size(); ++i) {
      const std::size_t out = i / (3 * window), channel = i / window % 3;
      parameters[p].values[i] = shares[channel] * own.values[out * window + i % window];
    }
  }
  REQUIRE(changed == 1);
  ModelSpec spec = rgb.spec;
  spec.heatmaps = grey.spec().heatmaps;
  Estimator wide(Model(rgb.name, rgb.graph, parameters, spec));
  Estimator narrow(grey);
  const GreyImage picture = luma(noise(60, 60, 2));
  const Estimate got = narrow.estimate_stages(picture), expected = wide.estimate_stages(picture);
  const std::vector<float>& a = got.stages.back().maps.values;
  const std::vector<float>& b = expected.stages.back().maps.values;
  REQUIRE(a.size() == b.size());
  double most = 0, worst = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    most = std::max(most, double(std::abs(b[i])));
    worst = std::max(worst, double(std::abs(a[i] - b[i])));
  }
  CHECK(most > 0.01);
  CHECK(worst < 1e-4 * most);  // some thirty layers of sums in another order
}

TEST_CASE("Estimator: an RGB network takes grey and 16-bit pictures as the RGB pictures that the image door makes") {
  const NetworkDescription network = small_network();
  Estimator estimator(reference::random_model(network.name, network.graph, 5, network.spec));
  const GreyImage grey = luma(noise(50, 60, 3));
  check_same(estimator.estimate_stages(grey), estimator.estimate_stages(rgb_of(grey)));
  const test_environment::TemporaryFolder folder;
  const DepthImage depth = depth_picture(50, 60);
  write_png(folder / "depth.png", depth);
  check_same(estimator.estimate_stages(depth), estimator.estimate_stages(read_image(folder / "depth.png")));
}

TEST_CASE("Estimator: a 16-bit network sees what 8 bits cannot say, and refuses pictures of 8 bits") {
  const Model model = grey_model(16);
  Estimator estimator(model);
  const DepthImage depth = depth_picture(50, 60);
  DepthImage coarse = depth;
  for (std::uint16_t& value : coarse.pixels) value = static_cast<std::uint16_t>(value / 256 * 256);
  const Estimate expected = estimator.estimate_stages(depth);
  CHECK(estimator.estimate_stages(coarse).stages.back().maps.values != expected.stages.back().maps.values);
  const std::vector<Box> boxes{{0, 0, 30, 40}, {10, 10, 35, 45}};
  const Image rgb(50, 60);
  const GreyImage grey(50, 60);
  for (const ImageView fewer : {ImageView(rgb), ImageView(grey)}) {
    CHECK(contains(refusal<DataError>([&] { estimator(fewer); }), "expected samples of 16 bits"));
    CHECK(contains(refusal<DataError>([&] { estimator(fewer, boxes); }), "train a model of bit_depth 8"));
  }

  // All doors of estimation say the same.
  const test_environment::TemporaryFolder folder;
  const std::string file = (folder / "model.safetensors").string();
  model.save(file);
  PoseEstimator light(file);
  check_same(light.estimate_stages(depth), expected);
  EstimatorPool pool(model, {.threads = 2});
  std::future<Pose> one = pool.submit(depth);
  std::future<std::vector<Pose>> several = pool.submit(depth, boxes);
  const Pose pose = one.get();
  const std::vector<Pose> poses = several.get(), expected_poses = estimator(depth, boxes);
  for (std::size_t j = 0; j < pose.keypoints.size(); ++j) {
    CHECK(pose.keypoints[j].position == expected.pose.keypoints[j].position);
    for (std::size_t i = 0; i < boxes.size(); ++i) {
      CHECK(poses[i].keypoints[j].position == expected_poses[i].keypoints[j].position);
    }
  }
  CHECK_THROWS_AS(pool.submit(grey).get(), DataError);
}

TEST_CASE("Estimator: 16-bit depth with flips, scales and a second pass is what single runs average to") {
  const Model model = grey_model(16);
  const DepthImage depth = depth_picture(64, 64);
  Estimator plain(model), flipped(model, {.flip_average = true});
  DepthImage mirrored = depth;
  for (int y = 0; y < 64; ++y) std::reverse(mirrored.at(0, y), mirrored.at(0, y) + 64);
  // Of a picture and its mirror image the flip average is the same but for sides.
  const Estimate one = flipped.estimate_stages(depth), other = flipped.estimate_stages(mirrored);
  const std::vector<int> partner = mirror(model.spec().joints);
  const Tensor& a = one.stages.back().maps;
  const Tensor& b = other.stages.back().maps;
  const auto h = static_cast<std::size_t>(a.shape[1]), w = static_cast<std::size_t>(a.shape[2]);
  double worst = 0, most = 0;
  for (std::size_t j = 0; j < partner.size(); ++j) {
    for (std::size_t k = 0; k < h * w; ++k) {
      const std::size_t there = static_cast<std::size_t>(partner[j]) * h * w + k / w * w + (w - 1 - k % w);
      worst = std::max(worst, double(std::abs(a.values[j * h * w + k] - b.values[there])));
      most = std::max(most, double(std::abs(b.values[there])));
    }
  }
  CHECK(worst < 1e-5 * most);
  CHECK(plain.estimate_stages(depth).stages.back().maps.values != a.values);
}

TEST_CASE("evaluate, panels: 16-bit pictures from files, shown spread over their range") {
  const test_environment::TemporaryFolder folder;
  const Model model = grey_model(16);
  Estimator estimator(model);
  const DepthImage depth = depth_picture(50, 60);
  write_png(folder / "depth.png", depth);
  write_png(folder / "grey.png", GreyImage(50, 60));
  const Estimate estimate = estimator.estimate_stages(depth);
  Person person;
  person.image = folder / "depth.png";
  for (const Keypoint& keypoint : estimate.pose.keypoints) {
    person.joints.push_back({keypoint.position, JointState::visible});
  }
  CHECK(evaluate(estimator, std::vector{person}).pck().mean == 100);
  person.image = folder / "grey.png";
  const std::string message = refusal<DataError>([&] { evaluate(estimator, std::vector{person}); });
  CHECK(contains(message, "grey.png: expected samples of 16 bits"));
  const Image panel = draw_stage(depth, estimate, 0, model.spec());
  CHECK(panel.pixels == draw_stage(displayable(depth), estimate, 0, model.spec()).pixels);
  const SeenPart seen = cut_seen(depth, {0, 0, 60, 60}, model.spec(), 60);
  CHECK(*std::max_element(seen.picture.pixels.begin(), seen.picture.pixels.end()) > 200);
}

}  // namespace grey_test
