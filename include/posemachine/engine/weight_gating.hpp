// WeightGating: a convolution's weights multiplied with factors of the channels that they read, in any layout.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/engine/dnnl_bridge.hpp>

#include <cstdint>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

/// Belongs to one thread at a time; make it under creation_mutex().
class WeightGating {
 public:
  /// `count` factors for src channels from `first` on.
  struct Gate {
    const float* factors = nullptr;
    int first = 0;
    int count = 0;
  };

  /// Shapes: `weights` and `gated` (O, I, KH, KW) in one and the same layout, I channels of src.
  WeightGating(const dnnl::memory& weights, const dnnl::memory& gated, std::vector<Gate> gates, dnnl::stream& stream);
  void run();

 private:
  // Neighbours in memory that read one channel.
  struct Run {
    std::uint32_t channel;
    std::uint32_t count;
  };

  // A tensor of channel numbers in the plain layout, brought into that of the weights, says which channel each reads.
  void find_runs(const dnnl::memory& weights, dnnl::stream& stream);

  const float* weights_;
  float* gated_;
  std::vector<Gate> gates_;
  std::vector<float> factors_;  // by channel of src
  std::vector<Run> runs_;
};

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/engine/weight_gating.ipp>
#endif
