// The oracle's backward operations are the slopes of its forward ones, op by op and on whole random graphs.
#include "../reference/central_differences.hpp"
#include "../reference/random_graph.hpp"

#include <posemachine/core/geometry.hpp>
#include <posemachine/core/random.hpp>
#include <posemachine/graph/build.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <set>
#include <string_view>

namespace oracle_gradients_test {

using namespace posemachine;
using reference::Context;
using reference::SlopeReport;

namespace {

constexpr double tolerance = 1e-6;

// A random shape for one operation: sides from 1 on, primes among them, batch 1 to 3.
struct Draws {
  explicit Draws(std::uint64_t seed) : stream(seed, Purpose::test, 5), shape_seed(seed) {}

  int between(int low, int high) {
    return low + static_cast<int>(stream.below(static_cast<std::uint64_t>(high - low + 1)));
  }

  RandomStream stream;
  std::uint64_t shape_seed;
  int batch = between(1, 3);
  int channel_count = between(1, 5);
  Size image{between(1, 13), between(1, 13)};
};

// Checks networks image -> build -> maps on `shapes` random shapes; build(draws, graph, image) returns maps.
template <class Build>
void check_op(int shapes, bool training, Build build) {
  int skipped = 0;
  int checked = 0;
  for (int shape = 0; shape < shapes; ++shape) {
    Draws draws(static_cast<std::uint64_t>(shape));
    Graph graph;
    const Value src = add_input(graph, "image", draws.channel_count);
    add_output(graph, "maps", build(draws, graph, src));
    const Context context{.training = training, .seed = 1, .step = 2, .first_sample = 3};
    const SlopeReport report = reference::check_slopes(graph, draws.batch, draws.image, context, draws.shape_seed, 12);
    CAPTURE(shape);
    CAPTURE(report.worst_at);
    CHECK(report.worst < tolerance);
    skipped += report.skipped;
    checked += report.checked;
  }
  CAPTURE(checked);
  CHECK(skipped * 50 <= checked);  // kinks are rare: at most one in fifty
}

PoolingOptions draw_pool(Draws& draws) {
  PoolingOptions options;
  options.window = draws.between(1, 4);
  options.stride = draws.between(0, 3);
  options.padding = draws.between(0, options.window - 1);
  options.ceil = draws.between(0, 1);
  draws.image = {options.window + draws.between(0, 6), options.window + draws.between(0, 6)};
  return options;
}

}  // namespace

TEST_CASE("oracle: convolution's gradients equal central differences on 40 shapes") {
  check_op(40, true, [](Draws& draws, Graph& graph, Value src) {
    ConvolutionOptions options;
    options.out = draws.between(1, 5);
    options.kernel = draws.between(1, 5);
    options.stride = draws.between(1, 3);
    options.dilation = draws.between(1, 4);
    options.bias = draws.between(0, 1);
    const int reach = (options.kernel - 1) * options.dilation;
    const bool centred = options.kernel % 2 == 1 || options.stride % 2 == 0;
    const int same = centred ? same_padding : reach / 2;
    options.padding = draws.between(0, 1) == 1 ? same : draws.between(0, reach / 2 + 1);
    draws.image = {reach + draws.between(1, 6), reach + draws.between(1, 6)};
    return convolution(graph, src, options);
  });
}

TEST_CASE("oracle: a grouped convolution's gradients equal central differences on 12 shapes") {
  check_op(12, true, [](Draws& draws, Graph& graph, Value src) {
    const int groups = draws.between(1, 3);
    const Value wide = concat(graph, {src, sigmoid(graph, src), silu(graph, src)});  // 3 times as many channels
    return convolution(graph, wide, {.out = 3 * draws.between(1, 2), .kernel = 3, .groups = groups == 2 ? 1 : groups});
  });
}

TEST_CASE("oracle: a transposed convolution's gradients equal central differences on 30 shapes") {
  check_op(30, true, [](Draws& draws, Graph& graph, Value src) {
    TransposedConvolutionOptions options;
    options.out = draws.between(1, 4);
    options.kernel = draws.between(1, 5);
    options.stride = draws.between(1, 3);
    options.padding = draws.between(0, (options.kernel - 1) / 2);
    options.output_padding = draws.between(0, options.stride - 1);
    options.bias = draws.between(0, 1);
    draws.image = {draws.between(2, 6), draws.between(2, 6)};
    return transposed_convolution(graph, src, options);
  });
}

TEST_CASE("oracle: gradients of both resizes equal central differences on 12 shapes each, single cells among them") {
  const auto small = [](Draws& draws) { draws.image = {draws.between(1, 5), draws.between(1, 5)}; };
  check_op(12, true, [&](Draws& draws, Graph& graph, Value src) {
    small(draws);
    return resize_nearest(graph, src, {.scale = draws.between(2, 4)});
  });
  check_op(12, true, [&](Draws& draws, Graph& graph, Value src) {
    small(draws);
    return resize_bilinear(graph, src, {.scale = draws.between(2, 4)});
  });
}

TEST_CASE("oracle: gradients of activations, prelu and softmaxes equal central differences") {
  check_op(8, true,
           [](Draws&, Graph& graph, Value src) { return leaky_relu(graph, src, {.slope_millionths = 200'000}); });
  for (const OpInfo* op : forward_ops) {
    if (op->kind() != OpKind::activation) continue;
    CAPTURE(std::string(op->name));
    check_op(8, true, [&](Draws&, Graph& graph, Value src) {  // scaled, so that every kink is crossed
      return add_node(graph, *op, {}, {convolution(graph, src, {.out = 4})});
    });
  }
  check_op(8, true, [](Draws&, Graph& graph, Value src) { return prelu(graph, src); });
  check_op(8, true, [](Draws&, Graph& graph, Value src) { return softmax(graph, src); });
  check_op(8, true, [](Draws& draws, Graph& graph, Value src) {
    return spatial_softmax(graph, src, {.scale_percent = draws.between(1, 400)});
  });
}

TEST_CASE("oracle: gradients of a parameter with two uses add up, and those of frozen layers pass through") {
  check_op(8, true, [](Draws&, Graph& graph, Value src) {
    const auto block = [](Graph& g, Value v) { return convolution(g, v, {.out = channels(g, v), .kernel = 3}); };
    const Value once = lower_shared(graph, "twice", block, src);
    return lower_shared(graph, "twice", block, sigmoid(graph, once));
  });
  check_op(8, true, [](Draws&, Graph& graph, Value src) {
    const Value learnt = convolution(graph, src, {.out = 3, .kernel = 3});
    graph.frozen = true;
    const Value fixed = convolution(graph, batch_norm(graph, learnt), {.out = 2, .kernel = 3});
    graph.frozen = false;
    return fixed;
  });
}

TEST_CASE("oracle: max_pool's gradient equals central differences on 15 shapes") {
  check_op(15, true, [](Draws& draws, Graph& graph, Value src) { return max_pool(graph, src, draw_pool(draws)); });
}

TEST_CASE("oracle: average_pool's gradient equals central differences on 15 shapes") {
  check_op(15, true, [](Draws& draws, Graph& graph, Value src) { return average_pool(graph, src, draw_pool(draws)); });
}

TEST_CASE("oracle: global_average_pool's gradient equals central differences on 8 shapes") {
  check_op(8, true, [](Draws&, Graph& graph, Value src) { return global_average_pool(graph, src); });
}

TEST_CASE("oracle: relu's gradient equals central differences on 8 shapes") {
  check_op(8, true, [](Draws&, Graph& graph, Value src) { return relu(graph, src); });
}

TEST_CASE("oracle: sigmoid's gradient equals central differences on 8 shapes") {
  check_op(8, true, [](Draws&, Graph& graph, Value src) { return sigmoid(graph, src); });
}

TEST_CASE("oracle: concat's gradient equals central differences on 8 shapes, with a branch used twice") {
  check_op(8, true, [](Draws&, Graph& graph, Value src) { return concat(graph, {src, sigmoid(graph, src), src}); });
}

TEST_CASE("oracle: add's gradient equals central differences on 8 shapes, with a branch used twice") {
  check_op(8, true,
           [](Draws&, Graph& graph, Value src) { return add(graph, std::array{src, sigmoid(graph, src), src}); });
}

TEST_CASE("oracle: channel_scale's gradients of map and gate equal central differences on 8 shapes") {
  check_op(8, true, [](Draws&, Graph& graph, Value src) {
    return channel_scale(graph, src, sigmoid(graph, global_average_pool(graph, src)));
  });
}

TEST_CASE("oracle: batch_norm's gradients equal central differences on 12 shapes in training") {
  check_op(12, true, [](Draws& draws, Graph& graph, Value src) {
    draws.image.height += 2;
    return batch_norm(graph, src, {.epsilon_billionths = 10'000'000});
  });
}

TEST_CASE("oracle: batch_norm's gradients equal central differences on 8 shapes with running statistics") {
  check_op(8, false, [](Draws&, Graph& graph, Value src) { return batch_norm(graph, src); });
}

TEST_CASE("oracle: dropout's gradient equals central differences on 8 shapes, in training and not") {
  const auto build = [](Draws& draws, Graph& graph, Value src) {
    return dropout(graph, src, {.percent = draws.between(0, 9) * 10});
  };
  check_op(8, true, build);
  check_op(8, false, build);
}

TEST_CASE("oracle: gradients of 60 random graphs equal central differences") {
  int checked = 0;
  int skipped = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const reference::RandomGraph random = reference::random_graph(seed, {.steps = 12, .most_channels = 6});
    const Context context{.training = seed % 4 != 0, .seed = seed, .step = 1, .first_sample = 0};
    const SlopeReport report = reference::check_slopes(random.graph, random.batch, random.image, context, seed, 4);
    CAPTURE(seed);
    CAPTURE(report.worst_at);
    CHECK(report.worst < tolerance);
    checked += report.checked;
    skipped += report.skipped;
  }
  CHECK(skipped * 10 <= checked);
}

TEST_CASE("random_graph: 60 seeds use every forward operation, and equal seeds give equal graphs") {
  std::set<std::string_view> used;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const reference::RandomGraph random = reference::random_graph(seed);
    const reference::RandomGraph again = reference::random_graph(seed);
    CHECK(random.graph.operands == again.graph.operands);
    CHECK(random.image == again.image);
    CHECK(random.batch == again.batch);
    CHECK_NOTHROW(infer_sizes(random.graph, random.image));
    for (const Node& node : random.graph.nodes) used.insert(node.op->name);
  }
  for (const OpInfo* op : forward_ops) {
    CAPTURE(op->name);
    CHECK(used.count(op->name) == 1);
  }
}

}  // namespace oracle_gradients_test
