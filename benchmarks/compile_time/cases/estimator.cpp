// The program of estimate.cpp with everything in its one translation unit.
#include <posemachine/data/image_io.hpp>
#include <posemachine/inference/estimator.hpp>
#include <posemachine/model/model.hpp>

#include <cstdio>

namespace pm = posemachine;

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  pm::Estimator estimator(pm::Model::load(argv[1]));
  for (const pm::Keypoint& joint : estimator(pm::read_image(argv[2])).keypoints) {
    std::printf("%g %g %g\n", joint.position.x, joint.position.y, joint.score);
  }
}
