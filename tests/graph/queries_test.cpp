// Parameters, receptive fields and multiply-adds, by hand.
#include <posemachine/graph/build.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops.hpp>
#include <posemachine/graph/queries.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace queries_test {

using namespace posemachine;

namespace {

constexpr Graph small_net() {
  Graph graph;
  const Value src = add_input(graph, "image", 3);
  Value value = convolution(graph, src, {.out = 5, .kernel = 3});  // 5*3*9 + 5 = 140
  value = batch_norm(graph, value);                                // 10 learnt, 10 kept
  value = max_pool(graph, relu(graph, value), {.window = 2});
  value = convolution(graph, value, {.out = 7, .kernel = 1, .bias = 0});  // 35
  add_output(graph, "maps", value);
  return graph;
}

int field_of(const Graph& graph, Value value) { return receptive_fields(graph)[static_cast<std::size_t>(value.id)]; }

}  // namespace

TEST_CASE("count_parameters: weights, biases, scales and shifts count, running statistics do not") {
  static_assert(count_parameters(small_net()) == 140 + 10 + 35);
  CHECK(small_net().parameters.size() == 7);
}

TEST_CASE("count_multiply_adds: one per weight and dst cell, at the size the window leaves") {
  static_assert(count_multiply_adds(small_net(), {8, 6}) == 5 * 3 * 9 * 48 + 7 * 5 * 12);
  CHECK(count_multiply_adds(small_net(), {9, 7}) == 5 * 3 * 9 * 63 + 7 * 5 * 12);
}

TEST_CASE("answer: the last output, or none") {
  const Graph graph = small_net();
  CHECK(answer(graph) == Value{graph.outputs[0].value});
  CHECK(answer(Graph{}) == Value{});
}

TEST_CASE("receptive_fields: two 3x3 see 5 pixels, a 2x2 pooling 6, a 3x3 after it 10, dilated by 3 another 12") {
  Graph graph;
  const Value src = add_input(graph, "image", 3);
  const Value one = convolution(graph, src, {.out = 4, .kernel = 3});
  const Value two = convolution(graph, relu(graph, one), {.out = 4, .kernel = 3});
  const Value pooled = max_pool(graph, two, {.window = 2});
  const Value coarse = convolution(graph, pooled, {.out = 4, .kernel = 3});
  const Value dilated = convolution(graph, coarse, {.out = 4, .kernel = 3, .dilation = 3});
  CHECK(field_of(graph, src) == 1);
  CHECK(field_of(graph, one) == 3);
  CHECK(field_of(graph, two) == 5);
  CHECK(field_of(graph, pooled) == 6);
  CHECK(field_of(graph, coarse) == 10);
  CHECK(field_of(graph, dilated) == 22);
}

TEST_CASE("receptive_fields: the widest branch counts, gates and global values do not") {
  Graph graph;
  const Value src = add_input(graph, "image", 3);
  const Value narrow = convolution(graph, src, {.out = 3, .kernel = 3});
  const Value wide = convolution(graph, src, {.out = 3, .kernel = 7});
  const Value sum = add(graph, std::array{narrow, wide, src});
  const Value gate = sigmoid(graph, convolution(graph, global_average_pool(graph, sum), {.out = 3}));
  const Value gated = channel_scale(graph, narrow, gate);
  CHECK(field_of(graph, sum) == 7);
  CHECK(field_of(graph, concat(graph, {narrow, wide})) == 7);
  CHECK(field_of(graph, gate) == 0);
  CHECK(field_of(graph, gated) == 3);
}

TEST_CASE("receptive_fields: the first stage of Convolutional Pose Machines sees 160 pixels with 2x2 pools") {
  const auto stage = [](int window) {
    Graph graph;
    Value value = add_input(graph, "image", 3);
    for (int i = 0; i < 3; ++i) {
      value = convolution(graph, value, {.out = 1, .kernel = 9});
      value = max_pool(graph, value, {.window = window, .stride = 2, .ceil = 1});
    }
    value = convolution(graph, value, {.out = 1, .kernel = 5});
    value = convolution(graph, value, {.out = 1, .kernel = 9});
    return field_of(graph, value);
  };
  CHECK(stage(2) == 160);
  CHECK(stage(3) == 167);  // the released pools
}

TEST_CASE("queries: fields and work beyond their types are given as the largest number, not as nonsense") {
  Graph graph;
  Value value = add_input(graph, "image", 1);
  for (int i = 0; i < 4; ++i) value = max_pool(graph, value, {.window = 16, .stride = 16});  // a cell of 65536 pixels
  for (int i = 0; i < 20; ++i) value = convolution(graph, value, {.kernel = 63, .dilation = 64});  // 2^28 pixels each
  CHECK(field_of(graph, value) == 2'147'483'647);

  const auto work = [](int layers) {
    Graph large;
    Value map = add_input(large, "image", 64);
    for (int i = 0; i < layers; ++i) map = convolution(large, map, {.out = 64, .kernel = 63, .padding = 31});
    return count_multiply_adds(large, {65536, 65536});
  };
  const std::int64_t once = std::int64_t{64} * 64 * 63 * 63 << 32;
  CHECK(work(1) > 0);
  CHECK(work(1) == once);
  CHECK(work(1000) == 9'223'372'036'854'775'807);
}

}  // namespace queries_test
