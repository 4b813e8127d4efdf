// Joint sets are data: names, left and right, limbs to draw, groups and sticks to measure.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/image.hpp>

#include <array>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// A line drawn between two joints.
struct Limb {
  int from = 0;
  int to = 0;
  Rgb colour{255, 255, 255};
  friend bool operator==(const Limb&, const Limb&) = default;
};

/// Joints whose rates are averaged in one row of a table.
struct JointGroup {
  std::string name;
  std::vector<int> joints;
  friend bool operator==(const JointGroup&, const JointGroup&) = default;
};

/// A body part as PCP measures it; an end is one joint, or the middle of two.
struct Stick {
  std::string group;
  std::vector<int> from;
  std::vector<int> to;
  friend bool operator==(const Stick&, const Stick&) = default;
};

/// The torso of a joint set that has none.
inline constexpr std::array<int, 2> no_torso{-1, -1};

/// The joints a network predicts, in the order of its maps. Left and right are the person's own.
struct JointSet {
  std::string name;
  std::vector<std::string> joints;
  std::vector<std::pair<int, int>> pairs;  // left and right of the same joint
  std::vector<Limb> limbs;
  std::vector<JointGroup> groups;
  std::vector<Stick> sticks;
  std::array<int, 2> torso{0, 0};  // the two joints whose distance PCK measures by, or no_torso
  std::vector<double> sigmas{};    // how far annotators differ on each joint, a share of the root of the person's area,
                                   // as OKS weighs errors; empty: unknown
  friend bool operator==(const JointSet&, const JointSet&) = default;
};

inline bool has_torso(const JointSet& set) { return set.torso != no_torso; }

/// The most joints a set may have; people are annotated with 14 to 133.
inline constexpr int max_joint_count = 1024;

/// The most limbs, groups and sticks a set may have, of each; and the most bytes of a name.
inline constexpr int max_joint_parts = 4096;
inline constexpr std::size_t max_joint_name_bytes = 200;

namespace detail {

void require_joint_count(const JointSet& set);

}  // namespace detail

/// Where each joint of a checked set goes when the image is mirrored: an involution. Shapes: one index a joint.
std::vector<int> mirror(const JointSet& set);

/// Errors: ModelError where there is no joint, too many joints or parts, two names are equal or one is too long, an
/// index is no joint, a joint is in two pairs or twice in one (mirroring twice would change it), a group is empty or
/// has more members than there are joints, a stick's end is not one or two joints, or sigmas are not one per joint from
/// above 0 to 1.
void check(const JointSet& set);

/// The 14 joints of the Leeds Sports Pose data sets, in their order.
JointSet lsp_joints();

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/pose/joint_set.ipp>
#endif
