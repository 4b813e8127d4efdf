// Joint sets that the field knows by name: LSP, MPII, COCO, BODY_25.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/image.hpp>
#include <posemachine/pose/joint_names.hpp>
#include <posemachine/pose/joint_set.hpp>

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// The 16 joints of MPII, in its order. Those that LSP has, too, have the names that they have there: MPII's upper neck
/// is LSP's neck; pelvis and thorax are MPII's alone.
inline JointSet mpii_joints() {
  constexpr Rgb right_leg{255, 140, 40}, right_arm{240, 60, 70}, left_leg{60, 170, 255}, left_arm{90, 90, 240};
  constexpr Rgb trunk{110, 220, 110}, head{250, 225, 80};
  JointSet set;
  set.name = "mpii";
  set.joints = {"right_ankle",    "right_knee",    "right_hip",  "left_hip",  "left_knee",   "left_ankle",
                "pelvis",         "thorax",        "neck",       "head_top",  "right_wrist", "right_elbow",
                "right_shoulder", "left_shoulder", "left_elbow", "left_wrist"};
  set.pairs = {{5, 0}, {4, 1}, {3, 2}, {15, 10}, {14, 11}, {13, 12}};
  set.limbs = {{8, 9, head},     {7, 8, trunk},       {12, 7, trunk},      {13, 7, trunk},     {7, 6, trunk},
               {2, 6, trunk},    {3, 6, trunk},       {0, 1, right_leg},   {1, 2, right_leg},  {5, 4, left_leg},
               {4, 3, left_leg}, {10, 11, right_arm}, {11, 12, right_arm}, {15, 14, left_arm}, {14, 13, left_arm}};
  set.groups = {{"head", {8, 9}}, {"shoulder", {12, 13}}, {"elbow", {11, 14}}, {"wrist", {10, 15}}, {"hip", {2, 3}},
                {"knee", {1, 4}}, {"ankle", {0, 5}},      {"pelvis", {6}},     {"thorax", {7}}};
  set.sticks = {{"torso", {2, 3}, {12, 13}}, {"head", {8}, {9}},        {"upper_leg", {2}, {1}},
                {"upper_leg", {3}, {4}},     {"lower_leg", {1}, {0}},   {"lower_leg", {4}, {5}},
                {"upper_arm", {12}, {11}},   {"upper_arm", {13}, {14}}, {"lower_arm", {11}, {10}},
                {"lower_arm", {14}, {15}}};
  set.torso = {13, 2};
  return set;
}

/// COCO's 17 joints and skeleton, in its order.
inline JointSet coco_joints(const std::string& name = "coco") {
  constexpr std::array<std::pair<int, int>, 19> limbs{{{15, 13},
                                                       {13, 11},
                                                       {16, 14},
                                                       {14, 12},
                                                       {11, 12},
                                                       {5, 11},
                                                       {6, 12},
                                                       {5, 6},
                                                       {5, 7},
                                                       {6, 8},
                                                       {7, 9},
                                                       {8, 10},
                                                       {1, 2},
                                                       {0, 1},
                                                       {0, 2},
                                                       {1, 3},
                                                       {2, 4},
                                                       {3, 5},
                                                       {4, 6}}};
  return joint_set_from_names(name,
                              {"nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder",
                               "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hip",
                               "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle"},
                              limbs);
}

/// OpenPose's 25 joints and skeleton, in its order and by its names. Source: OpenPose 1.7, doc/02_output.md.
inline JointSet body_25_joints() {
  constexpr std::array<std::pair<int, int>, 24> limbs{{{1, 8},   {1, 2},   {1, 5},   {2, 3},   {3, 4},   {5, 6},
                                                       {6, 7},   {8, 9},   {9, 10},  {10, 11}, {8, 12},  {12, 13},
                                                       {13, 14}, {1, 0},   {0, 15},  {15, 17}, {0, 16},  {16, 18},
                                                       {14, 19}, {19, 20}, {14, 21}, {11, 22}, {22, 23}, {11, 24}}};
  return joint_set_from_names(
      "body_25", {"Nose", "Neck",    "RShoulder", "RElbow", "RWrist",  "LShoulder", "LElbow", "LWrist", "MidHip",
                  "RHip", "RKnee",   "RAnkle",    "LHip",   "LKnee",   "LAnkle",    "REye",   "LEye",   "REar",
                  "LEar", "LBigToe", "LSmallToe", "LHeel",  "RBigToe", "RSmallToe", "RHeel"},
      limbs);
}

struct KnownJointSet {
  std::string_view name;
  JointSet (*make)() = nullptr;
};
inline constexpr std::array<KnownJointSet, 4> known_joint_sets{
    {{"lsp", lsp_joints}, {"mpii", mpii_joints}, {"coco", [] { return coco_joints(); }}, {"body_25", body_25_joints}}};

/// One of known_joint_sets by its name; none for another name.
inline std::optional<JointSet> known_joint_set(std::string_view name) {
  for (const KnownJointSet& each : known_joint_sets) {
    if (each.name == name) return each.make();
  }
  return std::nullopt;
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
