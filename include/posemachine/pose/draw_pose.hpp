// A person's skeleton drawn on a picture.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/core/image.hpp>
#include <posemachine/pose/joint_set.hpp>
#include <posemachine/pose/pose.hpp>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// How skeletons are drawn.
struct DrawOptions {
  double min_score = 0.1;    // keypoints below it are left out, with the limbs that need them
  double full_score = 0.5;   // from here on drawn in full; between the two the fainter, the lower the score
  double line_width_px = 0;  // of the limbs; 0 chooses by the sizes of the person and the picture
  bool draw_box = false;     // the box the person was looked for in
};

namespace detail {

bool shown(const Keypoint& keypoint, const DrawOptions& options);

/// 0.3 at min_score, rising to 1 at full_score.
double opacity(double score, const DrawOptions& options);

/// 2.2 % of the person's extent, between 0.4 % and 2 % of the picture's larger side, and at least 1.5 pixels.
double limb_width(const Image& image, const Pose& pose, const DrawOptions& options);

void draw_box(Image& image, const Box& box, double width_px, Rgb colour);

}  // namespace detail

/// Draws the limbs in the joint set's colours and the joints as discs, each on a dark outline so that it reads on any
/// photograph; keypoints that are missing or score below min_score are left out, with their limbs, and those below
/// full_score are faint, a limb as its weaker end.
/// Shapes: positions in pixels of the image, which may lie outside it.
/// Errors: UsageError where the pose has another number of keypoints than the joint set.
void draw_pose(Image& image, const Pose& pose, const JointSet& joints, const DrawOptions& options = {});

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/pose/draw_pose.ipp>
#endif
