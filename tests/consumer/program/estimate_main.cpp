// A program that only estimates, in two translation units: the library's parts are compiled once, by its target.
#include <posemachine/data/image_io.hpp>
#include <posemachine/inference/pose_estimator.hpp>

#include <cstdio>

posemachine::Pose estimated_elsewhere(posemachine::PoseEstimator estimator, const posemachine::Image& image);

int main(int argument_count, char** arguments) {
  if (argument_count != 3) return 2;
  posemachine::PoseEstimator estimator(arguments[1]);
  const posemachine::Image photo = posemachine::read_image(arguments[2]);
  const posemachine::Pose pose = estimator(photo);
  const posemachine::Pose again = estimated_elsewhere(estimator, photo);
  if (pose.keypoints.size() != estimator.spec().joints.joints.size()) return 1;
  for (std::size_t i = 0; i < pose.keypoints.size(); ++i) {
    if (!pose.keypoints[i].found() || !(pose.keypoints[i].position == again.keypoints[i].position)) return 1;
  }
  std::puts("equal poses in both translation units");
}
