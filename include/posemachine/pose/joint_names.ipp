// The definitions of pose/joint_names.hpp.
#pragma once

#include <posemachine/pose/joint_names.hpp>

#include <posemachine/core/error.hpp>
#include <posemachine/core/image.hpp>
#include <posemachine/pose/model_spec_json.hpp>

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <tuple>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

POSEMACHINE_INLINE std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

constexpr bool is_separator(char c) { return c == '_' || c == ' ' || c == '-' || c == '.'; }

// Whether a word ends before `at` and another begins: at a separator, or as in "leftKnee"; not in "LEFTOVER".
POSEMACHINE_INLINE bool is_boundary(std::string_view name, std::size_t at) {
  if (is_separator(name[at]) || is_separator(name[at - 1])) return true;
  return std::islower(static_cast<unsigned char>(name[at - 1])) != 0 &&
         std::isupper(static_cast<unsigned char>(name[at])) != 0;
}

}  // namespace detail

POSEMACHINE_INLINE SidedName sided_name(std::string_view name) {
  const std::string lower = detail::lower_case(name);
  const auto without_separators = [](std::string rest) {
    while (!rest.empty() && detail::is_separator(rest.front())) rest.erase(0, 1);
    while (!rest.empty() && detail::is_separator(rest.back())) rest.pop_back();
    return rest;
  };
  for (const auto& [word, letter, side] : {std::tuple{"left", 'l', Side::left}, {"right", 'r', Side::right}}) {
    const std::string_view whole = word;
    if (lower.size() > whole.size()) {
      const bool first = lower.starts_with(whole) && detail::is_boundary(name, whole.size());
      if (first) return {side, without_separators(lower.substr(whole.size()))};
      const std::size_t at = lower.size() - whole.size();
      const bool last = lower.ends_with(whole) && detail::is_boundary(name, at);
      if (last) return {side, without_separators(lower.substr(0, at))};
    }
    if (lower.size() < 3) continue;
    const bool marked = lower[0] == letter && detail::is_separator(lower[1]);
    const bool capitals = name[0] == static_cast<char>(std::toupper(letter)) &&
                          std::isupper(static_cast<unsigned char>(name[1])) != 0 &&
                          std::islower(static_cast<unsigned char>(name[2])) != 0;
    if (marked || capitals) return {side, without_separators(lower.substr(1))};
    if (lower.back() == letter && detail::is_separator(lower[lower.size() - 2])) {
      return {side, without_separators(lower.substr(0, lower.size() - 1))};
    }
  }
  return {Side::none, lower};
}

POSEMACHINE_INLINE JointSet joint_set_from_names(std::string name, std::vector<std::string> names,
                                                 std::span<const std::pair<int, int>> limbs) {
  constexpr Rgb left_colour{60, 170, 255}, right_colour{255, 140, 40}, middle_colour{110, 220, 110};
  JointSet set;
  set.name = std::move(name);
  set.joints = std::move(names);
  set.torso = no_torso;
  detail::require_joint_count(set);  // before each name is compared with every other
  std::vector<SidedName> sided;
  for (const std::string& each : set.joints) sided.push_back(sided_name(each));
  const auto find = [&](Side side, const std::string& rest) {
    const auto found = std::find_if(sided.begin(), sided.end(),
                                    [&](const SidedName& each) { return each.side == side && each.rest == rest; });
    return found == sided.end() ? -1 : static_cast<int>(found - sided.begin());
  };
  for (std::size_t i = 0; i < sided.size(); ++i) {
    const int joint = static_cast<int>(i);
    const Side side = sided[i].side;
    const int other = side == Side::none ? -1 : find(side == Side::left ? Side::right : Side::left, sided[i].rest);
    // Of two joints of one name, letter cases aside, the first has the pair.
    const bool paired = other >= 0 && find(side, sided[i].rest) == joint;
    if (!paired) {
      set.groups.push_back({set.joints[i], {joint}});
    } else if (joint < other) {
      // "hip" beside "left_hip" and "right_hip" is a joint of its own.
      const bool taken = std::find(set.joints.begin(), set.joints.end(), sided[i].rest) != set.joints.end();
      set.groups.push_back({sided[i].rest + (taken ? " (left, right)" : ""), {joint, other}});
      set.pairs.emplace_back(side == Side::left ? joint : other, side == Side::left ? other : joint);
    }
  }
  const int shoulder = find(Side::left, "shoulder");
  const int hip = find(Side::right, "hip");
  if (shoulder >= 0 && hip >= 0) set.torso = {shoulder, hip};
  for (const SidedName& each : sided) set.sigmas.push_back(coco_sigma(each.rest));
  if (std::find(set.sigmas.begin(), set.sigmas.end(), 0.0) != set.sigmas.end()) set.sigmas.clear();
  for (const auto& [from, to] : limbs) {
    const auto side = [&](int joint) {
      const bool exists = joint >= 0 && static_cast<std::size_t>(joint) < sided.size();
      return exists ? sided[static_cast<std::size_t>(joint)].side : Side::none;
    };
    const Side both = side(from) == side(to) ? side(from) : Side::none;
    set.limbs.push_back({from, to,
                         both == Side::left    ? left_colour
                         : both == Side::right ? right_colour
                                               : middle_colour});
  }
  check(set);
  return set;
}

POSEMACHINE_INLINE JointSet joint_set_from_some_json(const Json& json, const std::string& where) {
  const Json given = json.is_array() ? Json{{"joints", json}} : json;
  std::vector<std::string> names;
  for (const Json& name : array_member<ModelError>(given, "joints", where)) {
    if (!name.is_string()) {
      fail<ModelError>({.where = where + ".joints", .expected = "names", .got = detail::json_excerpt(name)});
    }
    names.push_back(name.get<std::string>());
  }
  Json whole;
  try {
    const std::string name = given.contains("name") ? string_member<ModelError>(given, "name", where) : "joints";
    whole = joint_set_to_json(joint_set_from_names(name, std::move(names)));
  } catch (const ModelError& error) {
    throw ModelError(where + ": " + error.what());
  }
  whole.update(given);
  return joint_set_from_json(whole, where);
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
