// OutputRoles: what outputs besides the heatmaps are trained on, by the roles that models give them.
#pragma once

#include <posemachine/base/named_rows.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/data/output_targets.hpp>

#include <initializer_list>
#include <string_view>

namespace posemachine::inline POSEMACHINE_BUILD {

/// A role of outputs: a row of OutputRoles.
struct OutputRole {
  std::string_view name{};  // as OutputMeaning::role: "person_mask"
  std::string_view does{};  // a line for people
  DrawTargets draw{};
};

/// Roles by name: a user's own, the library has none. OutputRoles{my_role}.
class OutputRoles : public NamedRows<OutputRole> {
 public:
  OutputRoles() : NamedRows("output role", "", {}) {}

  /// Errors: UsageError for a role that draws nothing, or with a name that is empty or another's.
  OutputRoles(std::initializer_list<OutputRole> own) : OutputRoles() {
    for (const OutputRole& role : own) add(role, role.draw != nullptr, "a function draw");
  }
};

}  // namespace posemachine::inline POSEMACHINE_BUILD
