// From heatmaps to keypoints.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/map.hpp>
#include <posemachine/pose/decoders/decoder_kind.hpp>
#include <posemachine/pose/pose.hpp>

#include <span>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// The keypoint of each of the first joint_count maps. Every decoder starts from the highest cell, the first in
/// row-major order where several are equal; the library's move along each axis on which both neighbours are known, and
/// mirrored maps give exactly mirrored positions, where the highest cell is the only one of its height. A map with a
/// value that is not finite gives a missing keypoint.
/// Shapes: sigma_px: the targets' standard deviation in input pixels, as ModelSpec::sigma_px; positions in input pixels;
/// scores the highest value clamped to 0 .. 1, so that maps whose peaks exceed 1 (scaled distributions) can be decoded.
/// Errors: UsageError for empty maps, fewer maps than joints, a stride or sigma_px that is not positive, or a
/// decoder without an offset.
std::vector<Keypoint> decode_heatmaps(const MapView<const float>& maps, int joint_count, double stride,
                                      const DecoderKind& decoder, double sigma_px = 7);

/// Averages the maps of an image with those of its mirror image, turned back: columns reversed, sides swapped.
/// The maps of the mirrored image, averaged likewise, are exactly the mirrored result.
/// Shapes: maps, flipped (channels, height, width); mirrored_channel: for each joint the one it is in the mirror image,
/// see mirror(JointSet); channels beyond it (the background) stay themselves.
/// Errors: UsageError where mirrored_channel is longer than the channels or names one that is not there.
void average_flipped(float* maps, const float* flipped, int channels, int height, int width,
                     std::span<const int> mirrored_channel);

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/pose/decode.ipp>
#endif
