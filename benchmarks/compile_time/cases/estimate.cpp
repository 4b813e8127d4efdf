// limit: 10 s
// A program that only estimates: a model file, a photo, joints. What it calls is compiled once, by pose_estimator.cpp.
#include <posemachine/data/image_io.hpp>
#include <posemachine/inference/pose_estimator.hpp>

#include <cstdio>

namespace pm = posemachine;

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  pm::PoseEstimator estimator(argv[1]);
  for (const pm::Keypoint& joint : estimator(pm::read_image(argv[2])).keypoints) {
    std::printf("%g %g %g\n", joint.position.x, joint.position.y, joint.score);
  }
}
