// What a model's inputs and outputs mean: everything a tool needs to know besides the graph and the weights.
#pragma once

#include <posemachine/base/text.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/image.hpp>
#include <posemachine/pose/calibration.hpp>
#include <posemachine/pose/joint_set.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// From pixels to the network's input: (pixel - mean) * scale, per channel; of one channel the first numbers count. In
/// the units of the picture's samples: 0 to 255 of 8 bits, 0 to 65535 of 16.
struct Normalisation {
  std::array<double, 3> mean{128, 128, 128};
  std::array<double, 3> scale{1.0 / 256, 1.0 / 256, 1.0 / 256};  // CPM: (x - 128) / 256
  friend bool operator==(const Normalisation&, const Normalisation&) = default;
};

/// The normalisation of an input of that bit depth unless somebody chooses another. Of 8 bits: (x - 128) / 256. Of 16
/// bits, which are mostly depth in millimetres: (x - 2000) / 4000, so that 0 to 4 m becomes -0.5 to 0.5.
Normalisation default_normalisation(int bit_depth);

/// Which square of an image the network sees; the same rule in training, validation, evaluation and estimation.
struct CropRule {
  double box_context = 1.25;  // of the square around a person's box, at its centre: side in larger sides of the box
  double image_scale = 1.0;   // without one: side = image_scale * max(image width, image height), at the image's centre
  friend bool operator==(const CropRule&, const CropRule&) = default;
};

/// How heatmaps become joints.
struct Decoder {
  std::string kind = "quarter_offset";  // a row of DecoderKinds, the library's or a user's own
  bool flip_average = false;            // average the maps with those of the mirrored image, sides swapped back
  friend bool operator==(const Decoder&, const Decoder&) = default;
};

/// Roles an input can have.
enum class InputRole {
  image,           // (N, F C, H, W) of F frames, frame by frame: normalised pixels; C is 3, or 1 of grey
  centre_gaussian  // (N, 1, H, W), a Gaussian at the crop's centre (CPM's centre map)
};

/// A named input of the network and what to feed it.
struct InputSpec {
  std::string name;
  InputRole role = InputRole::image;
  double sigma_px = 0;  // centre_gaussian: standard deviation in input pixels
  friend bool operator==(const InputSpec&, const InputSpec&) = default;
};

/// A named output besides the heatmaps: maps of (N, any channels, H / stride, W / stride).
struct OutputSpec {
  std::string name;
  std::string role;       // a row of OutputRoles trains it: "limb_fields", or a word of a user's own
  std::string decoder{};  // a row of OutputDecoders makes a value of its maps: "limb_scores"; empty: maps alone
  friend bool operator==(const OutputSpec&, const OutputSpec&) = default;
};

/// The spec of a pose network. Heatmaps are (N, joints + 1, H / stride, W / stride), the last map background.
struct ModelSpec {
  std::vector<InputSpec> inputs{{"image", InputRole::image, 0}};
  std::vector<std::string> heatmaps{"heatmaps"};  // outputs, first stage first; the last one is the answer
  std::vector<OutputSpec> outputs{};              // all others; the graph's last output is none of them
  JointSet joints = lsp_joints();
  int input_height = 368;  // pixels of the network's input
  int input_width = 368;
  std::string colour_order = "rgb";  // "rgb", "bgr", or "grey": one channel
  int bit_depth = 8;                 // of the pictures' samples: 8, or 16 where they are grey
  // The frames of a video that the image input is fed, by their offsets from the one whose pose it is, which is 0:
  // {-1, 0} is the frame before, and the frame. Ascending, 0 among them; see FrameLimits.
  std::vector<int> frames{0};
  Normalisation normalisation;
  CropRule crop;
  double sigma_px = 7;  // targets' standard deviation in input pixels
  Decoder decoder;
  std::optional<Calibration> calibration{};  // of keypoints' scores; none: scores are the maps' peaks
};

/// The kind of picture that an input of this order of colours and bit depth is fed with, and its channels.
PixelKind pixel_kind(std::string_view colour_order, int bit_depth);
constexpr int channels_of(PixelKind kind) { return kind == PixelKind::rgb8 ? 3 : 1; }

