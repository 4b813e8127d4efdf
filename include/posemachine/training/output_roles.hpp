// OutputRoles: what outputs besides the heatmaps are trained on, by the roles that models give them.
#pragma once

#include <posemachine/base/named_rows.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/training/roles/joint_offsets.hpp>
#include <posemachine/training/roles/limb_fields.hpp>
#include <posemachine/training/roles/output_role.hpp>

#include <initializer_list>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// Roles by name. The default holds those of the library: OutputRoles{my_role} adds one's own.
class OutputRoles : public NamedRows<OutputRole> {
 public:
  OutputRoles() : NamedRows("output role", "", {limb_fields_role, joint_offsets_role}) {}

  /// Errors: UsageError for a role that draws nothing, or with a name that is empty or another's.
  OutputRoles(std::initializer_list<OutputRole> own) : OutputRoles() {
    for (const OutputRole& role : own) add(role, role.draw != nullptr, "a function draw");
  }
};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
