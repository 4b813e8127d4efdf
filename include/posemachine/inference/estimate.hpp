// What estimators take and give; light enough for any translation unit.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/core/tensor.hpp>
#include <posemachine/pose/pose.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {

struct EstimatorOptions {
  int threads = 1;       // for one person: of oneDNN; for several: as many people at a time, a thread each
  int stages = 0;        // answer after so many of the network's stages; 0: after all
  int cached_sizes = 4;  // executions kept a thread, one for each input size
  std::uint64_t max_bytes = std::uint64_t{16} << 30;  // of one execution, without the weights
  std::string tuning{};  // a file of posemachine tune; empty: layouts and methods are chosen by estimate
};

/// What one stage of a network says of one person.
struct StageEstimate {
  Tensor maps;                      // (joints + 1, H / stride, W / stride), the last one background
  std::vector<Keypoint> keypoints;  // in pixels of the image
};

/// A pose and everything that led to it.
struct Estimate {
  Pose pose;                          // of the last stage
  Box square;                         // what the network saw, in pixels from the image's left top edge
  std::vector<StageEstimate> stages;  // first stage first
};

}  // namespace posemachine::inline POSEMACHINE_BUILD
