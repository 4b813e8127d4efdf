// Joints, keypoints and poses.
#include <posemachine/pose/pose.hpp>

#include <doctest/doctest.h>

#include <limits>

namespace pose_test {

namespace pm = posemachine;

TEST_CASE("Keypoint: a default one is missing, with score 0") {
  const pm::Keypoint missing;
  CHECK_FALSE(missing.found());
  CHECK(missing.score == 0);
  CHECK(missing.position.x != missing.position.x);
}

TEST_CASE("Keypoint: it is found with a position, whatever its score, and not with half of one") {
  CHECK(pm::Keypoint{{0, -3}, 0}.found());
  CHECK_FALSE(pm::Keypoint{{std::numeric_limits<double>::quiet_NaN(), 1}, 0.5}.found());
  CHECK_FALSE(pm::Keypoint{{1, std::numeric_limits<double>::infinity()}, 0.5}.found());
}

TEST_CASE("Joint: a default one is unlabelled") { CHECK(pm::Joint{}.state == pm::JointState::unlabelled); }

}  // namespace pose_test
