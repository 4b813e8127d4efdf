// The other translation unit.
#include <posemachine/inference/pose_estimator.hpp>

posemachine::Pose estimated_elsewhere(posemachine::PoseEstimator estimator, const posemachine::Image& image) {
  return estimator(image);
}
