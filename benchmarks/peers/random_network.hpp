// Networks for comparisons, drawn from a seed: what researchers compose, not what any library was tuned for.
#pragma once

#include <posemachine/compose.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace peers {

/// A network and the size of its images.
struct RandomNetwork {
  posemachine::Graph graph;
  posemachine::Size image;
};

namespace detail {

namespace pm = posemachine;

class Composer {
 public:
  explicit Composer(std::uint64_t seed, std::uint64_t attempt) : stream_(seed, pm::Purpose::test, attempt, 17) {}

  RandomNetwork compose() {
    pm::Graph& graph = result_.graph;
    constexpr std::array<int, 5> sides{128, 160, 192, 224, 256};
    result_.image = {pick(sides), pick(sides)};
    norm_ = chance(50) ? pm::Norm::batch : pm::Norm::none;
    pm::Value value = pm::add_input(graph, "image", 3);
    constexpr std::array<int, 3> widths{16, 24, 32};
    value = activation(
        pm::convolution(graph, value, {.out = pick(widths), .kernel = chance(60) ? 3 : 7, .stride = 1 + draw(0, 1)}));
    for (int halvings = draw(1, 3); halvings > 0; --halvings) {
      value = block(halve(value));
      if (chance(50)) value = block(value);
    }
    const pm::Value trunk = value;
    for (int stages = draw(1, 4); stages > 0; --stages) {
      for (int blocks = draw(2, 5); blocks > 0; --blocks) value = block(value);
      const pm::Value maps =
          pm::convolution(graph, pm::convolution_relu(graph, value, {.out = 64}, pm::Norm::none), {.out = 15});
      pm::add_output(graph, "heatmaps", maps);
      if (stages > 1) value = chance(70) ? pm::concat(graph, {trunk, maps}) : pm::concat(graph, {value, trunk, maps});
    }
    return std::move(result_);
  }

 private:
  int draw(int low, int high) {
    return low + static_cast<int>(stream_.below(static_cast<std::uint64_t>(high - low + 1)));
  }
  bool chance(int percent) { return draw(1, 100) <= percent; }
  template <std::size_t N>
  int pick(const std::array<int, N>& values) {
    return values[static_cast<std::size_t>(draw(0, int(N) - 1))];
  }

  pm::Value activation(pm::Value value) {
    pm::Graph& graph = result_.graph;
    const int which = draw(1, 10);
    return which <= 7   ? pm::relu(graph, value)
           : which <= 9 ? pm::leaky_relu(graph, value)
                        : pm::add_node(graph, newest_activation(), {}, {value});
  }

  // The last of the list.
  static const pm::OpInfo& newest_activation() {
    const auto found = std::find_if(pm::forward_ops.rbegin(), pm::forward_ops.rend(),
                                    [](const pm::OpInfo* op) { return op->kind() == pm::OpKind::activation; });
    return **found;
  }

  pm::Value halve(pm::Value value) {
    pm::Graph& graph = result_.graph;
    const int width = pm::channels(graph, value);
    switch (draw(1, 3)) {
      case 1: return pm::pyramid_stack(graph, value, {.norm = norm_});
      case 2: return pm::max_pool(graph, value, {.window = 2});
      default: return activation(pm::convolution(graph, value, {.out = 2 * width, .kernel = 3, .stride = 2}));
    }
  }

  pm::Value block(pm::Value value) {
    pm::Graph& graph = result_.graph;
    constexpr std::array<int, 4> widths{32, 48, 64, 96};
    const int width = pm::channels(graph, value);
    switch (draw(1, 8)) {
      case 1:
      case 2: return pm::residual_block(graph, value, chance(50) ? width : pick(widths), {.norm = norm_});
      case 3: return pm::bottleneck(graph, value, chance(50) ? 4 * (width / 4) : 2 * pick(widths), {.norm = norm_});
      case 4: return pm::fire_module(graph, value, {.squeeze = 32, .expand = 32, .norm = norm_});
      case 5: {
        constexpr std::array<std::int32_t, 4> rates{1, 2, 3, 4};
        return pm::dilation_module(graph, value, std::span(rates).first(static_cast<std::size_t>(draw(2, 4))),
                                   pm::Width{chance(50) ? 16 : 32});
      }
      case 6: return pm::inverted_residual(graph, value, pick(widths), {.expansion = draw(2, 4), .norm = norm_});
      case 7: return width % 8 == 0 ? pm::se_gate(graph, value, {.reduction = 8}) : value;
      default:
        return activation(pm::convolution(graph, value, {.out = pick(widths), .kernel = 3, .dilation = draw(1, 2)}));
    }
  }

  pm::RandomStream stream_;
  RandomNetwork result_;
  pm::Norm norm_ = pm::Norm::none;
};

}  // namespace detail

/// The first network of the seed's draws with at least 20 million multiply-adds. Equal seeds give equal networks.
inline RandomNetwork random_network(std::uint64_t seed) {
  for (std::uint64_t attempt = 0;; ++attempt) {
    RandomNetwork network = detail::Composer(seed, attempt).compose();
    if (posemachine::count_multiply_adds(network.graph, network.image) >= 20'000'000) return network;
  }
}

}  // namespace peers
