// The definitions of pose/model_spec_json.hpp.
#pragma once

#include <posemachine/pose/model_spec_json.hpp>

#include <posemachine/core/error.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <utility>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

POSEMACHINE_INLINE Json joint_set_to_json(const JointSet& set) {
  const auto name = [&](int joint) { return set.joints[static_cast<std::size_t>(joint)]; };
  const auto names = [&](const std::vector<int>& joints) {
    Json list = Json::array();
    for (const int joint : joints) list.push_back(name(joint));
    return list;
  };
  Json json = {{"name", set.name}, {"joints", set.joints}};
  json["pairs"] = Json::array();
  for (const auto& [left, right] : set.pairs) json["pairs"].push_back({name(left), name(right)});
  json["limbs"] = Json::array();
  for (const Limb& limb : set.limbs)
    json["limbs"].push_back({{"from", name(limb.from)}, {"to", name(limb.to)}, {"rgb", limb.colour}});
  json["groups"] = Json::array();
  for (const JointGroup& group : set.groups)
    json["groups"].push_back({{"name", group.name}, {"joints", names(group.joints)}});
  json["sticks"] = Json::array();
  for (const Stick& stick : set.sticks) {
    json["sticks"].push_back({{"group", stick.group}, {"from", names(stick.from)}, {"to", names(stick.to)}});
  }
  if (has_torso(set)) json["torso"] = {name(set.torso[0]), name(set.torso[1])};
  if (!set.sigmas.empty()) json["sigmas"] = set.sigmas;
  return json;
}

namespace detail {

POSEMACHINE_INLINE int joint_of(const JointSet& set, const Json& json, const std::string& where) {
  if (!json.is_string())
    fail<ModelError>({.where = where, .expected = "a joint's name", .got = json.dump().substr(0, 40)});
  const std::string name = json.get<std::string>();
  for (std::size_t i = 0; i < set.joints.size(); ++i) {
    if (set.joints[i] == name) return static_cast<int>(i);
  }
  fail<ModelError>({.where = where,
                    .expected = "a joint of the set",
                    .got = "\"" + name.substr(0, 40) + "\"",
                    .remedy = did_you_mean(name.substr(0, 40), set.joints)});
}

// Lists are bounded before their names are looked up: each costs a search through the joints.
POSEMACHINE_INLINE const Json& parts_of(const Json& json, std::string_view key, const std::string& where,
                                        int most = max_joint_parts) {
  const Json& list = array_member<ModelError>(json, key, where);
  if (list.size() > static_cast<std::size_t>(most)) {
    fail<ModelError>({.where = field(where, key),
                      .expected = "at most " + std::to_string(most) + " members",
                      .got = std::to_string(list.size())});
  }
  return list;
}

POSEMACHINE_INLINE std::vector<int> joints_of(const JointSet& set, const Json& json, std::string_view key,
                                              const std::string& where) {
  const Json& list = parts_of(json, key, where, max_joint_count);
  std::vector<int> joints;
  for (const Json& each : list) joints.push_back(joint_of(set, each, where));
  return joints;
}

POSEMACHINE_INLINE std::pair<int, int> joint_pair(const JointSet& set, const Json& json, const std::string& where) {
  if (!json.is_array() || json.size() != 2) {
    fail<ModelError>({.where = where, .expected = "two joints", .got = json.dump().substr(0, 60)});
  }
  return {joint_of(set, json[0], where), joint_of(set, json[1], where)};
}

}  // namespace detail

