// The definitions of engine/weight_gating.hpp.
#pragma once

#include <posemachine/engine/weight_gating.hpp>

#include <posemachine/engine/reorder.hpp>

#include <algorithm>
#include <cstddef>
#include <utility>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

POSEMACHINE_INLINE WeightGating::WeightGating(const dnnl::memory& weights, const dnnl::memory& gated,
                                              std::vector<Gate> gates, dnnl::stream& stream)
    : weights_(static_cast<const float*>(weights.get_data_handle())),
      gated_(static_cast<float*>(gated.get_data_handle())),
      gates_(std::move(gates)) {
  find_runs(weights, stream);
}

POSEMACHINE_INLINE void WeightGating::run() {
  std::fill(factors_.begin(), factors_.end(), 1.0f);
  for (const Gate& gate : gates_) {
    for (int c = 0; c < gate.count; ++c) factors_[static_cast<std::size_t>(gate.first + c)] *= gate.factors[c];
  }
  const float* in = weights_;
  float* out = gated_;
  for (const Run& run : runs_) {
    const float factor = factors_[run.channel];
    for (std::uint32_t i = 0; i < run.count; ++i) out[i] = in[i] * factor;
    in += run.count;
    out += run.count;
  }
}

POSEMACHINE_INLINE void WeightGating::find_runs(const dnnl::memory& weights, dnnl::stream& stream) {
  const dnnl::memory::desc desc = weights.get_desc();
  const dnnl::memory::dims extents = dims_of(desc);
  const dnnl::memory::dims strides{extents[1] * extents[2] * extents[3], extents[2] * extents[3], extents[3], 1};
  const auto channels = static_cast<std::size_t>(extents[1]);
  const auto cells = static_cast<std::size_t>(extents[2] * extents[3]);
  factors_.resize(channels);
  std::vector<float> plain(static_cast<std::size_t>(extents[0] * strides[0]));
  for (std::size_t i = 0; i < plain.size(); ++i) plain[i] = static_cast<float>(i / cells % channels);
  std::vector<float> channel_of(desc.get_size() / sizeof(float));
  const dnnl::engine engine = weights.get_engine();
  const dnnl::memory from({extents, dnnl::memory::data_type::f32, strides}, engine, plain.data());
  Reorder(from, dnnl::memory(desc, engine, channel_of.data())).run(stream);
  stream.wait();
  for (const float value : channel_of) {
    const auto channel = static_cast<std::uint32_t>(value);
    if (runs_.empty() || runs_.back().channel != channel) runs_.push_back({channel, 0});
    ++runs_.back().count;
  }
}

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
