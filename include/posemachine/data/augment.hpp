// Random variation of a training sample, all of its geometry in one affine map.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/core/random.hpp>
#include <posemachine/data/crop.hpp>
#include <posemachine/data/warp.hpp>
#include <posemachine/pose/joint_set.hpp>
#include <posemachine/pose/model_spec.hpp>
#include <posemachine/pose/pose.hpp>

#include <span>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// How much training samples vary. Source for rotation, scale and flip: the paper's section on training.
struct AugmentOptions {
  double rotation_deg = 40;  // uniform in -rotation_deg .. rotation_deg
  double scale_min = 0.7;    // uniform in scale_min .. scale_max; above 1 the person appears larger
  double scale_max = 1.3;
  double flip_probability = 0.5;    // mirrored left to right
  double shift = 0.05;              // of the crop's side: uniform in -shift .. shift, each way
  double brightness = 0.1;          // of SampleRange::span: uniform in -brightness .. brightness, for all channels
  double contrast = 0.2;            // factor about SampleRange::middle: uniform in 1 - contrast .. 1 + contrast
  double colour = 0.1;              // factor per channel: uniform in 1 - colour .. 1 + colour; not of grey
  double turn_probability = 0;      // of an angle that is uniform in -180 .. 180 degrees instead
  double close_up_probability = 0;  // of close_up_square() in place of the whole person's
  double cutout_probability = 0;    // of a rectangle of the mean colour, each side 0.15 to 0.4 of the input's
};

/// The measure of brightness and contrast, in pixel values. 8-bit pictures have the span of their samples. 16-bit ones
/// seldom fill theirs: the model's normalisation says what counts, its mean the middle, and a span of 1 / scale.
struct SampleRange {
  double middle = 128;
  double span = 255;
};
SampleRange sample_range(const Normalisation& normalisation, int bit_depth);

/// What was drawn for a sample.
struct Augmentation {
  Affine image_from_input;  // the whole geometry, mirroring included
  bool mirrored = false;    // then left and right joints change places
  Photometric photometric;
  Box cutout;  // in input pixels from the left top edge; of no width: nothing is hidden
};

/// A sample without variation: the square, as evaluation sees it.
constexpr Augmentation unaugmented(const Box& square, Size input) {
  return {image_from_input(square, input), false, {}, {}};
}

/// The square around half of a person's joints: the one that `which` chooses, 0 <= which < 1, and those nearest to it.
/// Its side is 1.5 times their box's larger side, at least 0.4 times and at most once that of `square`. Where fewer than
/// four joints are labelled within the image it is `square`.
Box close_up_square(std::span<const Joint> joints, const Box& square, double which);

/// Draws a sample's variation from its own stream. Every draw is made whatever the options, in a fixed order, so that
/// switching one kind off changes no other.
/// Shapes: `square` as crop_square gives it; the input's centre maps to the square's, moved by the shift. `joints` in
/// pixels of the image, for close-ups. `channels` of the picture: one channel has no colours to change.
/// Source for close-ups: Wang et al. 2018 (mscoco keypoint challenge 2018, half-body augmentation), here of any half;
/// for cut-outs: DeVries and Taylor 2017.
Augmentation draw_augmentation(const AugmentOptions& options, const Box& square, Size input, RandomStream& stream,
                               std::span<const Joint> joints = {}, const SampleRange& range = {}, int channels = 3);

/// The least shrinking of any view that draw_augmentation() can give, in pixels of the image per input pixel: that of
/// the smallest close-up at scale_max. It depends on nothing that is drawn. Shapes: as above.
double least_shrink(const AugmentOptions& options, const Box& square, Size input, std::span<const Joint> joints = {});

/// Sets the pixels whose centres lie in the cutout to 0, the mean.
/// Shapes: pixels (channels, input.height, input.width).
void hide(const Box& cutout, Size input, float* pixels, int channels = 3);

/// A sample's joints in input pixels: moved by the inverse map and, where mirrored, left and right exchanged, each with
/// its state and weight.
std::vector<Joint> joints_in_input(std::span<const Joint> joints, const Augmentation& drawn, const JointSet& set);

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/data/augment.ipp>
#endif
