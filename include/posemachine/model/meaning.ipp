// The definitions of model/meaning.hpp.
#pragma once

#include <posemachine/model/meaning.hpp>

#include <cstddef>
#include <sstream>

namespace posemachine::inline POSEMACHINE_BUILD {

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

POSEMACHINE_INLINE void check(const Meaning& meaning, const std::string& where) {
  try {
    check(meaning.joints);
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
  for (const InputMeaning& input : meaning.inputs) {
    if (input.role == InputRole::centre_gaussian)
      require_within("inputs." + input.name + ".sigma_px", input.sigma_px, MeaningRanges::centre_sigma_px);
  }
  require_within("input_height", meaning.input_height, MeaningRanges::input_pixels);
  require_within("input_width", meaning.input_width, MeaningRanges::input_pixels);
  check_pixels<ModelError>(meaning.colour_order, meaning.bit_depth, where);
  check_frames<ModelError>(meaning.frames, where + ".frames");
  for (std::size_t i = 0; i < static_cast<std::size_t>(image_channels(meaning)); ++i) {
    require_within("normalisation.mean", meaning.normalisation.mean[i], MeaningRanges::mean);
    require_within("normalisation.scale", meaning.normalisation.scale[i], MeaningRanges::scale);
  }
  require_within("crop.box_context", meaning.crop.box_context, MeaningRanges::crop);
  require_within("crop.image_scale", meaning.crop.image_scale, MeaningRanges::crop);
  require_within("sigma_px", meaning.sigma_px, MeaningRanges::sigma_px);
  if (meaning.calibration) {
    require_within("calibration.half", meaning.calibration->half, MeaningRanges::calibration_half);
    require_within("calibration.slope", meaning.calibration->slope, MeaningRanges::calibration_slope);
    require_within("calibration.person", meaning.calibration->person, MeaningRanges::calibration_person);
  }
  const auto require_name = [&](const std::string& key, const std::string& name) {
    if (!name.empty() && name.size() <= 64) return;
    fail<ModelError>({.where = where + "." + key,
                      .expected = "a name of 1 to 64 bytes",
                      .got = std::to_string(name.size()) + " bytes"});
  };
  require_name("decoder.kind", meaning.decoder.kind);
  for (const OutputMeaning& output : meaning.outputs) {
    require_name("outputs." + output.name + ".role", output.role);
    if (!output.decoder.empty()) require_name("outputs." + output.name + ".decoder", output.decoder);
  }
}

}  // namespace posemachine::inline POSEMACHINE_BUILD
