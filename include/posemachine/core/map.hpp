// MapDesc: the one description of a map, and MapView: a map in memory.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/data_type.hpp>
#include <posemachine/core/tensor.hpp>

#include <cstddef>
#include <cstdint>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

enum class Layout : std::uint8_t {
  plain,         // (N, C, H, W) row-major
  blocked,       // (N, C / block, H, W, block); channels padded with zeros to whole blocks
  channels_last  // (N, H, W, C) row-major
};

/// A map: n images of c channels of h x w cells, of which type, and how they lie in memory.
struct MapDesc {
  int n = 1, c = 1, h = 1, w = 1;
  Layout layout = Layout::plain;
  int block = 1;  // channels that stand together in the blocked layout
  DataType type = DataType::f32;

  /// Per channel.
  constexpr std::size_t cells() const { return static_cast<std::size_t>(h) * static_cast<std::size_t>(w); }
  /// Elements, without padding.
  constexpr std::size_t size() const { return static_cast<std::size_t>(n) * static_cast<std::size_t>(c) * cells(); }
  /// The channels with those that fill the last block.
  constexpr int padded_channels() const { return layout == Layout::blocked ? (c + block - 1) / block * block : c; }
  /// With padding.
  constexpr std::size_t bytes() const { return bytes_of(padded_channels()); }
  /// What so many channels of it take.
  constexpr std::size_t bytes_of(int channels) const {
    return static_cast<std::size_t>(n) * static_cast<std::size_t>(channels) * cells() * size_of(type);
  }
  /// The same map, row-major.
  constexpr MapDesc plain() const { return {n, c, h, w, Layout::plain, 1, type}; }

  friend constexpr bool operator==(const MapDesc&, const MapDesc&) = default;
};

/// A map in memory, not owned. Number: the C++ type of its elements, const where they are only read.
template <class Number>
struct MapView : MapDesc {
  Number* data = nullptr;

  constexpr MapView() = default;
  constexpr MapView(const MapDesc& desc, Number* first) : MapDesc(desc), data(first) {}
  /// One image's, row-major.
  constexpr MapView(Number* first, int channels, int height, int width)
      : MapDesc{1, channels, height, width}, data(first) {}

  /// The first cell of a channel; cell_step() elements lie from one to the next.
  constexpr Number* channel(int image, int which) const {
    Number* first = data + static_cast<std::size_t>(image) * static_cast<std::size_t>(padded_channels()) * cells();
    switch (layout) {
      case Layout::plain: return first + static_cast<std::size_t>(which) * cells();
      case Layout::blocked: return first + static_cast<std::size_t>(which / block * block) * cells() + which % block;
      case Layout::channels_last: break;
    }
    return first + which;
  }
  constexpr std::size_t cell_step() const { return static_cast<std::size_t>(together()); }
  /// Channels that stand side by side in a cell: 1, a block, or all.
  constexpr int together() const { return layout == Layout::plain ? 1 : layout == Layout::blocked ? block : c; }

  constexpr Number& at(int image, int which, int y, int x) const {
    const std::size_t cell = static_cast<std::size_t>(y) * static_cast<std::size_t>(w) + static_cast<std::size_t>(x);
    return channel(image, which)[cell * cell_step()];
  }
};

/// Shapes: maps (N, C, H, W), or (C, H, W) of one image.
inline MapView<const float> view_of(const Tensor& maps) {
  const auto extent = [&](std::size_t from_last) {
    return static_cast<int>(maps.shape[maps.shape.size() - from_last]);
  };
  return {{maps.shape.size() > 3 ? extent(4) : 1, extent(3), extent(2), extent(1)}, maps.values.data()};
}

MapView<const float> view_of(Tensor&&) = delete;  // it would be gone

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
