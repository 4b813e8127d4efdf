// The oracle's pooling: cells outside the map are neither a maximum nor part of a mean.
#pragma once

#include "../call.hpp"

#include <posemachine/graph/ops/pooling.hpp>

#include <array>
#include <utility>
#include <vector>

namespace posemachine::reference {

// The cells (y, x) of the map that the window of dst cell (y, x) covers, in row-major order; never empty.
inline std::vector<std::pair<int, int>> window_cells(const Options& packed, const Array& map, int dst_y, int dst_x) {
  const auto options = unpack<PoolingOptions>(packed);
  std::vector<std::pair<int, int>> cells;
  for (int ky = 0; ky < options.window; ++ky) {
    for (int kx = 0; kx < options.window; ++kx) {
      const int y = dst_y * options.stride + ky - options.padding;
      const int x = dst_x * options.stride + kx - options.padding;
      if (map.inside(y, x)) cells.emplace_back(y, x);
    }
  }
  return cells;
}

// The first of the largest cells.
inline std::pair<int, int> largest_cell(const Array& map, int image, int channel,
                                        const std::vector<std::pair<int, int>>& cells) {
  std::pair<int, int> best = cells.front();
  for (const auto& [y, x] : cells) {
    if (map.at(image, channel, y, x) > map.at(image, channel, best.first, best.second)) best = {y, x};
  }
  return best;
}

inline void max_pool(const Call& call) {
  const Array& src = call.src(0);
  for_each_element(*call.dst, [&](int image, int c, int y, int x) {
    const auto [top, left] = largest_cell(src, image, c, window_cells(call.node().options, src, y, x));
    call.dst->at(image, c, y, x) = src.at(image, c, top, left);
  });
}

// The maximum is found again in the forward node's src.
inline void max_pool_backward(const Call& call) {
  const Array& src = *call.forward_src;
  const Array& diff_dst = call.src(0);
  for_each_element(diff_dst, [&](int image, int c, int y, int x) {
    const auto [top, left] = largest_cell(src, image, c, window_cells(call.node().options, src, y, x));
    call.dst->at(image, c, top, left) += diff_dst.at(image, c, y, x);
  });
}

inline void average_pool(const Call& call) {
  const Array& src = call.src(0);
  for_each_element(*call.dst, [&](int image, int c, int y, int x) {
    const auto cells = window_cells(call.node().options, src, y, x);
    double sum = 0;
    for (const auto& [src_y, src_x] : cells) sum += src.at(image, c, src_y, src_x);
    call.dst->at(image, c, y, x) = sum / static_cast<double>(cells.size());
  });
}

inline void average_pool_backward(const Call& call) {
  Array& diff_src = *call.dst;
  const Array& diff_dst = call.src(0);
  for_each_element(diff_dst, [&](int image, int c, int y, int x) {
    const auto cells = window_cells(call.node().options, diff_src, y, x);
    const double share = diff_dst.at(image, c, y, x) / static_cast<double>(cells.size());
    for (const auto& [src_y, src_x] : cells) diff_src.at(image, c, src_y, src_x) += share;
  });
}

inline void global_average_pool(const Call& call) {
  const Array& src = call.src(0);
  for_each_element(src, [&](int image, int c, int y, int x) {
    call.dst->at(image, c, 0, 0) += src.at(image, c, y, x) / (src.h * src.w);
  });
}

inline void global_average_pool_backward(const Call& call) {
  Array& diff_src = *call.dst;
  for_each_element(diff_src, [&](int image, int c, int y, int x) {
    diff_src.at(image, c, y, x) = call.src(0).at(image, c, 0, 0) / (diff_src.h * diff_src.w);
  });
}

inline constexpr std::array pooling_reference{
    ReferenceOp{&max_pool_op, max_pool},
    ReferenceOp{&average_pool_op, average_pool},
    ReferenceOp{&global_average_pool_op, global_average_pool},
    ReferenceOp{&max_pool_backward_op, max_pool_backward},
    ReferenceOp{&average_pool_backward_op, average_pool_backward},
    ReferenceOp{&global_average_pool_backward_op, global_average_pool_backward},
};

}  // namespace posemachine::reference
