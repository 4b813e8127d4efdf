// The engine's resize: loops over rows, by whole blocks of channels; oneDNN's backward ones are reference loops.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/engine/ops/map_kernel.hpp>
#include <posemachine/engine/runner.hpp>
#include <posemachine/graph/ops/resize.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <memory>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {

namespace detail {

// Where a dst cell along one side comes from: two src cells and their shares; nearest has one, with all of it.
struct ResizeTap {
  int first = 0;
  int second = 0;
  float first_share = 1;
  float second_share = 0;
};

inline std::vector<ResizeTap> resize_taps(int src, int scale, bool bilinear) {
  std::vector<ResizeTap> taps(static_cast<std::size_t>(src) * static_cast<std::size_t>(scale));
  for (std::size_t i = 0; i < taps.size(); ++i) {
    const int at = static_cast<int>(i);
    if (!bilinear) {
      taps[i].first = taps[i].second = at / scale;
      continue;
    }
    const double position = std::clamp((at + 0.5) / scale - 0.5, 0.0, src - 1.0);
    taps[i].first = static_cast<int>(position);
    taps[i].second = std::min(taps[i].first + 1, src - 1);
    taps[i].second_share = static_cast<float>(position - taps[i].first);
    taps[i].first_share = 1 - taps[i].second_share;
  }
  return taps;
}

// Calls f(plane of the small map, plane of the large one, floats a cell) for every plane: a block of channels, or one.
template <class F>
void for_each_plane(const MapMemory& small, const MapMemory& large, const F& f) {
  const int together = small.block == large.block && small.block > 0 ? small.block : 1;
  for (int image = 0; image < small.n; ++image) {
    for (int c = 0; c < small.c; c += together) {
      f(small.channel(image, c), large.channel(image, c), together);
    }
  }
}

inline void resize_maps(const MapMemory& src, const MapMemory& dst, const std::vector<ResizeTap>& rows,
                        const std::vector<ResizeTap>& columns) {
  const auto width = static_cast<std::size_t>(src.w);
  for_each_plane(src, dst, [&](const float* in, float* out, int together) {
    for (const ResizeTap& row : rows) {
      const float* upper = in + static_cast<std::size_t>(row.first) * width * src.cell_step();
      const float* lower = in + static_cast<std::size_t>(row.second) * width * src.cell_step();
      for (const ResizeTap& column : columns) {
        const std::size_t left = static_cast<std::size_t>(column.first) * src.cell_step();
        const std::size_t right = static_cast<std::size_t>(column.second) * src.cell_step();
        const float a = row.first_share * column.first_share, b = row.first_share * column.second_share;
        const float c = row.second_share * column.first_share, d = row.second_share * column.second_share;
        for (std::size_t k = 0; k < static_cast<std::size_t>(together); ++k) {
          out[k] = a * upper[left + k] + b * upper[right + k] + c * lower[left + k] + d * lower[right + k];
        }
        out += dst.cell_step();
      }
    }
  });
  zero_padding(dst);
}

inline void resize_gradient(const MapMemory& diff_dst, const MapMemory& diff_src, const std::vector<ResizeTap>& rows,
                            const std::vector<ResizeTap>& columns) {
  const auto width = static_cast<std::size_t>(diff_src.w);
  for_each_plane(diff_src, diff_dst, [&](float* out, const float* in, int together) {
    for (std::size_t cell = 0; cell < diff_src.cells(); ++cell) {
      std::fill_n(out + cell * diff_src.cell_step(), together, 0.0f);
    }
    for (const ResizeTap& row : rows) {
      float* upper = out + static_cast<std::size_t>(row.first) * width * diff_src.cell_step();
      float* lower = out + static_cast<std::size_t>(row.second) * width * diff_src.cell_step();
      for (const ResizeTap& column : columns) {
        const std::size_t left = static_cast<std::size_t>(column.first) * diff_src.cell_step();
        const std::size_t right = static_cast<std::size_t>(column.second) * diff_src.cell_step();
        for (std::size_t k = 0; k < static_cast<std::size_t>(together); ++k) {
          const float diff = in[k];
          upper[left + k] += row.first_share * column.first_share * diff;
          upper[right + k] += row.first_share * column.second_share * diff;
          lower[left + k] += row.second_share * column.first_share * diff;
          lower[right + k] += row.second_share * column.second_share * diff;
        }
        in += diff_dst.cell_step();
      }
    }
  });
  zero_padding(diff_src);
}

inline std::unique_ptr<Runner> make_resize(const BuildContext& context) {
  const bool bilinear = context.node().op == &resize_bilinear_op;
  const int scale = unpack<ResizeOptions>(context.node().options).scale;
  const auto rows = resize_taps(context.src(0).h, scale, bilinear);
  const auto columns = resize_taps(context.src(0).w, scale, bilinear);
  return map_kernel<1>(context, "posemachine:resize",
                       [rows, columns](const auto& srcs, const MapMemory& dst, const Draw&) {
                         resize_maps(srcs[0], dst, rows, columns);
                       });
}

inline std::unique_ptr<Runner> make_resize_backward(const BuildContext& context) {
  const bool bilinear = context.node().op == &resize_bilinear_backward_op;
  const int scale = unpack<ResizeOptions>(context.node().options).scale;
  const auto rows = resize_taps(context.dst().h, scale, bilinear);
  const auto columns = resize_taps(context.dst().w, scale, bilinear);
  return map_kernel<1>(context, "posemachine:resize",
                       [rows, columns](const auto& srcs, const MapMemory& dst, const Draw&) {
                         resize_gradient(srcs[0], dst, rows, columns);
                       });
}

}  // namespace detail

inline constexpr std::array resize_engine{
    EngineOp{&resize_nearest_op, detail::make_resize},
    EngineOp{&resize_bilinear_op, detail::make_resize},
    EngineOp{&resize_nearest_backward_op, detail::make_resize_backward},
    EngineOp{&resize_bilinear_backward_op, detail::make_resize_backward},
};

}  // namespace posemachine::inline POSEMACHINE_BUILD
