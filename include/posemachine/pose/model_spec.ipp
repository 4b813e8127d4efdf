// The definitions of pose/model_spec.hpp.
#pragma once

#include <posemachine/pose/model_spec.hpp>

#include <cstddef>
#include <sstream>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

POSEMACHINE_INLINE Normalisation default_normalisation(int bit_depth) {
  if (bit_depth != 16) return {};
  return {{2000, 2000, 2000}, {1.0 / 4000, 1.0 / 4000, 1.0 / 4000}};
}

POSEMACHINE_INLINE PixelKind pixel_kind(std::string_view colour_order, int bit_depth) {
  if (colour_order != "grey") return PixelKind::rgb8;
  return bit_depth == 16 ? PixelKind::grey16 : PixelKind::grey8;
}

POSEMACHINE_INLINE std::string frames_text(std::span<const int> frames) {
  std::string text;
  for (const int frame : frames) text += (text.empty() ? "" : ", ") + std::to_string(frame);
  return text;
}

POSEMACHINE_INLINE void check(const ModelSpec& spec, const std::string& where) {
  try {
    check(spec.joints);
  } catch (const ModelError& error) {
    throw ModelError(where + ".joint_set: " + error.what());
  }
  const auto require_within = [&](const std::string& key, double value, NumberRange range) {
    if (value >= range.low && value <= range.high) return;
    const auto text = [](double number) {
      std::ostringstream stream;
      stream << number;
      return stream.str();
    };
    fail<ModelError>({.where = where + "." + key,
                      .expected = "a number from " + text(range.low) + " to " + text(range.high),
                      .got = text(value)});
  };
  for (const InputSpec& input : spec.inputs) {
    if (input.role == InputRole::centre_gaussian)
      require_within("inputs." + input.name + ".sigma_px", input.sigma_px, ModelSpecRanges::centre_sigma_px);
  }
  require_within("input_height", spec.input_height, ModelSpecRanges::input_pixels);
  require_within("input_width", spec.input_width, ModelSpecRanges::input_pixels);
  check_pixels<ModelError>(spec.colour_order, spec.bit_depth, where);
  check_frames<ModelError>(spec.frames, where + ".frames");
  for (std::size_t i = 0; i < static_cast<std::size_t>(image_channels(spec)); ++i) {
    require_within("normalisation.mean", spec.normalisation.mean[i], ModelSpecRanges::mean);
    require_within("normalisation.scale", spec.normalisation.scale[i], ModelSpecRanges::scale);
  }
  require_within("crop.box_context", spec.crop.box_context, ModelSpecRanges::crop);
  require_within("crop.image_scale", spec.crop.image_scale, ModelSpecRanges::crop);
  require_within("sigma_px", spec.sigma_px, ModelSpecRanges::sigma_px);
  if (spec.calibration) {
    require_within("calibration.half", spec.calibration->half, ModelSpecRanges::calibration_half);
    require_within("calibration.slope", spec.calibration->slope, ModelSpecRanges::calibration_slope);
    require_within("calibration.person", spec.calibration->person, ModelSpecRanges::calibration_person);
  }
  const auto require_name = [&](const std::string& key, const std::string& name) {
    if (!name.empty() && name.size() <= 64) return;
    fail<ModelError>({.where = where + "." + key,
                      .expected = "a name of 1 to 64 bytes",
                      .got = std::to_string(name.size()) + " bytes"});
  };
  require_name("decoder.kind", spec.decoder.kind);
  for (const OutputSpec& output : spec.outputs) {
    require_name("outputs." + output.name + ".role", output.role);
    if (!output.decoder.empty()) require_name("outputs." + output.name + ".decoder", output.decoder);
  }
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
