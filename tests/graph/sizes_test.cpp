// Heights and widths of values, by hand, and what is said of sizes that do not work.
#include <posemachine/graph/build.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops.hpp>
#include <posemachine/graph/sizes.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <vector>

namespace sizes_test {

using namespace posemachine;

namespace {

// image -> conv 3 -> pool 2 -> conv 3 stride 2 -> mean -> conv 1; pool -> ceil pool 3.
constexpr Graph tower() {
  Graph graph;
  const Value src = add_input(graph, "image", 3);                                        // 0
  const Value fine = convolution(graph, src, {.out = 4, .kernel = 3, .dilation = 2});    // 1
  const Value half = max_pool(graph, fine, {.window = 2});                               // 2
  const Value quarter = convolution(graph, half, {.out = 4, .kernel = 3, .stride = 2});  // 3
  const Value mean = global_average_pool(graph, quarter);                                // 4
  static_cast<void>(convolution(graph, mean, {.out = 2}));                               // 5
  static_cast<void>(average_pool(graph, half, {.window = 3, .ceil = 1}));                // 6
  return graph;
}

constexpr bool tower_is_right() {
  const std::vector<Size> sizes = infer_sizes(tower(), {22, 17});
  const std::array<Size, 7> expected{Size{22, 17}, {22, 17}, {11, 8}, {6, 4}, {1, 1}, {1, 1}, {4, 3}};
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (sizes[i] != expected[i]) return false;
  }
  return sizes.size() == expected.size();
}

}  // namespace

TEST_CASE("infer_sizes: a tower of windows has the sizes computed by hand, in a constant expression too") {
  static_assert(tower_is_right());
  CHECK(tower_is_right());
  CHECK(largest_stride(tower()) == 6);
}

TEST_CASE("infer_sizes: an explicit padding replaces the one that keeps the size") {
  Graph graph;
  const Value src = add_input(graph, "image", 1);
  const Value same = convolution(graph, src, {.kernel = 5});
  const Value none = convolution(graph, src, {.kernel = 5, .padding = 0});
  const Value wide = convolution(graph, src, {.kernel = 1, .padding = 2});
  const std::vector<Size> sizes = infer_sizes(graph, {9, 7});
  CHECK(sizes[static_cast<std::size_t>(same.id)] == Size{9, 7});
  CHECK(sizes[static_cast<std::size_t>(none.id)] == Size{5, 3});
  CHECK(sizes[static_cast<std::size_t>(wide.id)] == Size{13, 11});
}

TEST_CASE("infer_sizes: a window larger than its map is refused, naming node, map, image and a way out") {
  Graph graph;
  const Value src = add_input(graph, "image", 3);
  const int outer = open_scope(graph, "Trunk");
  static_cast<void>(convolution(graph, max_pool(graph, src, {.window = 2}), {.kernel = 5, .padding = 0}));
  close_scope(graph, outer);
  CHECK_NOTHROW(infer_sizes(graph, {10, 10}));
  CHECK_THROWS_WITH_AS(infer_sizes(graph, {10, 9}),
                       "node 2 (convolution in Trunk_1.Conv_1): expected a map at least as large as the window, "
                       "have 5 x 4, got an input of 10 x 9 (height x width); use a height and a width that are "
                       "multiples of 2",
                       ModelError);
}

TEST_CASE("infer_sizes: branches of one stride but two sizes are refused, sizes that divide are not") {
  Graph graph;
  const Value src = add_input(graph, "image", 3);
  const Value pooled = max_pool(graph, src, {.window = 2});
  const Value learned = convolution(graph, src, {.out = 3, .kernel = 3, .stride = 2});
  static_cast<void>(concat(graph, {pooled, learned}));
  CHECK_NOTHROW(infer_sizes(graph, {6, 8}));
  CHECK_THROWS_WITH_AS(infer_sizes(graph, {6, 7}),
                       "node 3 (concat): expected branches of equal size, have 3 x 3 and 3 x 4, got an input of 6 x 7 "
                       "(height x width); use a height and a width that are multiples of 2",
                       ModelError);
}

TEST_CASE("infer_sizes: a gate is no branch, and several inputs share the image's size") {
  Graph graph;
  const Value image = add_input(graph, "image", 3);
  const Value centre = add_input(graph, "centre", 1);
  const Value both = concat(graph, {image, centre});
  const Value gated = channel_scale(graph, both, sigmoid(graph, global_average_pool(graph, both)));
  const std::vector<Size> sizes = infer_sizes(graph, {7, 5});
  CHECK(sizes[static_cast<std::size_t>(centre.id)] == Size{7, 5});
  CHECK(sizes[static_cast<std::size_t>(gated.id)] == Size{7, 5});
}

TEST_CASE("infer_sizes: sides of up to 65536 are taken, of images and of maps that padding makes larger") {
  Graph graph;
  const Value src = add_input(graph, "image", 3);
  const Value wide = convolution(graph, src, {.kernel = 1, .padding = 4096});
  CHECK(infer_sizes(graph, {8, 57344})[static_cast<std::size_t>(wide.id)] == Size{8200, 65536});
  CHECK_THROWS_WITH_AS(
      static_cast<void>(infer_sizes(graph, {8, 57345})),
      doctest::Contains("node 1 (convolution in Conv_1): expected a map of at most 65536 cells a side, "
                        "have 8200 x 65537"),
      ModelError);
  for (const Size image : {Size{65537, 8}, Size{8, 65537}, Size{0, 8}, Size{8, -1}}) {
    CHECK_THROWS_WITH_AS(static_cast<void>(infer_sizes(graph, image)),
                         doctest::Contains("node 0 (input): expected sides of 1 to 65536 pixels"), ModelError);
  }
}

}  // namespace sizes_test