POSEMACHINE_INLINE JointSet joint_set_from_json(const Json& json, const std::string& where) {
  reject_unknown_keys<ModelError>(json, {"name", "joints", "pairs", "limbs", "groups", "sticks", "torso", "sigmas"},
                                  where);
  JointSet set;
  set.name = string_member<ModelError>(json, "name", where);
  for (const Json& name : detail::parts_of(json, "joints", where, max_joint_count)) {
    if (!name.is_string())
      fail<ModelError>({.where = where + ".joints", .expected = "names", .got = name.dump().substr(0, 40)});
    set.joints.push_back(name.get<std::string>());
  }
  for (const Json& pair : detail::parts_of(json, "pairs", where)) {
    set.pairs.push_back(detail::joint_pair(set, pair, where + ".pairs"));
  }
  for (const Json& limb : detail::parts_of(json, "limbs", where)) {
    const std::string at = where + ".limbs";
    reject_unknown_keys<ModelError>(limb, {"from", "to", "rgb"}, at);
    const Json& rgb = array_member<ModelError>(limb, "rgb", at);
    Limb added{detail::joint_of(set, member<ModelError>(limb, "from", at), at),
               detail::joint_of(set, member<ModelError>(limb, "to", at), at),
               {}};
    if (rgb.size() != 3)
      fail<ModelError>({.where = at + ".rgb", .expected = "3 numbers", .got = std::to_string(rgb.size())});
    for (std::size_t i = 0; i < 3; ++i) {
      if (!rgb[i].is_number_unsigned() || rgb[i].get<std::uint64_t>() > 255) {
        fail<ModelError>({.where = at + ".rgb", .expected = "numbers from 0 to 255", .got = rgb.dump().substr(0, 40)});
      }
      added.colour[i] = static_cast<std::uint8_t>(rgb[i].get<std::uint64_t>());
    }
    set.limbs.push_back(added);
  }
  for (const Json& group : detail::parts_of(json, "groups", where)) {
    const std::string at = where + ".groups";
    reject_unknown_keys<ModelError>(group, {"name", "joints"}, at);
    set.groups.push_back({string_member<ModelError>(group, "name", at), detail::joints_of(set, group, "joints", at)});
  }
  for (const Json& stick : detail::parts_of(json, "sticks", where)) {
    const std::string at = where + ".sticks";
    reject_unknown_keys<ModelError>(stick, {"group", "from", "to"}, at);
    set.sticks.push_back({string_member<ModelError>(stick, "group", at), detail::joints_of(set, stick, "from", at),
                          detail::joints_of(set, stick, "to", at)});
  }
  set.torso = no_torso;
  if (json.contains("torso")) {
    const auto torso = detail::joint_pair(set, json["torso"], where + ".torso");
    set.torso = {torso.first, torso.second};
  }
  if (json.contains("sigmas")) {
    for (const Json& sigma : detail::parts_of(json, "sigmas", where, max_joint_count)) {
      if (!sigma.is_number()) {
        fail<ModelError>({.where = where + ".sigmas", .expected = "numbers", .got = sigma.dump().substr(0, 40)});
      }
      set.sigmas.push_back(sigma.get<double>());
    }
  }
  try {
    check(set);
  } catch (const ModelError& error) {
    throw ModelError(where + ": " + error.what());
  }
  return set;
}

// arg_max and quarter_offset are written as quarter_offset, false or true: files of both are as old as the format, and
// older programs read them. The other kinds are written by name, which older programs refuse by that key.
POSEMACHINE_INLINE Json decoder_to_json(const Decoder& decoder) {
  Json json;
  if (decoder.kind == "arg_max" || decoder.kind == "quarter_offset") {
    json["quarter_offset"] = decoder.kind == "quarter_offset";
  } else {
    json["kind"] = decoder.kind;
  }
  json["flip_average"] = decoder.flip_average;
  return json;
}

// Errors: ModelError naming the field.
POSEMACHINE_INLINE Decoder decoder_from_json(const Json& json, const std::string& where) {
  reject_unknown_keys<ModelError>(json, {"quarter_offset", "kind", "flip_average"}, where);
  Decoder decoder;
  if (!json.contains("kind")) {
    const bool quarter = boolean_member<ModelError>(json, "quarter_offset", where);
    decoder.kind = quarter ? "quarter_offset" : "arg_max";
  } else if (json.contains("quarter_offset")) {
    fail<ModelError>({.where = where, .expected = "one of kind and quarter_offset", .got = "both"});
  } else {
    decoder.kind = string_member<ModelError>(json, "kind", where);
  }
  decoder.flip_average = boolean_member<ModelError>(json, "flip_average", where);
  return decoder;
}

POSEMACHINE_INLINE Json outputs_to_json(const std::vector<OutputSpec>& outputs) {
  Json list = Json::array();
  for (const OutputSpec& output : outputs) {
    Json entry = {{"name", output.name}, {"role", output.role}};
    if (!output.decoder.empty()) entry["decoder"] = output.decoder;
    list.push_back(std::move(entry));
  }
  return list;
}

