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

/// arg_max and quarter_offset are written as quarter_offset, false or true: files of both are as old as the format, and
/// older programs read them. The other kinds are written by name, which older programs refuse by that key.
Json decoder_to_json(const Decoder& decoder);

/// Errors: ModelError naming the field.
Decoder decoder_from_json(const Json& json, const std::string& where);

/// Errors: ModelError naming the field.
std::vector<OutputMeaning> outputs_from_json(const Json& meaning, const std::string& where);

/// Numbers per channel of the input: 3, or 1 where it is grey.
Json normalisation_to_json(const Meaning& meaning);

Json calibration_to_json(const Calibration& calibration);

/// Errors: ModelError naming the field.
Calibration calibration_from_json(const Json& json, const std::string& where);

/// A calibration, outputs besides heatmaps and a bit depth other than 8 are written where there are any: older programs
/// read all other files, and refuse these by their keys.
Json meaning_to_json(const Meaning& meaning);

/// Errors: ModelError naming the field.
Meaning meaning_from_json(const Json& json, const std::string& where);

}  // namespace posemachine::inline POSEMACHINE_BUILD

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/model/meaning_json.ipp>
#endif
