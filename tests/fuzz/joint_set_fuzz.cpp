// Files of joint sets, as --joints and configurations have them.
#include "fuzz/harness.hpp"

#include <posemachine/base/json.hpp>
#include <posemachine/pose/joint_names.hpp>
#include <posemachine/pose/joint_set.hpp>
#include <posemachine/pose/model_spec_json.hpp>

#include <string>
#include <vector>

namespace joint_set_fuzz {

using namespace posemachine;

namespace {

std::vector<std::string> seeds() {
  return {
      R"(["base","left_tip","right_tip","TipL","l_hip"])",
      R"({"name":"arm","joints":["base","left_shoulder","right_hip"],"pairs":[],"limbs":[{"from":"base",)"
      R"("to":"right_hip","rgb":[1,2,255]}],"groups":[{"name":"g","joints":["base"]}],"sticks":[{"group":"s",)"
      R"("from":["base"],"to":["left_shoulder","right_hip"]}],"torso":["left_shoulder","right_hip"],"sigmas":[0.1,1,0.5]})",
      joint_set_to_json(lsp_joints()).dump()};
}

void read(const std::string& input) {
  const JointSet set = joint_set_from_some_json(parse_json<ModelError>(input, "joints"), "joints");
  check(set);
  const std::string text = write_json<ModelError>(joint_set_to_json(set), "joints");
  fuzz::require(joint_set_from_json(parse_json<ModelError>(text, "joints"), "joints") == set, "the same set again");
  fuzz::require(mirror(set).size() == set.joints.size(), "a mirrored joint per joint");
}

const bool added = fuzz::add({"joint_set", seeds, read, fuzz::refuses_with<ModelError>});

}  // namespace

}  // namespace joint_set_fuzz
