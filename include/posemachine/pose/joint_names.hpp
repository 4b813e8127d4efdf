// Joint sets made from names: what left and right, groups, limbs and the torso are, as far as names say it.
#pragma once

#include <posemachine/base/json.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/pose/joint_set.hpp>

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// Which side of the body, or of anything else, a joint is on.
enum class Side { none, left, right };

/// A joint's name without its side.
struct SidedName {
  Side side = Side::none;
  std::string rest;
};

namespace detail {

std::string lower_case(std::string_view text);

}  // namespace detail

/// "left_knee", "Left Knee", "knee_left", "l_knee", "knee-L", "LKnee" and "leftKnee" are the left "knee"; case does not
/// count. A name that says nothing of sides is its own rest.
SidedName sided_name(std::string_view name);

/// COCO's deviation of a joint for OKS, by its name without a side ("knee"); 0 for other joints than COCO's seventeen.
/// Source: pycocotools.
constexpr double coco_sigma(std::string_view joint) {
  constexpr std::array<std::pair<std::string_view, double>, 9> sigmas{{{"nose", 0.026},
                                                                       {"eye", 0.025},
                                                                       {"ear", 0.035},
                                                                       {"shoulder", 0.079},
                                                                       {"elbow", 0.072},
                                                                       {"wrist", 0.062},
                                                                       {"hip", 0.107},
                                                                       {"knee", 0.087},
                                                                       {"ankle", 0.089}}};
  for (const auto& [name, sigma] : sigmas) {
    if (name == joint) return sigma;
  }
  return 0;
}

/// The joint set of these names. Pairs: a left and a right joint of the same rest. Groups: the joints of a pair, and
/// each other joint alone, in the order of the names. Torso: left shoulder and right hip, where there are both. Sigmas:
/// COCO's, where every joint is one of COCO's. Limbs: the given ones, coloured by side. Errors: ModelError as
/// check(JointSet).
JointSet joint_set_from_names(std::string name, std::vector<std::string> names,
                              std::span<const std::pair<int, int>> limbs = {});

/// A joint set of which only the joints' names have to be given: a list of them, or an object in the form that model
/// files have, in which what is absent follows from the names. Errors: ModelError naming the field.
JointSet joint_set_from_some_json(const Json& json, const std::string& where);

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/pose/joint_names.ipp>
#endif