inline PixelKind pixel_kind(const ModelSpec& spec) { return pixel_kind(spec.colour_order, spec.bit_depth); }

/// Channels of one picture, and of the image input, which is fed as many pictures as there are frames.
inline int image_channels(const ModelSpec& spec) { return channels_of(pixel_kind(spec)); }
inline int input_channels(const ModelSpec& spec) { return image_channels(spec) * static_cast<int>(spec.frames.size()); }

/// Inclusive.
struct NumberRange {
  double low = 0;
  double high = 0;
};

/// Of a spec's numbers, wherever they are read.
struct ModelSpecRanges {
  static constexpr NumberRange input_pixels{8, 8192};
  static constexpr NumberRange sigma_px{0.1, 1000};
  static constexpr NumberRange centre_sigma_px{0.1, 1e4};
  static constexpr NumberRange crop{0.1, 10};
  // A float holds (pixel - mean) * scale within these, and a scale of 0 would hide the picture.
  static constexpr NumberRange mean{-1e6, 1e6};
  static constexpr NumberRange scale{1e-6, 1e6};
  static constexpr NumberRange calibration_half{1e-6, 1e6};
  static constexpr NumberRange calibration_slope{1e-3, 50};
  static constexpr NumberRange calibration_person{0, 1};
};

/// Of a spec's frames, wherever they are read.
struct FrameLimits {
  static constexpr int farthest = 16;  // from frame 0, in frames
  static constexpr std::size_t most = 8;
};

/// For messages: "-2, -1, 0".
std::string frames_text(std::span<const int> frames);

/// Errors: E naming `where`, for frames that no spec can have.
template <class E>
void check_frames(std::span<const int> frames, const std::string& where) {
  const auto refuse = [&](const std::string& expected, const std::string& got) {
    fail<E>({.where = where, .expected = expected, .got = got, .remedy = "as in [-2, -1, 0]"});
  };
  const std::string limit = std::to_string(FrameLimits::farthest);
  if (frames.empty() || frames.size() > FrameLimits::most) {
    refuse("1 to " + std::to_string(FrameLimits::most) + " offsets", std::to_string(frames.size()));
  }
  for (const int frame : frames) {
    if (frame >= -FrameLimits::farthest && frame <= FrameLimits::farthest) continue;
    refuse("offsets from -" + limit + " to " + limit, std::to_string(frame));
  }
  if (std::adjacent_find(frames.begin(), frames.end(), std::greater_equal<>()) != frames.end()) {
    refuse("ascending offsets, each once", frames_text(frames));
  }
  if (std::find(frames.begin(), frames.end(), 0) == frames.end()) {
    refuse("0 among the offsets, the frame whose pose it is", frames_text(frames));
  }
}

/// Errors: E naming `where` and the field, for an order of colours or a bit depth that no picture is read in.
template <class E>
void check_pixels(const std::string& colour_order, int bit_depth, const std::string& where) {
  const bool grey = colour_order == "grey";
  if (!grey && colour_order != "rgb" && colour_order != "bgr") {
    fail<E>({.where = where + ".colour_order",
             .expected = "rgb, bgr or grey",
             .got = detail::excerpt(colour_order, 20),
             .remedy = did_you_mean(colour_order, {"rgb", "bgr", "grey"})});
  }
  if (bit_depth == 8 || (grey && bit_depth == 16)) return;
  fail<E>({.where = where + ".bit_depth",
           .expected = grey ? "8 or 16" : "8 for colours",
           .got = std::to_string(bit_depth),
           .remedy = bit_depth == 16 ? "16 bits go with the colour_order grey" : ""});
}

/// Errors: ModelError naming `where` and the field that is out of its range; a spec that passes can be stored and
/// read back. Whether it fits a graph is the Model's question,
/// whether there is such a decoder that of who decodes.
void check(const ModelSpec& spec, const std::string& where);

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/pose/model_spec.ipp>
#endif
