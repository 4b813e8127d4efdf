// A panel of pictures that shows what a network saw: the crop, every joint's heatmap, the final pose.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/image.hpp>
#include <posemachine/core/map.hpp>
#include <posemachine/pose/draw_pose.hpp>
#include <posemachine/pose/joint_set.hpp>
#include <posemachine/pose/pose.hpp>

#include <string>
#include <string_view>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// How a panel is laid out.
struct PanelOptions {
  int picture_width_px = 240;  // of each picture; its height follows the crop's shape
  int columns = 0;             // 0: as square a grid as the number of pictures allows
  DrawOptions pose{};          // of the last picture
};

namespace detail {

/// "0.83", cut to 0.00 .. 1.00; the same in every locale.
std::string two_decimals(double value);

/// The same picture's pose after resizing: pixel edges stay on pixel edges.
Pose scaled(Pose pose, double scale_x, double scale_y);

/// Places pictures with captions below them, row by row, on one dark canvas.
class PanelGrid {
 public:
  PanelGrid(int picture_width, int picture_height, int count, int columns);

  void add(const Image& picture, std::string_view name, std::string_view score = {});

  const Image& canvas() const { return canvas_; }

 private:
  int row_height() const { return height_ + caption_ + gap_; }

  int width_, height_, columns_;
  int gap_;
  double text_px_;  // the height of a capital letter; long names are made smaller to fit
  int caption_;     // the height of the strip below a picture
  Image canvas_;
  int next_ = 0;
};

}  // namespace detail

/// Draws a grid of pictures: the crop; for each joint its heatmap over the dimmed crop, with its name and score and a
/// ring where it was found; last the final pose. Equal colours are equal values in every picture.
/// Shapes: crop any size; maps (joints or more, h, w), which cover the whole crop; pose in pixels of the crop.
/// Errors: UsageError for an empty crop or map, too few maps, another number of keypoints than joints, pictures below
/// 32 or above 2048 pixels wide or more than 8 times as high. Source: Nie et al. 2019, Fig. 9.
Image draw_panel(const Image& crop, const MapView<const float>& maps, const Pose& pose, const JointSet& joints,
                 const PanelOptions& options = {});

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/pose/panel.ipp>
#endif
