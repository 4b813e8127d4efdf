// The engine's softmax over channels: loops, because oneDNN's needs channels that lie together.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/engine/ops/map_kernel.hpp>
#include <posemachine/engine/runner.hpp>
#include <posemachine/graph/ops/softmax.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <memory>

namespace posemachine::inline POSEMACHINE_BUILD {

namespace detail {

// Channel by channel over a row of cells at a time, so that the inner loops run along memory.
constexpr std::size_t softmax_cells = 256;

inline void softmax_maps(const MapMemory& src, const MapMemory& dst) {
  std::array<float, softmax_cells> largest;
  std::array<float, softmax_cells> total;
  for (int image = 0; image < src.n; ++image) {
    for (std::size_t first = 0; first < src.cells(); first += softmax_cells) {
      const std::size_t count = std::min(softmax_cells, src.cells() - first);
      largest.fill(-std::numeric_limits<float>::infinity());
      total.fill(0);
      for (int c = 0; c < src.c; ++c) {
        const float* in = src.channel(image, c) + first * src.cell_step();
        for (std::size_t k = 0; k < count; ++k) largest[k] = std::max(largest[k], in[k * src.cell_step()]);
      }
      for (int c = 0; c < src.c; ++c) {
        const float* in = src.channel(image, c) + first * src.cell_step();
        float* out = dst.channel(image, c) + first * dst.cell_step();
        for (std::size_t k = 0; k < count; ++k) {
          const float power = std::exp(in[k * src.cell_step()] - largest[k]);
          out[k * dst.cell_step()] = power;
          total[k] += power;
        }
      }
      for (int c = 0; c < dst.c; ++c) {
        float* out = dst.channel(image, c) + first * dst.cell_step();
        for (std::size_t k = 0; k < count; ++k) out[k * dst.cell_step()] /= total[k];
      }
    }
  }
  zero_padding(dst);
}

inline void softmax_gradient(const MapMemory& dst, const MapMemory& diff_dst, const MapMemory& diff_src) {
  std::array<float, softmax_cells> common;
  for (int image = 0; image < dst.n; ++image) {
    for (std::size_t first = 0; first < dst.cells(); first += softmax_cells) {
      const std::size_t count = std::min(softmax_cells, dst.cells() - first);
      common.fill(0);
      for (int c = 0; c < dst.c; ++c) {
        const float* share = dst.channel(image, c) + first * dst.cell_step();
        const float* diff = diff_dst.channel(image, c) + first * diff_dst.cell_step();
        for (std::size_t k = 0; k < count; ++k) {
          common[k] += share[k * dst.cell_step()] * diff[k * diff_dst.cell_step()];
        }
      }
      for (int c = 0; c < dst.c; ++c) {
        const float* share = dst.channel(image, c) + first * dst.cell_step();
        const float* diff = diff_dst.channel(image, c) + first * diff_dst.cell_step();
        float* out = diff_src.channel(image, c) + first * diff_src.cell_step();
        for (std::size_t k = 0; k < count; ++k) {
          out[k * diff_src.cell_step()] = share[k * dst.cell_step()] * (diff[k * diff_dst.cell_step()] - common[k]);
        }
      }
    }
  }
  zero_padding(diff_src);
}

inline std::unique_ptr<Runner> make_softmax(const BuildContext& context) {
  return map_kernel<1>(context, "posemachine:softmax",
                       [](const auto& srcs, const MapMemory& dst, const Draw&) { softmax_maps(srcs[0], dst); });
}

inline std::unique_ptr<Runner> make_softmax_backward(const BuildContext& context) {
  return map_kernel<2>(context, "posemachine:softmax", [](const auto& srcs, const MapMemory& dst, const Draw&) {
    softmax_gradient(srcs[0], srcs[1], dst);
  });
}

}  // namespace detail

inline constexpr std::array softmax_engine{
    EngineOp{&softmax_op, detail::make_softmax},
    EngineOp{&softmax_backward_op, detail::make_softmax_backward},
};

}  // namespace posemachine::inline POSEMACHINE_BUILD
