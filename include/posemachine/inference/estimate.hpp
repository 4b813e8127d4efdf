// What estimators take and give; light enough for any translation unit.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/core/tensor.hpp>
#include <posemachine/pose/decoders/decoder_kind.hpp>
#include <posemachine/pose/output_decoders/output_decoder.hpp>
#include <posemachine/pose/pose.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// A second pass around the joints that the first one found. Fewer of them: the first pass is the answer.
struct SecondPass {
  // Of a joint that counts as found: the peak of its map, 0 to 1, whatever the model's calibration. Small people have
  // low scores at first: shown half as large as in training (LSP 901-1000), they end with 73.1 PCK@0.2 by 0.05 and with
  // 67.6 by 0.2, after 30.8 of the first pass.
  double min_score = 0.05;
  int min_joints = 4;  // at least 2
};

struct EstimatorOptions {
  int threads = 1;       // for one person: of oneDNN; for several: as many people at a time, a thread each
  int stages = 0;        // answer after so many of the network's stages; 0: after all
  int cached_sizes = 4;  // executions kept a thread, one for each input size
  std::uint64_t max_bytes = std::uint64_t{16} << 30;  // of one execution, without the weights
  std::string tuning{};  // a file of posemachine tune; empty: layouts and methods are chosen by estimate
  // How large people are shown to the network, in sizes of the model's crop, 0.1 to 10; the maps of all are averaged in
  // those of the crop. At least one is at most 1, so that every part of the crop is seen.
  std::vector<double> scales{1};
  std::optional<bool> flip_average{};       // none: as the model says
  std::optional<DecoderKind> decoder{};     // the library's or a user's own; none: as the model says
  std::optional<SecondPass> second_pass{};  // none: one pass
  std::vector<DecoderKind> own_decoders{};  // those of a user's own that the model may name, besides the library's
  std::vector<OutputDecoder> own_output_decoders{};  // likewise, of outputs besides the heatmaps
  bool decode_outputs = true;  // false: maps of other outputs alone, and any name of a decoder will do
};

/// What one stage of a network says of one person.
struct StageEstimate {
  Tensor maps;                      // (joints + 1, H / stride, W / stride) of the square, the last one background
  std::vector<Keypoint> keypoints;  // in pixels of the image
};

/// The maps of an output besides the heatmaps, for one person; Pose::outputs has what a decoder made of them.
struct OutputEstimate {
  std::string name;
  std::string role;
  // (C, H / stride, W / stride) of the square at the first of the scales, never averaged with the mirror's.
  Tensor maps;
};

/// A pose and everything that led to it.
struct Estimate {
  Pose pose;                              // of the last stage
  Box square;                             // what the network saw at scale 1, in pixels from the image's left top edge
  std::vector<StageEstimate> stages;      // first stage first
  std::vector<OutputEstimate> outputs{};  // besides the heatmaps, in the network's order
};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
