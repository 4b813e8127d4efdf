// compose_network [MODEL [NETWORK]]: a two-stage pose network written as C++ types, its costs, a model file of it, and
// whether the network file NETWORK describes the same.
#include <posemachine/graph/difference.hpp>
#include <posemachine/model/network_json.hpp>
#include <posemachine/posemachine.hpp>

#include <cstddef>
#include <cstdio>
#include <string>

namespace pm = posemachine;

namespace {

// clang-format off: compositions, one part after another
// docs: begin compose
// Blocks are named structs, not aliases: their names head parameter names, the summary and the compiler's messages.
struct Trunk : pm::Sequential<
    pm::Conv<16, 3>, pm::ReLU,                                                        // (16, H, W)
    pm::PyramidStack<>, pm::PyramidStack<>, pm::PyramidStack<>, pm::Tag<"features">>  // (128, H/8, W/8)
{};

template <class Entry>
struct Stage : pm::Sequential<
    Entry,
    pm::FireModule<>,                                                            // (128, H/8, W/8)
    pm::Concat<pm::Identity, pm::Sequential<pm::From<"features">, pm::SEGate<8>>>,
    pm::DilationModule<1, 2, 3, 4>,
    pm::Conv<128, 1>, pm::ReLU,
    pm::Conv<15, 1, pm::ConvolutionOptions{.init = pm::Init::near_zero}>,               // 14 joints and background
    pm::Retag<"maps">, pm::Output<"heatmaps">>                                   // every output is supervised
{};

struct FirstStage : Stage<pm::From<"features">> {};
struct NextStage : Stage<pm::Concat<pm::From<"features">, pm::From<"maps">>> {};
struct TwoStages : pm::Network<pm::Input<"image", 3>, Trunk, FirstStage, NextStage> {};

static_assert(pm::stride<TwoStages> == 8);
static_assert(pm::parameter_count<TwoStages> == 804'046);
// docs: end compose
// clang-format on

void show(const char* file) {
  // docs: begin facts
  std::printf("%lld parameters, %lld multiply-adds at 128 x 128, sees %d pixels\n",
              static_cast<long long>(pm::parameter_count<TwoStages>),
              static_cast<long long>(pm::multiply_adds<TwoStages>(128, 128)), pm::receptive_field<TwoStages>);
  // docs: end facts
  if (file == nullptr) return;
  // docs: begin save
  pm::ModelSpec spec;  // joints of LSP, (pixel - 128) / 256, the crop rule: everything a tool must know
  spec.input_height = 128;
  spec.input_width = 128;
  const pm::Model model = pm::Model::random<TwoStages>(/*seed=*/1, spec);
  model.save(file);  // any program can load and run it without knowing the type
  // docs: end save
  std::printf("%s: %zu tensors\n", file, model.parameters().size());
}

void compare(const char* file) {
  // docs: begin compare
  const pm::NetworkDescription described = pm::read_network(file);
  const std::string difference = pm::first_difference(described.graph, pm::graph_of<TwoStages>());
  std::printf("%s: %s\n", file, difference.empty() ? "the same network" : difference.c_str());
  const pm::Model model = pm::Model::random(described, /*seed=*/1);  // from here on as for a type
  // docs: end compare
  std::printf("%s: %zu tensors\n", file, model.parameters().size());
}

}  // namespace

int main(int argc, char** argv) {
  try {
    show(argc > 1 ? argv[1] : nullptr);
    if (argc > 2) compare(argv[2]);
  } catch (const pm::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
