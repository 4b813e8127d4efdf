// Poses in the order of other joint sets.
#include "refusal.hpp"

#include <posemachine/core/error.hpp>
#include <posemachine/pose/joint_names.hpp>
#include <posemachine/pose/joint_set.hpp>
#include <posemachine/pose/known_joint_sets.hpp>
#include <posemachine/pose/match_joints.hpp>
#include <posemachine/pose/pose.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <vector>

namespace match_joints_test {

namespace pm = posemachine;

TEST_CASE("match_joints: by names, however they spell the side, in the other set's order") {
  const pm::JointSet lsp = pm::lsp_joints();
  // Nose, Neck, RShoulder, RElbow, RWrist, LShoulder, LElbow, LWrist, MidHip, RHip, RKnee, RAnkle, LHip, LKnee, LAnkle.
  std::vector<int> expected{-1, 12, 8, 7, 6, 9, 10, 11, -1, 2, 1, 0, 3, 4, 5};
  expected.resize(25, -1);
  CHECK(pm::match_joints(lsp, pm::body_25_joints()) == expected);
  const std::vector<int> coco{-1, -1, -1, -1, -1, 9, 8, 10, 7, 11, 6, 3, 2, 4, 1, 5, 0};
  CHECK(pm::match_joints(lsp, pm::coco_joints()) == coco);
  const std::vector<int> own = pm::match_joints(lsp, lsp);
  for (std::size_t j = 0; j < own.size(); ++j) CHECK(own[j] == static_cast<int>(j));
  CHECK(test_environment::refusal<pm::UsageError>([&] {
          pm::match_joints(lsp, pm::joint_set_from_names("arm", {"base", "gripper"}));
        }) == "joint set arm: expected a joint of the model's, such as right_ankle, got base and 1 others");
}

TEST_CASE("with_keypoints: those of the match, what is not there is missing") {
  pm::Pose pose;
  pose.box = {1, 2, 3, 4};
  for (int j = 0; j < 14; ++j) pose.keypoints.push_back({{double(j), 2.0 * j}, 0.05 * j});
  const pm::Pose changed = pm::with_keypoints(pose, std::vector<int>{13, -1, 0});
  CHECK(changed.box.height == 4);
  REQUIRE(changed.keypoints.size() == 3);
  CHECK(changed.keypoints[0].position.y == 26);
  CHECK(changed.keypoints[0].score == doctest::Approx(0.65));
  CHECK_FALSE(changed.keypoints[1].found());
  CHECK(changed.keypoints[2].position.x == 0);
}

}  // namespace match_joints_test
