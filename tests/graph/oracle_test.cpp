// The oracle's forward operations against figures made by hand and by PyTorch 1.13 in double precision.
#include "../reference/oracle.hpp"
#include "../reference/fill.hpp"
#include "../reference/kinks.hpp"
#include "../reference/random_graph.hpp"

#include <posemachine/core/random.hpp>
#include <posemachine/graph/build.hpp>
#include <posemachine/graph/differentiate.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

namespace oracle_test {

using namespace posemachine;
using reference::Array;
using reference::Context;
using reference::Result;

namespace {

constexpr double tolerance = 1e-13;  // ten operations at 2^-53, values below 20

void check_near(const std::vector<double>& got, const std::vector<double>& expected) {
  REQUIRE(got.size() == expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    CAPTURE(i);
    CHECK(std::abs(got[i] - expected[i]) <= tolerance * 20);
  }
}

const Array digits{1, 1, 4, 5, {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3, 2, 3, 8, 4}};

// The dst of "image -> build -> maps" for an image.
template <class Build>
Array dst_of(const Array& image, Build build, const reference::Parameters& parameters = {},
             const Context& context = {}) {
  Graph graph;
  const Value dst = build(graph, add_input(graph, "image", image.c));
  add_output(graph, "maps", dst);
  return reference::run(graph, image.n, {image.h, image.w}, {{"image", image}}, parameters, context)[dst];
}

// The gradient of image for a gradient 1, 2, 3, ... of the dst.
template <class Build>
Array diff_image_of(const Array& image, Build build) {
  Graph graph;
  const Value dst = build(graph, add_input(graph, "image", image.c));
  add_output(graph, "maps", dst);
  Array diff = reference::run(graph, image.n, {image.h, image.w}, {{"image", image}}, {})[dst];
  std::iota(diff.values.begin(), diff.values.end(), 1.0);
  const Graph training = differentiate(graph, {.input_gradients = true});
  const Result result =
      reference::run(training, image.n, {image.h, image.w}, {{"image", image}, {"diff_maps", diff}}, {});
  return result[reference::output_value(training, "diff_image")];
}

}  // namespace

TEST_CASE("oracle: every forward and backward operation of the graph is computed, none besides inputs missing") {
  for (const OpInfo* op : forward_ops) {
    CAPTURE(op->name);
    CHECK((op == &input_op || reference::find_reference_op(*op) != nullptr));
  }
  for (const OpInfo* op : backward_ops) {
    if (op == &custom_backward_op) continue;  // a user's: the oracle cannot know what it computes
    CAPTURE(op->name);
    CHECK(reference::find_reference_op(*op) != nullptr);
  }
}

TEST_CASE("oracle: a convolution of stride 2 and dilation 2 gives PyTorch's figures") {
  Array image = reference::zeros(1, 2, 4, 5);
  for (std::size_t i = 0; i < image.values.size(); ++i) image.values[i] = static_cast<double>((i + 1) % 7);
  std::vector<double> weights(3 * 2 * 9);
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = static_cast<double>((i + 1) % 5) - 2;
  const Array dst =
      dst_of(image,
             [](Graph& graph, Value src) {
               return convolution(graph, src, {.out = 3, .kernel = 3, .stride = 2, .dilation = 2, .padding = 2});
             },
             {weights, {1, -2, 3}});
  CHECK(dst.h == 2);
  CHECK(dst.w == 3);
  check_near(dst.values, {13, -7, 3, -14, 11, 5, -8, -3, -2, 10, -10, 0, 9, 9, -4, -3, 2, 3});
}

TEST_CASE("oracle: pooling with padding leaves cells outside the map out, as PyTorch without count_include_pad") {
  const PoolingOptions floor{.window = 3, .stride = 2, .padding = 1};
  const PoolingOptions ceil{.window = 3, .stride = 2, .padding = 1, .ceil = 1};
  const auto average = [&](PoolingOptions options) {
    std::vector<double> values =
        dst_of(digits, [&](Graph& graph, Value src) { return average_pool(graph, src, options); }).values;
    for (double& value : values) value *= 36;
    return values;
  };
  const auto maximum = [&](PoolingOptions options) {
    return dst_of(digits, [&](Graph& graph, Value src) { return max_pool(graph, src, options); }).values;
  };
  check_near(average(floor), {135, 114, 126, 174, 200, 216});
  check_near(average(ceil), {135, 114, 126, 174, 200, 216, 90, 156, 216});
  check_near(maximum(floor), {9, 6, 5, 9, 9, 9});
  check_near(maximum(ceil), {9, 6, 5, 9, 9, 9, 3, 8, 8});
}

TEST_CASE("oracle: pooling windows that reach over the border hold the cells that are there") {
  const PoolingOptions options{.window = 2, .ceil = 1};
  std::vector<double> means =
      dst_of(digits, [&](Graph& graph, Value src) { return average_pool(graph, src, options); }).values;
  for (double& mean : means) mean *= 4;
  check_near(means, {15, 16, 16, 18, 27, 26});
  check_near(diff_image_of(digits, [&](Graph& graph, Value src) { return max_pool(graph, src, options); }).values,
             {0, 0, 0, 0, 3, 1, 0, 2, 0, 0, 0, 4, 5, 0, 6, 0, 0, 0, 0, 0});
}

TEST_CASE("oracle: max_pool's gradient goes to the first of equal maxima in row-major order, and adds up") {
  const Array ties{1, 1, 3, 3, {7, 7, 1, 7, 2, 7, 0, 7, 7}};
  const auto pool = [](Graph& graph, Value src) { return max_pool(graph, src, {.window = 2, .stride = 1}); };
  check_near(diff_image_of(ties, pool).values, {1, 2, 0, 3, 0, 4, 0, 0, 0});
  const Array peak{1, 1, 3, 3, {0, 0, 0, 0, 5, 0, 0, 0, 0}};
  check_near(diff_image_of(peak, pool).values, {0, 0, 0, 0, 10, 0, 0, 0, 0});
}

TEST_CASE("oracle: relu passes no gradient at 0, sigmoid of 0 is a half") {
  const Array image{1, 1, 1, 3, {-2, 0, 3}};
  check_near(dst_of(image, [](Graph& graph, Value src) { return relu(graph, src); }).values, {0, 0, 3});
  check_near(diff_image_of(image, [](Graph& graph, Value src) { return relu(graph, src); }).values, {0, 0, 3});
  const auto logistic = [](Graph& graph, Value src) { return sigmoid(graph, src); };
  check_near(dst_of(image, logistic).values, {1 / (1 + std::exp(2.0)), 0.5, 1 / (1 + std::exp(-3.0))});
  CHECK(diff_image_of(image, logistic).values[1] == doctest::Approx(2 * 0.25));
}

TEST_CASE("oracle: concat, add, global pooling and channel scale by hand, image by image") {
  const Array image{2, 2, 1, 2, {1, 3, 10, 20, 5, 7, -2, 2}};
  check_near(dst_of(image, [](Graph& graph, Value src) { return global_average_pool(graph, src); }).values,
             {2, 15, 6, 0});
  check_near(dst_of(image, [](Graph& graph, Value src) { return concat(graph, {src, relu(graph, src)}); }).values,
             {1, 3, 10, 20, 1, 3, 10, 20, 5, 7, -2, 2, 5, 7, 0, 2});
  check_near(
      dst_of(image, [](Graph& graph, Value src) { return channel_scale(graph, src, global_average_pool(graph, src)); })
          .values,
      {2, 6, 150, 300, 30, 42, 0, 0});
  check_near(dst_of(image,
                    [](Graph& graph, Value src) {
                      const std::vector<Value> branches{src, relu(graph, src), src};
                      return add(graph, branches);
                    })
                 .values,
             {3, 9, 30, 60, 15, 21, -4, 6});
}

TEST_CASE("oracle: batch_norm gives PyTorch's figures in training and inference, running statistics included") {
  const Array image{2, 2, 1, 2, {1, 2, 4, 7, 0, 3, 5, 5}};
  const reference::Parameters parameters{{2, -1}, {0.5, 1}, {1, 2}, {4, 9}};
  Graph graph;
  const Value src = add_input(graph, "image", 2);
  const Value dst = batch_norm(graph, src, {.epsilon_billionths = 250'000'000, .momentum_permille = 300});
  const Result training = reference::run(graph, 2, {1, 2}, {{"image", image}}, parameters, {.training = true});
  check_near(training[dst].values, {-0.316496580927726, 1.31649658092773, 2.04257207028537, -0.459600898399523,
                                    -1.94948974278318, 2.94948974278318, 1.20851441405707, 1.20851441405707});
  check_near(training.parameters[2], {1.15, 2.975});
  check_near(training.parameters[3], {3.3, 6.775});
  const Result inference = reference::run(graph, 2, {1, 2}, {{"image", image}}, parameters);
  check_near(inference[dst].values,
             {0.5, 1.4701425001453319, 0.34240405077857083, -0.6439898730535729, -0.4701425001453319,
              2.4402850002906638, 0.013606076167856251, 0.013606076167856251});
  CHECK(inference.parameters == parameters);
}

TEST_CASE("oracle: batch_norm over a single number gives the shift, and moves the running variance towards 0") {
  const Array image{1, 1, 1, 1, {7}};
  Graph graph;
  const Value dst = batch_norm(graph, add_input(graph, "image", 1), {.momentum_permille = 500});
  const reference::Parameters parameters{{2}, {0.25}, {1}, {4}};
  const Result result = reference::run(graph, 1, {1, 1}, {{"image", image}}, parameters, {.training = true});
  check_near(result[dst].values, {0.25});
  check_near(result.parameters[2], {4});
  check_near(result.parameters[3], {2});
}

TEST_CASE("oracle: dropout keeps an element where its own draw is at least the rate, and scales it up") {
  Array image = reference::zeros(2, 3, 2, 5);
  for (double& value : image.values) value = 1;
  const Context context{.training = true, .seed = 11, .step = 4, .first_sample = 6};
  const auto drop = [](Graph& graph, Value src) { return dropout(graph, src, {.percent = 75}); };
  const Array dst = dst_of(image, drop, {}, context);
  for (int sample = 0; sample < 2; ++sample) {
    RandomStream stream(11, Purpose::dropout, 4, 6 + static_cast<std::uint64_t>(sample), 1);  // node 0 is the input
    for (std::size_t e = 0; e < 30; ++e) {
      CHECK(dst.values[static_cast<std::size_t>(sample) * 30 + e] == (stream.uniform() >= 0.75 ? 4.0 : 0.0));
    }
  }
  CHECK(dst_of(image, drop).values == image.values);
  const Array other_step = dst_of(image, drop, {}, {.training = true, .seed = 11, .step = 5, .first_sample = 6});
  CHECK(other_step.values != dst.values);
}

TEST_CASE("oracle: a sample's dropout does not depend on the batch it comes in") {
  const Array both = reference::Array{2, 1, 1, 8, std::vector<double>(16, 1.0)};
  const Array one = reference::Array{1, 1, 1, 8, std::vector<double>(8, 1.0)};
  const auto drop = [](Graph& graph, Value src) { return dropout(graph, src, {.percent = 50}); };
  const Array together = dst_of(both, drop, {}, {.training = true, .first_sample = 3});
  const Array alone = dst_of(one, drop, {}, {.training = true, .first_sample = 4});
  CHECK(std::vector<double>(together.values.begin() + 8, together.values.end()) == alone.values);
}

TEST_CASE("oracle: a differentiated graph computes the forward values of its network, whatever the gradients") {
  for (std::uint64_t seed = 100; seed < 110; ++seed) {
    const reference::RandomGraph random = reference::random_graph(seed);
    const Graph training = differentiate(random.graph);
    const reference::Filling filling = reference::fill(training, random.batch, random.image, seed);
    const Context context{.training = true, .seed = seed};
    const Result whole =
        reference::run(training, random.batch, random.image, filling.inputs, filling.parameters, context);
    const Result forward =
        reference::run(random.graph, random.batch, random.image, filling.inputs, filling.parameters, context);
    for (std::size_t id = 0; id < forward.values.size(); ++id) {
      CHECK(forward.values[id].values == whole.values[id].values);
    }
    CHECK(forward.parameters == whole.parameters);
  }
}

TEST_CASE("fill: numbers are floats exactly, variances are positive, and a graph's differentiate() gets the same") {
  const reference::RandomGraph random = reference::random_graph(3);
  const Graph training = differentiate(random.graph);
  const reference::Filling plain = reference::fill(random.graph, random.batch, random.image, 5);
  const reference::Filling full = reference::fill(training, random.batch, random.image, 5);
  CHECK(plain.parameters == full.parameters);
  for (const auto& [name, array] : plain.inputs) CHECK(array.values == full.inputs.at(name).values);
  for (const auto& [name, array] : full.inputs) {
    for (const double value : array.values) CHECK(static_cast<double>(static_cast<float>(value)) == value);
  }
  for (std::size_t id = 0; id < full.parameters.size(); ++id) {
    const bool variance = name_text(training, training.parameters[id].name) == "variance";
    for (const double value : full.parameters[id]) {
      CHECK(static_cast<double>(static_cast<float>(value)) == value);
      CHECK((!variance || value > 0));
    }
  }
}

TEST_CASE("nearest_kink: relu's distance from 0 and a window's from its second largest cell, equal cells left out") {
  const auto nearest = [](const Array& image, bool pool) {
    Graph graph;
    const Value src = add_input(graph, "image", 1);
    pool ? max_pool(graph, src, {.window = 2, .stride = 1}) : relu(graph, src);
    return reference::nearest_kink(graph, reference::run(graph, 1, {image.h, image.w}, {{"image", image}}, {}));
  };
  const Array image{1, 1, 2, 3, {4, -0.25, 0, 7, 4, 4}};
  CHECK(nearest(image, false) == 0.25);
  CHECK(nearest(image, true) == 3);
}

TEST_CASE("oracle: a missing input, a misshapen one and an operation it does not know are refused") {
  Graph graph;
  const Value src = add_input(graph, "image", 1);
  const reference::Inputs wrong{{"image", reference::zeros(1, 2, 3, 3)}};
  CHECK_THROWS_WITH_AS(reference::run(graph, 1, {3, 3}, {}, {}), "oracle: input image is missing",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(reference::run(graph, 1, {3, 3}, wrong, {}), "oracle: input image has another shape",
                       std::invalid_argument);
  static constexpr OpInfo own{.name = "own"};
  add_node(graph, own, {}, {src});
  CHECK_THROWS_WITH_AS(reference::run(graph, 1, {3, 3}, {{"image", reference::zeros(1, 1, 3, 3)}}, {}),
                       "oracle: no such operation: own", std::invalid_argument);
}

TEST_CASE("oracle: a grouped convolution gives PyTorch's figures") {
  Array image = reference::zeros(1, 4, 3, 4);
  for (std::size_t i = 0; i < image.values.size(); ++i) image.values[i] = static_cast<double>((i + 1) % 7);
  std::vector<double> weights(6 * 2 * 9);
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = static_cast<double>((i + 1) % 5) - 2;
  const Array dst = dst_of(image,
                           [](Graph& graph, Value src) {
                             return convolution(graph, src, {.out = 6, .kernel = 3, .stride = 2, .groups = 2});
                           },
                           {weights, {1, -2, 3, 0, 2, -1}});
  check_near(dst.values,
             {30, -3, -5, -25, -12, -9, -11, 27, -1, 13, 21, -8, 2, 32, -4, 10, 13, -21, 9, -11, -11, 11, -23, 13});
}

TEST_CASE("oracle: a transposed convolution with output padding gives PyTorch's figures") {
  Array image = reference::zeros(1, 2, 2, 3);
  for (std::size_t i = 0; i < image.values.size(); ++i) image.values[i] = static_cast<double>((i + 1) % 7);
  std::vector<double> weights(3 * 2 * 9);
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = static_cast<double>((i + 1) % 5) - 2;
  const Array dst = dst_of(image,
                           [](Graph& graph, Value src) {
                             return transposed_convolution(
                                 graph, src, {.out = 3, .kernel = 3, .stride = 2, .padding = 1, .output_padding = 1});
                           },
                           {weights, {1, -2, 3}});
  CHECK(dst.h == 4);
  CHECK(dst.w == 6);
  check_near(dst.values,
             {-1, 5,  -1, 5, -1, -6, -1, -7, -1, -7, -1,  15,  -1, 5,  -1,  5,  -1,  -15, 5,   8,  6,   10, 7,   18,
              -1, -1, 0,  1, 1,  6,  -5, 0,  -8, -1, -11, -20, 2,  5,  3,   7,  4,   15,  -12, -7, -15, -8, -18, -7,
              2,  1,  -1, 0, -4, 1,  9,  10, 13, 13, 17,  18,  -7, -2, -10, -3, -13, -2,  14,  6,  17,  7,  20,  1});
}

TEST_CASE("oracle: resizes repeat cells or give PyTorch's figures without aligned corners") {
  const Array image{1, 1, 2, 3, {3, 1, 4, 1, 5, 9}};
  check_near(dst_of(image, [](Graph& graph, Value src) { return resize_nearest(graph, src, {.scale = 2}); }).values,
             {3, 3, 1, 1, 4, 4, 3, 3, 1, 1, 4, 4, 1, 1, 5, 5, 9, 9, 1, 1, 5, 5, 9, 9});
  check_near(dst_of(image, [](Graph& graph, Value src) { return resize_bilinear(graph, src); }).values,
             {3,   2.5,   1.5,   1.75,   3.25,   4,    2.5, 2.375, 2.125, 2.8125, 4.4375, 5.25,
              1.5, 2.125, 3.375, 4.9375, 6.8125, 7.75, 1,   2,     4,     6,      8,      9});
  const Array three = dst_of(image, [](Graph& graph, Value src) { return resize_bilinear(graph, src, {.scale = 3}); });
  check_near({three.values.begin(), three.values.begin() + 9}, {3, 3, 7.0 / 3, 5.0 / 3, 1, 2, 3, 4, 4});
  check_near({three.values.begin() + 27, three.values.begin() + 36},
             {5.0 / 3, 5.0 / 3, 7.0 / 3, 3, 11.0 / 3, 44.0 / 9, 55.0 / 9, 22.0 / 3, 22.0 / 3});
}

TEST_CASE("oracle: hard_swish, silu, softmax, leaky_relu and prelu give PyTorch's figures") {
  const Array row{1, 1, 1, 5, {-4, -1, 0, 2, 5}};
  check_near(dst_of(row, [](Graph& graph, Value src) { return hard_swish(graph, src); }).values,
             {0, -1.0 / 3, 0, 5.0 / 3, 5});
  check_near(dst_of(row, [](Graph& graph, Value src) { return silu(graph, src); }).values,
             {-0.07194483984836623, -0.2689414213699951, 0, 1.7615941559557646, 4.966535745378576});
  check_near(dst_of(row, [](Graph& graph, Value src) { return leaky_relu(graph, src); }).values,
             {-0.04, -0.01, 0, 2, 5});
  const Array pair{1, 2, 1, 2, {-4, 2, -1, -2}};
  check_near(dst_of(pair, [](Graph& graph, Value src) { return prelu(graph, src); }, {{0.5, -2}}).values,
             {-2, 2, 2, 4});
  const Array three{1, 3, 1, 2, {3, 1, 4, 1, 5, 9}};
  check_near(dst_of(three, [](Graph& graph, Value src) { return softmax(graph, src); }).values,
             {0.09003057317038046, 0.00033523770845720973, 0.24472847105479764, 0.00033523770845720973,
              0.6652409557748218, 0.9993295245830855});
  check_near(dst_of(three, [](Graph& graph, Value src) { return spatial_softmax(graph, src); }).values,
             {0.8807970779778823, 0.11920292202211755, 0.9525741268224333, 0.04742587317756678, 0.01798620996209156,
              0.9820137900379085});
  check_near(
      dst_of(row, [](Graph& graph, Value src) { return spatial_softmax(graph, src, {.scale_percent = 250}); }).values,
      {0.0002913007208344092, 0.0058509313840707095, 0.015904480460880138, 0.11751909834978977, 2.360434189084425});
  const Array far{1, 2, 1, 1, {1000, -1000}};
  check_near(dst_of(far, [](Graph& graph, Value src) { return softmax(graph, src); }).values, {1, 0});
}

}  // namespace oracle_test