POSEMACHINE_INLINE std::vector<OutputSpec> outputs_from_json(const Json& spec, const std::string& where) {
  std::vector<OutputSpec> outputs;
  const std::string at = where + ".outputs";
  for (const Json& output : array_member<ModelError>(spec, "outputs", where)) {
    reject_unknown_keys<ModelError>(output, {"name", "role", "decoder"}, at);
    OutputSpec& added = outputs.emplace_back();
    added.name = string_member<ModelError>(output, "name", at);
    added.role = string_member<ModelError>(output, "role", at);
    if (!output.contains("decoder")) continue;
    added.decoder = string_member<ModelError>(output, "decoder", at);
    if (!added.decoder.empty()) continue;
    fail<ModelError>(
        {.where = at + "." + added.name + ".decoder", .expected = "a name, or no such key", .got = R"("")"});
  }
  return outputs;
}

POSEMACHINE_INLINE Json normalisation_to_json(const ModelSpec& spec) {
  const auto list = [&](const std::array<double, 3>& numbers) {
    return Json(std::vector<double>(numbers.begin(), numbers.begin() + image_channels(spec)));
  };
  return {{"mean", list(spec.normalisation.mean)}, {"scale", list(spec.normalisation.scale)}};
}

namespace detail {

// Ranges are check(ModelSpec)'s.
POSEMACHINE_INLINE double any_number(const Json& object, std::string_view key, const std::string& where) {
  constexpr double most = std::numeric_limits<double>::max();
  return number_member<ModelError>(object, key, where, -most, most);
}

// One number per channel; of one channel all three are that number, so that equal specs compare equal.
POSEMACHINE_INLINE std::array<double, 3> channel_numbers(const Json& normalisation, const char* key,
                                                         std::size_t channels, const std::string& where) {
  const Json& list = array_member<ModelError>(normalisation, key, where);
  if (list.size() != channels) {
    fail<ModelError>({.where = where + "." + key,
                      .expected = channels == 1 ? "1 number, as the colour order is grey" : "3 numbers",
                      .got = std::to_string(list.size())});
  }
  std::array<double, 3> numbers{};
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const Json& number = list[std::min(i, channels - 1)];
    if (!number.is_number()) {
      fail<ModelError>({.where = where + "." + key, .expected = "numbers", .got = list.dump().substr(0, 60)});
    }
    numbers[i] = number.get<double>();
  }
  return numbers;
}

}  // namespace detail

POSEMACHINE_INLINE Json calibration_to_json(const Calibration& calibration) {
  return {{"metric", calibration.metric},
          {"half", calibration.half},
          {"slope", calibration.slope},
          {"person", calibration.person},
          {"joints", calibration.joints}};
}

// Errors: ModelError naming the field.
POSEMACHINE_INLINE Calibration calibration_from_json(const Json& json, const std::string& where) {
  reject_unknown_keys<ModelError>(json, {"metric", "half", "slope", "person", "joints"}, where);
  Calibration calibration;
  calibration.metric = string_member<ModelError>(json, "metric", where);
  calibration.half = detail::any_number(json, "half", where);
  calibration.slope = detail::any_number(json, "slope", where);
  calibration.person = detail::any_number(json, "person", where);
  calibration.joints =
      static_cast<int>(integer_member<ModelError>(json, "joints", where, 0, std::numeric_limits<int>::max()));
  return calibration;
}

POSEMACHINE_INLINE Json spec_to_json(const ModelSpec& spec) {
  Json inputs = Json::array();
  for (const InputSpec& input : spec.inputs) {
    Json entry = {{"name", input.name}, {"role", input.role == InputRole::image ? "image" : "centre_gaussian"}};
    if (input.role == InputRole::centre_gaussian) entry["sigma_px"] = input.sigma_px;
    inputs.push_back(std::move(entry));
  }
  Json json = {{"inputs", std::move(inputs)},
               {"heatmaps", spec.heatmaps},
               {"joint_set", joint_set_to_json(spec.joints)},
               {"input_height", spec.input_height},
               {"input_width", spec.input_width},
               {"colour_order", spec.colour_order},
               {"normalisation", normalisation_to_json(spec)},
               {"crop", {{"box_context", spec.crop.box_context}, {"image_scale", spec.crop.image_scale}}},
               {"sigma_px", spec.sigma_px},
               {"decoder", decoder_to_json(spec.decoder)}};
  if (spec.bit_depth != 8) json["bit_depth"] = spec.bit_depth;
  if (spec.frames != std::vector{0}) json["frames"] = spec.frames;
  if (spec.calibration) json["calibration"] = calibration_to_json(*spec.calibration);
  if (!spec.outputs.empty()) json["outputs"] = outputs_to_json(spec.outputs);
  return json;
}

