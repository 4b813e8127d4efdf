// custom_module: a module of one's own, used like the library's, in types and in network files.
#include <posemachine/compose.hpp>
#include <posemachine/model/network_json.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>

namespace pm = posemachine;

namespace {

// docs: begin module
struct BottleneckOptions {
  std::int32_t squeeze = 16;  // channels between
  std::int32_t dilation = 1;  // of the 3x3 convolution, counted from 1
};

/// (C, H, W) -> (C, H, W); 1x1 down, 3x3, 1x1 up, added to src. Source: He et al. 2016, Fig. 5.
constexpr pm::Value bottleneck(pm::Graph& graph, pm::Value src, const BottleneckOptions& options) {
  const pm::Value narrow = pm::relu(graph, pm::convolution(graph, src, {.out = options.squeeze}));
  const pm::Value seen = pm::relu(
      graph, pm::convolution(graph, narrow, {.out = options.squeeze, .kernel = 3, .dilation = options.dilation}));
  const pm::Value wide = pm::convolution(graph, seen, {.out = pm::channels(graph, src)});
  return pm::relu(graph, pm::add(graph, std::array{src, wide}));
}

template <BottleneckOptions Options = BottleneckOptions{}>
struct Bottleneck {
  static constexpr pm::Value lower(pm::Graph& graph, pm::Value src) { return bottleneck(graph, src, Options); }
};
// docs: end module

// clang-format off: compositions, one part after another
// docs: begin use
struct Example : pm::Network<
    pm::Input<"image", 3>, pm::Conv<16, 3>, pm::PyramidStack<>,
    Bottleneck<>, Bottleneck<BottleneckOptions{.squeeze = 8, .dilation = 2}>,
    pm::Conv<15, 1>, pm::Output<"heatmaps">>
{};

static_assert(pm::stride<Example> == 2);
static_assert(pm::receptive_field<Example> == 17);  // 3 after Conv, 5 after the pyramid, 9 and 17 after the bottlenecks
// docs: end use
// clang-format on

pm::NetworkDescription from_file(const char* file) {
  // docs: begin word
  using Fields = pm::LayerFields<BottleneckOptions>;
  pm::LayerSet layers = pm::library_layers();
  layers.add("DilatedBottleneck",
             {Fields::integer("squeeze", &BottleneckOptions::squeeze, 1, 1024),
              Fields::integer("dilation", &BottleneckOptions::dilation, 1, 64)},
             bottleneck);
  return pm::read_network(file, layers);  // {"DilatedBottleneck": {"squeeze": 8, "dilation": 2}}
  // docs: end word
}

}  // namespace

int main(int argc, char** argv) {
  std::printf("%lld parameters, %d nodes\n", static_cast<long long>(pm::parameter_count<Example>),
              pm::node_count<Example>);
  const pm::Graph graph = pm::graph_of<Example>();
  for (std::size_t id = 0; id < graph.parameters.size(); ++id) {
    std::printf("%s\n", pm::parameter_name(graph, static_cast<int>(id)).c_str());
  }
  if (argc < 2) return 0;
  try {
    const pm::NetworkDescription network = from_file(argv[1]);
    std::printf("%s: %lld parameters\n", argv[1], static_cast<long long>(pm::count_parameters(network.graph)));
  } catch (const pm::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
