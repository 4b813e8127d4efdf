// Maps: where elements lie in every layout, and copies between any two.
#include <posemachine/core/map.hpp>
#include <posemachine/engine/ops/copy_channels.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <set>
#include <vector>

namespace map_test {

using namespace posemachine;
using namespace posemachine::engine;

namespace {

// Where an element lies, spelled out for each layout.
int position(const MapDesc& map, int n, int c, int y, int x) {
  switch (map.layout) {
    case Layout::plain: return ((n * map.c + c) * map.h + y) * map.w + x;
    case Layout::channels_last: return ((n * map.h + y) * map.w + x) * map.c + c;
    case Layout::blocked: break;
  }
  const int blocks = (map.c + map.block - 1) / map.block;
  return (((n * blocks + c / map.block) * map.h + y) * map.w + x) * map.block + c % map.block;
}

template <class Visit>
void for_each_element(const MapDesc& map, const Visit& visit) {
  for (int n = 0; n < map.n; ++n) {
    for (int c = 0; c < map.c; ++c) {
      for (int y = 0; y < map.h; ++y) {
        for (int x = 0; x < map.w; ++x) visit(n, c, y, x);
      }
    }
  }
}

std::vector<MapDesc> layouts(int n, int c, int h, int w) {
  std::vector<MapDesc> all;
  for (const Layout layout : {Layout::plain, Layout::channels_last}) all.push_back({n, c, h, w, layout, 8});
  for (const int block : {4, 8, 16}) all.push_back({n, c, h, w, Layout::blocked, block});
  return all;
}

}  // namespace

TEST_CASE("MapDesc: bytes count padding and the type's size; a plain map has neither layout nor block") {
  const MapDesc blocked{2, 19, 3, 5, Layout::blocked, 16, DataType::s8};
  CHECK(blocked.padded_channels() == 32);
  CHECK(blocked.bytes() == 2 * 32 * 3 * 5);
  CHECK(blocked.size() == 2 * 19 * 3 * 5);
  CHECK(blocked.plain() == MapDesc{2, 19, 3, 5, Layout::plain, 1, DataType::s8});
  CHECK(blocked.plain().bytes() == blocked.size());
  CHECK(MapDesc{1, 7, 2, 2, Layout::channels_last, 16, DataType::bf16}.bytes() == 1 * 7 * 4 * 2);
  CHECK(MapDesc{1, 7, 2, 2}.bytes() == 7 * 4 * sizeof(float));
  static_assert(MapDesc{1, 7, 2, 2}.bytes_of(3) == 48);
}

TEST_CASE("MapView: every element is found where the layout puts it, and no two in one place") {
  for (const MapDesc& desc : layouts(2, 19, 3, 5)) {
    std::vector<std::int32_t> memory(desc.bytes() / sizeof(float));
    std::iota(memory.begin(), memory.end(), 0);
    const MapView<const std::int32_t> map(desc, memory.data());
    std::set<int> seen;
    for_each_element(desc, [&](int n, int c, int y, int x) {
      REQUIRE(map.at(n, c, y, x) == position(desc, n, c, y, x));
      REQUIRE(seen.insert(map.at(n, c, y, x)).second);
    });
  }
  const Tensor batch({2, 3, 4, 5});
  CHECK(view_of(batch) == MapDesc{2, 3, 4, 5});
  const Tensor single({3, 4, 5});
  CHECK(view_of(single) == MapDesc{1, 3, 4, 5});
}

TEST_CASE("copy_channels: between any two layouts, from and to any channel, of bytes as of floats; padding is zeroed") {
  const auto check = [&]<class Number>(const MapDesc& from, const MapDesc& to, int src_first, int dst_first, int count,
                                       Number) {
    std::vector<Number> source(static_cast<std::size_t>(from.n * from.padded_channels() * from.h * from.w));
    std::vector<Number> target(static_cast<std::size_t>(to.n * to.padded_channels() * to.h * to.w), Number{77});
    for (std::size_t i = 0; i < source.size(); ++i) source[i] = static_cast<Number>(i % 61);
    const MapView<Number> src(from, source.data());
    const MapView<Number> dst(to, target.data());
    copy_channels(src, src_first, dst, dst_first, count);
    std::vector<bool> is_element(target.size(), false);
    for_each_element(to, [&](int n, int c, int y, int x) {
      const bool copied = c >= dst_first && c < dst_first + count;
      REQUIRE(dst.at(n, c, y, x) == (copied ? src.at(n, c - dst_first + src_first, y, x) : Number{77}));
      is_element[static_cast<std::size_t>(position(to, n, c, y, x))] = true;
    });
    const Number padding = dst_first + count == to.c ? Number{0} : Number{77};
    for (std::size_t i = 0; i < target.size(); ++i) {
      if (!is_element[i]) REQUIRE(target[i] == padding);
    }
  };
  for (const MapDesc& from : layouts(2, 21, 2, 3)) {
    for (const MapDesc& to : layouts(2, 27, 2, 3)) {
      for (const auto& [src_first, dst_first, count] :
           {std::array{0, 0, 21}, {0, 6, 21}, {5, 0, 16}, {8, 16, 8}, {3, 11, 16}, {16, 16, 5}, {20, 26, 1}}) {
        check(from, to, src_first, dst_first, count, float{});
        check(from, to, src_first, dst_first, count, std::int8_t{});
      }
    }
  }
}

}  // namespace map_test