POSEMACHINE_INLINE ModelSpec spec_from_json(const Json& json, const std::string& where) {
  reject_unknown_keys<ModelError>(
      json,
      {"inputs", "heatmaps", "joint_set", "input_height", "input_width", "colour_order", "bit_depth", "frames",
       "normalisation", "crop", "sigma_px", "decoder", "calibration", "outputs"},
      where);
  ModelSpec spec;
  spec.inputs.clear();
  for (const Json& input : array_member<ModelError>(json, "inputs", where)) {
    const std::string at = where + ".inputs";
    reject_unknown_keys<ModelError>(input, {"name", "role", "sigma_px"}, at);
    InputSpec added;
    added.name = string_member<ModelError>(input, "name", at);
    const std::string role = string_member<ModelError>(input, "role", at);
    if (role != "image" && role != "centre_gaussian") {
      fail<ModelError>({.where = at + ".role", .expected = "image or centre_gaussian", .got = role.substr(0, 40)});
    }
    added.role = role == "image" ? InputRole::image : InputRole::centre_gaussian;
    if (added.role == InputRole::centre_gaussian) added.sigma_px = detail::any_number(input, "sigma_px", at);
    spec.inputs.push_back(std::move(added));
  }
  spec.heatmaps.clear();
  for (const Json& name : array_member<ModelError>(json, "heatmaps", where)) {
    if (!name.is_string())
      fail<ModelError>({.where = where + ".heatmaps", .expected = "names", .got = name.dump().substr(0, 40)});
    spec.heatmaps.push_back(name.get<std::string>());
  }
  if (json.contains("outputs")) spec.outputs = outputs_from_json(json, where);
  spec.joints = joint_set_from_json(member<ModelError>(json, "joint_set", where), where + ".joint_set");
  spec.input_height =
      static_cast<int>(integer_member<ModelError>(json, "input_height", where, 0, std::numeric_limits<int>::max()));
  spec.input_width =
      static_cast<int>(integer_member<ModelError>(json, "input_width", where, 0, std::numeric_limits<int>::max()));
  spec.colour_order = string_member<ModelError>(json, "colour_order", where);
  if (json.contains("bit_depth")) {
    spec.bit_depth = static_cast<int>(integer_member<ModelError>(json, "bit_depth", where, 8, 16));
  }
  check_pixels<ModelError>(spec.colour_order, spec.bit_depth,
                           where);  // on which the length of other lists depends
  if (json.contains("frames")) spec.frames = frames_from_json<ModelError>(json["frames"], where + ".frames");
  const Json& normalisation = member<ModelError>(json, "normalisation", where);
  reject_unknown_keys<ModelError>(normalisation, {"mean", "scale"}, where + ".normalisation");
  const auto channels = static_cast<std::size_t>(image_channels(spec));
  spec.normalisation.mean = detail::channel_numbers(normalisation, "mean", channels, where + ".normalisation");
  spec.normalisation.scale = detail::channel_numbers(normalisation, "scale", channels, where + ".normalisation");
  const Json& crop = member<ModelError>(json, "crop", where);
  reject_unknown_keys<ModelError>(crop, {"box_context", "image_scale"}, where + ".crop");
  spec.crop.box_context = detail::any_number(crop, "box_context", where + ".crop");
  spec.crop.image_scale = detail::any_number(crop, "image_scale", where + ".crop");
  spec.sigma_px = detail::any_number(json, "sigma_px", where);
  spec.decoder = decoder_from_json(member<ModelError>(json, "decoder", where), where + ".decoder");
  if (json.contains("calibration")) {
    spec.calibration = calibration_from_json(json["calibration"], where + ".calibration");
  }
  check(spec, where);
  return spec;
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
