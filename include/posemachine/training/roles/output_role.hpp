// A role of outputs: what they are trained on.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/data/output_targets.hpp>
#include <posemachine/pose/joint_set.hpp>

#include <string_view>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// A role of outputs: a row of OutputRoles. Model files name it.
struct OutputRole {
  std::string_view name{};  // as OutputSpec::role: "person_mask"
  std::string_view does{};  // a line for people
  DrawTargets draw{};
  int (*channels)(const JointSet& joints) = nullptr;  // that the output must have; null: any number
};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
