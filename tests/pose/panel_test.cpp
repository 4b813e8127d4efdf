// The panel of heatmaps and its colours.
#include <posemachine/core/error.hpp>
#include <posemachine/pose/colour_map.hpp>
#include <posemachine/pose/panel.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <vector>

namespace panel_test {

namespace pm = posemachine;

namespace {

double lightness(pm::Rgb c) {
  const auto linear = [](double v) { return v <= 0.04045 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4); };
  const double y = 0.2126 * linear(c[0] / 255.0) + 0.7152 * linear(c[1] / 255.0) + 0.0722 * linear(c[2] / 255.0);
  return y > 0.008856 ? 116 * std::cbrt(y) - 16 : 903.3 * y;  // CIE L*
}

struct Scene {
  pm::Image crop{64, 64, {200, 100, 50}};
  std::vector<float> maps = std::vector<float>(15 * 16, 0.0f);
  pm::Pose pose;
  pm::JointSet joints = pm::lsp_joints();

  Scene() { pose.keypoints.resize(14); }
  pm::MapView<const float> view() const { return {maps.data(), 15, 4, 4}; }
};

}  // namespace

TEST_CASE("heat_colour: lightness grows evenly from black to pale yellow; beyond 0 to 1 it is clamped") {
  for (int i = 0; i <= 20; ++i) {
    if (i > 0) CHECK(lightness(pm::heat_colour(i / 20.0)) - lightness(pm::heat_colour((i - 1) / 20.0)) > 2);
    CHECK(std::abs(lightness(pm::heat_colour(i / 20.0)) - 98.0 * i / 20) < 6);  // made even in CAM02, off by 5.3 in L*
  }
  CHECK(pm::heat_colour(-5) == pm::heat_colour(0));
  CHECK(pm::heat_colour(std::nan("")) == pm::heat_colour(0));
  CHECK(pm::heat_colour(7) == pm::heat_colour(1));
  CHECK(pm::heat_colour(1) == pm::Rgb{252, 255, 164});
}

TEST_CASE("draw_panel: sixteen pictures in a four by four grid: photo, fourteen maps, pose") {
  Scene scene;
  const auto panel = pm::draw_panel(scene.crop, scene.view(), scene.pose, scene.joints, {.picture_width_px = 96});
  // Gap 4, text 7, caption 14 pixels.
  CHECK(panel.width == 4 + 4 * (96 + 4));
  CHECK(panel.height == 4 + 4 * (96 + 14 + 4));
  const auto* photo = panel.at(4 + 48, 4 + 48);
  CHECK(photo[0] == 200);
  CHECK(photo[2] == 50);
  const auto* map = panel.at(4 + 100 + 48, 4 + 48);  // no heat: dim grey
  CHECK(map[0] == map[2]);
  CHECK(map[0] < 80);
  const auto* last = panel.at(4 + 300 + 48, 4 + 3 * 114 + 48);
  CHECK(last[0] == 200);
  const auto wide =
      pm::draw_panel(scene.crop, scene.view(), scene.pose, scene.joints, {.picture_width_px = 96, .columns = 8});
  CHECK(wide.width == 4 + 8 * 100);
  CHECK(wide.height == 4 + 2 * 114);
}

TEST_CASE("draw_panel: heat shows in its joint's picture at its place, and in no other") {
  Scene scene;
  scene.maps[2 * 16 + 1 * 4 + 3] = 1;  // joint 2, cell (3, 1)
  const auto panel = pm::draw_panel(scene.crop, scene.view(), scene.pose, scene.joints, {.picture_width_px = 96});
  const int x = int(96 * 3.5 / 4), y = int(96 * 1.5 / 4);
  const auto* hot = panel.at(4 + 3 * 100 + x, 4 + y);  // pictures: photo, 0, 1, 2
  CHECK(hot[0] > 200);
  CHECK(hot[0] > hot[2]);
  const auto* cold = panel.at(4 + 2 * 100 + x, 4 + y);
  CHECK(cold[0] == cold[2]);
}

TEST_CASE("draw_panel: a found joint is ringed where it is; names and scores stand below") {
  Scene scene;
  const auto empty = pm::draw_panel(scene.crop, scene.view(), scene.pose, scene.joints, {.picture_width_px = 96});
  scene.pose.keypoints[0] = {{31.5, 31.5}, 0.83};
  const auto ringed = pm::draw_panel(scene.crop, scene.view(), scene.pose, scene.joints, {.picture_width_px = 96});
  int changed_in_picture = 0, changed_in_caption = 0, caption_light = 0;
  for (int y = 0; y < 114; ++y) {
    for (int x = 104; x < 204; ++x) {
      const bool changed = empty.at(x, y)[0] != ringed.at(x, y)[0];
      (y < 100 ? changed_in_picture : changed_in_caption) += changed;
      if (y >= 100 && x < 104 + 60) caption_light += empty.at(x, y)[0] > 150;
    }
  }
  CHECK(changed_in_picture > 8);
  CHECK(changed_in_caption > 8);  // 0.83 for 0.00
  CHECK(caption_light > 30);      // "right_ankle"
  CHECK(pm::detail::two_decimals(0.826) == "0.83");
  CHECK(pm::detail::two_decimals(0.04) == "0.04");
  CHECK(pm::detail::two_decimals(1.7) == "1.00");
}

TEST_CASE("draw_panel: maps that are not finite or above 1 draw, and the crop may be of any shape") {
  Scene scene;
  scene.maps[0] = std::nanf("");
  scene.maps[16] = 1e30f;
  scene.maps[32] = -INFINITY;
  CHECK_NOTHROW(pm::draw_panel(scene.crop, scene.view(), scene.pose, scene.joints));
  scene.crop = pm::Image(33, 97);
  const auto panel = pm::draw_panel(scene.crop, scene.view(), scene.pose, scene.joints, {.picture_width_px = 33});
  CHECK(panel.height == 4 + 4 * (97 + 14 + 4));
}

TEST_CASE("draw_panel: empty crops, too few maps or keypoints and sizes out of range are refused") {
  Scene scene;
  CHECK_THROWS_AS(pm::draw_panel({}, scene.view(), scene.pose, scene.joints), pm::UsageError);
  CHECK_THROWS_AS(pm::draw_panel(scene.crop, {scene.maps.data(), 13, 4, 4}, scene.pose, scene.joints), pm::UsageError);
  CHECK_THROWS_AS(pm::draw_panel(scene.crop, scene.view(), {}, scene.joints), pm::UsageError);
  CHECK_THROWS_AS(pm::draw_panel(scene.crop, scene.view(), scene.pose, scene.joints, {.picture_width_px = 5}),
                  pm::UsageError);
  CHECK_THROWS_AS(pm::draw_panel(pm::Image(2, 500), scene.view(), scene.pose, scene.joints), pm::UsageError);
}

}  // namespace panel_test
