// Writes a model file of a composed network: every compiler's build must write the same bytes.
#include <posemachine/compose.hpp>
#include <posemachine/model/initialise.hpp>
#include <posemachine/model/model.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <vector>

namespace pm = posemachine;

namespace {

// Names, blocks and options of all kinds; weights by a formula, because libm's last bits are no part of the format.
struct Block
    : pm::Sequential<pm::Conv<6, 3, pm::ConvolutionOptions{.stride = 2, .bias = false}>, pm::BatchNorm<>, pm::ReLU> {};
template <int Rate>
struct Dilated : pm::Sequential<pm::Conv<4, 3, pm::ConvolutionOptions{.dilation = Rate}>, pm::Sigmoid> {};
struct Net
    : pm::Network<pm::Input<"image", 3>, Block, pm::Tag<"low">,
                  pm::Concat<pm::Identity, pm::Sequential<pm::From<"low">, pm::SEGate<3>>>,
                  pm::FireModule<pm::FireOptions{.squeeze = 2, .expand = 3}>, Dilated<2>,
                  pm::Named<"head", pm::Conv<15, 1>>, pm::Output<"heatmaps">, pm::Conv<15, 1>, pm::Output<"heatmaps">> {
};

std::vector<pm::Tensor> formula_weights(const pm::Graph& graph) {
  std::vector<pm::Tensor> tensors = pm::initialise(graph, 1);
  std::uint32_t state = 1;
  for (pm::Tensor& tensor : tensors) {
    for (float& value : tensor.values) {
      state = state * 1664525u + 1013904223u;
      value = static_cast<float>(state >> 20) * 0x1p-12f;
    }
  }
  return tensors;
}

}  // namespace

int main(int argument_count, char** arguments) try {
  if (argument_count != 2) {
    std::fprintf(stderr, "usage: write_model FILE\n");
    return 2;
  }
  pm::ModelSpec spec;
  spec.input_height = spec.input_width = 64;
  const pm::Model drawn = pm::Model::random<Net>(1, spec);
  drawn.with_parameters(formula_weights(drawn.graph())).save(std::filesystem::path(arguments[1]));
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
