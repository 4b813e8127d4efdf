// Joint sets as the command line names them.
#include "joint_source.hpp"

#include <posemachine/base/files.hpp>
#include <posemachine/base/json.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/pose/joint_set.hpp>
#include <posemachine/pose/known_joint_sets.hpp>
#include <posemachine/pose/model_spec_json.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <system_error>

namespace pm = posemachine;

namespace tool {

pm::Json joints_json(const std::string& name_or_file) {
  if (const std::optional<pm::JointSet> known = pm::known_joint_set(name_or_file)) return pm::joint_set_to_json(*known);
  std::error_code error;
  if (!std::filesystem::exists(name_or_file, error)) {
    pm::fail<pm::UsageError>({.where = "--joints",
                              .expected = joint_set_names() + ", or a file of names",
                              .got = "\"" + name_or_file + "\""});
  }
  return pm::parse_json<pm::UsageError>(pm::read_file<pm::UsageError>(name_or_file, 1 << 20), name_or_file,
                                        pm::JsonLimits{.comments = true});
}

std::string joint_set_names() {
  std::string names;
  for (const pm::KnownJointSet& each : pm::known_joint_sets) {
    names += (names.empty() ? "" : ", ") + std::string(each.name);
  }
  return names;
}

}  // namespace tool
