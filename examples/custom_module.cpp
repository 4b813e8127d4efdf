// custom_module: a module of one's own, used like the library's.
#include <posemachine/compose.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>

namespace pm = posemachine;

namespace {

// docs: begin module
struct BottleneckOptions {
  std::int32_t squeeze = 16;   // channels between
  std::int32_t dilation = 1;   // of the 3x3 convolution, counted from 1
};

/// Bottleneck: (C, H, W) -> (C, H, W); 1x1 down, 3x3, 1x1 up, added to src. Source: He et al. 2016, Fig. 5.
template <BottleneckOptions Options = BottleneckOptions{}>
struct Bottleneck {
  static constexpr pm::Value lower(pm::Graph& graph, pm::Value src) {
    const pm::Value narrow = pm::relu(graph, pm::convolution(graph, src, {.out = Options.squeeze}));
    const pm::Value seen = pm::relu(
        graph, pm::convolution(graph, narrow, {.out = Options.squeeze, .kernel = 3, .dilation = Options.dilation}));
    const pm::Value wide = pm::convolution(graph, seen, {.out = pm::channels(graph, src)});
    return pm::relu(graph, pm::add(graph, std::array{src, wide}));
  }
};
// docs: end module

// docs: begin use
struct Example : pm::Network<
    pm::Input<"image", 3>, pm::Conv<16, 3>, pm::PyramidStack<>,
    Bottleneck<>, Bottleneck<BottleneckOptions{.squeeze = 8, .dilation = 2}>,
    pm::Conv<15, 1>, pm::Output<"heatmaps">>
{};

static_assert(pm::stride<Example> == 2);
static_assert(pm::receptive_field<Example> == 17);  // 3 after Conv, 5 after the pyramid, 9 and 17 after the bottlenecks
// docs: end use

}  // namespace

int main() {
  std::printf("%lld parameters, %d nodes\n", static_cast<long long>(pm::parameter_count<Example>),
              pm::node_count<Example>);
  const pm::Graph graph = pm::graph_of<Example>();
  for (std::size_t id = 0; id < graph.parameters.size(); ++id) {
    std::printf("%s\n", pm::parameter_name(graph, static_cast<int>(id)).c_str());
  }
}
