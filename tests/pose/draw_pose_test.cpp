// Skeletons on pictures.
#include <posemachine/pose/draw_pose.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdlib>

namespace draw_pose_test {

namespace pm = posemachine;

namespace {

constexpr pm::Rgb grey{128, 128, 128};

/// Fourteen joints on a circle, in the middle of a picture of 200 x 200.
pm::Pose ring(double radius = 80) {
  pm::Pose pose;
  for (int j = 0; j < 14; ++j) {
    pose.keypoints.push_back({{100 + radius * std::cos(j * 0.4488), 100 + radius * std::sin(j * 0.4488)}, 0.9});
  }
  return pose;
}

pm::Rgb colour_at(const pm::Image& image, pm::Point p) {
  const auto* pixel = image.at(int(std::lround(p.x)), int(std::lround(p.y)));
  return {pixel[0], pixel[1], pixel[2]};
}

int touched(const pm::Image& image) {
  int count = 0;
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) count += colour_at(image, {double(x), double(y)}) != grey;
  }
  return count;
}

}  // namespace

TEST_CASE("draw_pose: a limb has its colour in its middle, with a dark edge, and joints are light discs") {
  const auto set = pm::lsp_joints();
  pm::Pose pose;
  pose.keypoints.resize(14);
  pose.keypoints[12] = {{40, 100}, 1};   // neck
  pose.keypoints[13] = {{160, 100}, 1};  // head top
  pm::Image image(200, 200, grey);
  pm::draw_pose(image, pose, set, {.line_width_px = 6});
  CHECK(colour_at(image, {100, 100}) == set.limbs[0].colour);
  CHECK(colour_at(image, {100, 104})[1] < 60);  // 3 to 4.8 pixels from the middle: outline
  CHECK(colour_at(image, {100, 110}) == grey);
  const auto joint = colour_at(image, {40, 100});
  CHECK(*std::min_element(joint.begin(), joint.end()) > 150);
}

TEST_CASE("draw_pose: missing and low-scored keypoints are left out with their limbs") {
  const auto set = pm::lsp_joints();
  pm::Pose pose = ring();
  for (auto& keypoint : pose.keypoints) keypoint.score = 0.1;
  pm::Image low(200, 200, grey);
  pm::draw_pose(low, pose, set, {.min_score = 0.2});
  CHECK(touched(low) == 0);
  pm::Image none(200, 200, grey);
  pose.keypoints.assign(14, {});
  pm::draw_pose(none, pose, set, {.min_score = 0});
  CHECK(touched(none) == 0);
  pose = ring();
  pose.keypoints[13] = {};
  pm::Image without_head(200, 200, grey);
  pm::draw_pose(without_head, pose, set);
  pm::Image whole(200, 200, grey);
  pm::draw_pose(whole, ring(), set);
  CHECK(touched(without_head) < touched(whole));
}

TEST_CASE("draw_pose: the lower a score between min_score and full_score, the fainter the limb, as its weaker end") {
  const auto set = pm::lsp_joints();
  const auto middle = [&](double neck, double head) {
    pm::Pose pose;
    pose.keypoints.resize(14);
    pose.keypoints[12] = {{40, 100}, neck};
    pose.keypoints[13] = {{160, 100}, head};
    pm::Image image(200, 200, grey);
    pm::draw_pose(image, pose, set, {.min_score = 0.2, .full_score = 0.6, .line_width_px = 6});
    int distance = 0;  // from the photograph
    for (std::size_t i = 0; i < 3; ++i) distance += std::abs(colour_at(image, {100, 100})[i] - grey[i]);
    return distance;
  };
  CHECK(middle(0.6, 1) == middle(1, 1));
  CHECK(middle(0.4, 1) < middle(0.5, 1));
  CHECK(middle(0.4, 1) == middle(1, 0.4));
  CHECK(middle(0.2, 1) > 0);
  CHECK(middle(0.19, 1) == 0);
}

TEST_CASE("draw_pose: lines are as thick as the person is large") {
  const auto set = pm::lsp_joints();
  pm::Image small(200, 200, grey);
  pm::Image large(200, 200, grey);
  CHECK(pm::detail::limb_width(small, ring(20), {}) == doctest::Approx(1.5));  // never thinner
  CHECK(pm::detail::limb_width(large, ring(80), {}) == doctest::Approx(0.022 * 160).epsilon(0.05));
  CHECK(pm::detail::limb_width(large, ring(5000), {}) == doctest::Approx(4));  // 2 % of 200
  CHECK(pm::detail::limb_width(large, ring(), {.line_width_px = 9}) == 9);
  CHECK(pm::detail::limb_width(pm::Image(2000, 10), {}, {}) == doctest::Approx(8));
}

TEST_CASE("draw_pose: poses beyond the picture are cut off, the box only on request") {
  const auto set = pm::lsp_joints();
  pm::Image image(30, 20, grey);
  CHECK_NOTHROW(pm::draw_pose(image, ring(1e6), set));
  pm::Pose boxed;
  boxed.keypoints.resize(14);
  boxed.box = {10, 5, 12, 8};
  pm::Image plain(30, 20, grey);
  pm::draw_pose(plain, boxed, set);
  CHECK(touched(plain) == 0);
  pm::draw_pose(plain, boxed, set, {.draw_box = true});
  CHECK(touched(plain) > 0);
  CHECK(colour_at(plain, {16, 9}) == grey);
}

TEST_CASE("draw_pose: a pose of another joint set is refused") {
  pm::Image image(30, 20);
  pm::Pose pose;
  pose.keypoints.resize(16);
  CHECK_THROWS_WITH_AS(pm::draw_pose(image, pose, pm::lsp_joints()),
                       "draw_pose: keypoints: expected 14 for the joint set lsp, got 16", pm::UsageError);
}

}  // namespace draw_pose_test
