// The JSON form of a model's meaning: joints, input size, crop rule, normalisation, decoder, calibration.
#pragma once

#include <posemachine/base/json.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/model/calibration.hpp>
#include <posemachine/model/joint_set.hpp>
#include <posemachine/model/meaning.hpp>

#include <string>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {

/// Names, not numbers: readable, and robust when a joint is inserted.
Json joint_set_to_json(const JointSet& set);

/// Errors: ModelError naming the field.
JointSet joint_set_from_json(const Json& json, const std::string& where);

/// Errors: ModelError naming the field.
std::vector<OutputMeaning> outputs_from_json(const Json& meaning, const std::string& where);

/// Numbers per channel of the input: 3, or 1 where it is grey.
Json normalisation_to_json(const Meaning& meaning);

Json calibration_to_json(const Calibration& calibration);

/// A calibration, outputs besides heatmaps and a bit depth other than 8 are written where there are any: older programs
/// read all other files, and refuse these by their keys.
Json meaning_to_json(const Meaning& meaning);

/// Errors: ModelError naming the field.
Meaning meaning_from_json(const Json& json, const std::string& where);

}  // namespace posemachine::inline POSEMACHINE_BUILD

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/model/meaning_json.ipp>
#endif
