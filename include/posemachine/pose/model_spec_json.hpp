// The JSON form of a model's spec: joints, input size, crop rule, normalisation, decoder, calibration.
#pragma once

#include <posemachine/base/json.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/pose/calibration.hpp>
#include <posemachine/pose/joint_set.hpp>
#include <posemachine/pose/model_spec.hpp>

#include <algorithm>
#include <string>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// Names, not numbers: readable, and robust when a joint is inserted.
Json joint_set_to_json(const JointSet& set);

/// Errors: ModelError naming the field.
JointSet joint_set_from_json(const Json& json, const std::string& where);

/// Errors: ModelError naming the field.
std::vector<OutputSpec> outputs_from_json(const Json& spec, const std::string& where);

/// Numbers per channel of a picture: 3, or 1 where it is grey.
Json normalisation_to_json(const ModelSpec& spec);

Json calibration_to_json(const Calibration& calibration);

/// A list of offsets. Errors: E naming `where`, as check_frames.
template <class E>
std::vector<int> frames_from_json(const Json& json, const std::string& where) {
  std::vector<int> frames;
  // Numbers of up to three characters are ints; check_frames() has the range.
  const auto is_offset = [](const Json& each) { return each.is_number_integer() && each.dump().size() <= 3; };
  if (!json.is_array() || json.size() > FrameLimits::most || !std::all_of(json.begin(), json.end(), is_offset)) {
    const std::string farthest = std::to_string(FrameLimits::farthest);
    fail<E>({.where = where,
             .expected = "a list of 1 to " + std::to_string(FrameLimits::most) + " offsets from -" + farthest + " to " +
                         farthest,
             .got = detail::json_excerpt(json),
             .remedy = "as in [-2, -1, 0]"});
  }
  for (const Json& each : json) frames.push_back(each.get<int>());
  check_frames<E>(frames, where);
  return frames;
}

/// A calibration, outputs besides heatmaps and their decoders, a bit depth other than 8 and frames other than 0 are
/// written where there are any: older programs read all other files, and refuse these by their keys.
Json spec_to_json(const ModelSpec& spec);

/// Errors: ModelError naming the field.
ModelSpec spec_from_json(const Json& json, const std::string& where);

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/pose/model_spec_json.ipp>
#endif
