// The definitions of pose/joint_set.hpp.
#pragma once

#include <posemachine/pose/joint_set.hpp>

#include <posemachine/core/error.hpp>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

POSEMACHINE_INLINE void require_joint_count(const JointSet& set) {
  const std::size_t count = set.joints.size();
  if (count > 0 && count <= std::size_t{max_joint_count}) return;
  fail<ModelError>({.where = "joint set " + set.name,
                    .expected = "1 to " + std::to_string(max_joint_count) + " joints",
                    .got = std::to_string(count)});
}

}  // namespace detail

POSEMACHINE_INLINE std::vector<int> mirror(const JointSet& set) {
  std::vector<int> to(set.joints.size());
  for (std::size_t i = 0; i < to.size(); ++i) to[i] = static_cast<int>(i);
  for (const auto& [left, right] : set.pairs) {
    to[static_cast<std::size_t>(left)] = right;
    to[static_cast<std::size_t>(right)] = left;
  }
  return to;
}

POSEMACHINE_INLINE void check(const JointSet& set) {
  const std::size_t count = set.joints.size();
  const auto require_joint = [&](int index, const std::string& where) {
    if (index >= 0 && static_cast<std::size_t>(index) < count) return;
    fail<ModelError>({.where = "joint set " + set.name + ": " + where,
                      .expected = "a joint from 0 to " + std::to_string(count - 1),
                      .got = std::to_string(index)});
  };
  detail::require_joint_count(set);
  for (const auto& [part, parts] :
       {std::pair{"limbs", set.limbs.size()}, {"groups", set.groups.size()}, {"sticks", set.sticks.size()}}) {
    if (parts <= std::size_t{max_joint_parts}) continue;
    fail<ModelError>({.where = "joint set " + set.name + ": " + part,
                      .expected = "at most " + std::to_string(max_joint_parts),
                      .got = std::to_string(parts)});
  }
  for (std::size_t i = 0; i < count; ++i) {
    if (set.joints[i].empty() || set.joints[i].size() > max_joint_name_bytes) {
      fail<ModelError>({.where = "joint set " + set.name + ": joint " + std::to_string(i),
                        .expected = "a name of 1 to " + std::to_string(max_joint_name_bytes) + " bytes",
                        .got = std::to_string(set.joints[i].size())});
    }
    for (std::size_t k = 0; k < i; ++k) {
      if (set.joints[i] != set.joints[k]) continue;
      fail<ModelError>({.where = "joint set " + set.name,
                        .expected = "joints of different names",
                        .got = "\"" + set.joints[i] + "\" twice"});
    }
  }
  std::vector<bool> paired(count, false);
  for (const auto& [left, right] : set.pairs) {
    for (const int joint : {left, right}) {
      require_joint(joint, "pairs");
      if (paired[static_cast<std::size_t>(joint)]) {
        fail<ModelError>({.where = "joint set " + set.name + ": pairs",
                          .expected = "every joint in at most one pair",
                          .got = "\"" + set.joints[static_cast<std::size_t>(joint)] + "\" again"});
      }
      paired[static_cast<std::size_t>(joint)] = true;
    }
  }
  for (const Limb& limb : set.limbs) {
    require_joint(limb.from, "limbs");
    require_joint(limb.to, "limbs");
  }
  for (const JointGroup& group : set.groups) {
    if (group.joints.empty() || group.joints.size() > count) {
      fail<ModelError>({.where = "joint set " + set.name + ": groups." + group.name,
                        .expected = "1 to " + std::to_string(count) + " joints",
                        .got = std::to_string(group.joints.size())});
    }
    for (const int joint : group.joints) require_joint(joint, "groups." + group.name);
  }
  for (const Stick& stick : set.sticks) {
    for (const std::vector<int>* end : {&stick.from, &stick.to}) {
      if (end->empty() || end->size() > 2) {
        fail<ModelError>({.where = "joint set " + set.name + ": sticks." + stick.group,
                          .expected = "one or two joints at both ends",
                          .got = std::to_string(end->size())});
      }
      for (const int joint : *end) require_joint(joint, "sticks." + stick.group);
    }
  }
  if (has_torso(set)) {
    for (const int joint : set.torso) require_joint(joint, "torso");
  }
  if (!set.sigmas.empty() && set.sigmas.size() != count) {
    fail<ModelError>({.where = "joint set " + set.name + ": sigmas",
                      .expected = std::to_string(count) + " numbers, one per joint",
                      .got = std::to_string(set.sigmas.size())});
  }
  for (const double sigma : set.sigmas) {
    if (sigma > 0 && sigma <= 1) continue;
    fail<ModelError>({.where = "joint set " + set.name + ": sigmas",
                      .expected = "numbers above 0, up to 1",
                      .got = std::to_string(sigma)});
  }
}

POSEMACHINE_INLINE JointSet lsp_joints() {
  constexpr Rgb right_leg{255, 140, 40}, right_arm{240, 60, 70}, left_leg{60, 170, 255}, left_arm{90, 90, 240};
  constexpr Rgb trunk{110, 220, 110}, head{250, 225, 80};
  JointSet set;
  set.name = "lsp";
  set.joints = {"right_ankle", "right_knee",  "right_hip",   "left_hip",       "left_knee",
                "left_ankle",  "right_wrist", "right_elbow", "right_shoulder", "left_shoulder",
                "left_elbow",  "left_wrist",  "neck",        "head_top"};
  set.pairs = {{5, 0}, {4, 1}, {3, 2}, {11, 6}, {10, 7}, {9, 8}};
  set.limbs = {{12, 13, head},    {8, 12, trunk},    {9, 12, trunk},     {2, 8, trunk},    {3, 9, trunk},
               {2, 3, trunk},     {0, 1, right_leg}, {1, 2, right_leg},  {5, 4, left_leg}, {4, 3, left_leg},
               {6, 7, right_arm}, {7, 8, right_arm}, {11, 10, left_arm}, {10, 9, left_arm}};
  set.groups = {{"head", {12, 13}}, {"shoulder", {8, 9}}, {"elbow", {7, 10}}, {"wrist", {6, 11}},
                {"hip", {2, 3}},    {"knee", {1, 4}},     {"ankle", {0, 5}}};
  set.sticks = {{"torso", {2, 3}, {8, 9}}, {"head", {12}, {13}},     {"upper_leg", {2}, {1}}, {"upper_leg", {3}, {4}},
                {"lower_leg", {1}, {0}},   {"lower_leg", {4}, {5}},  {"upper_arm", {8}, {7}}, {"upper_arm", {9}, {10}},
                {"lower_arm", {7}, {6}},   {"lower_arm", {10}, {11}}};
  set.torso = {9, 2};
  return set;
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
