// custom_op: an operation of one's own, with a learnt parameter: used, checked, trained, saved and loaded.
#include <posemachine/engine/batch_gradients.hpp>
#include <posemachine/posemachine.hpp>
#include <posemachine/training/check_gradients.hpp>
#include <posemachine/training/optimizer.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

namespace pm = posemachine;

namespace {

// docs: begin kernels
/// dst = src * tanh(gain[c] * src): an activation whose bend is learnt for each channel.
struct BendOptions {
  std::int32_t limit = 8;  // of |gain * src|
};

double bent(float gain, float src, std::int32_t limit) {
  return std::fmin(std::fmax(double{gain} * double{src}, -double(limit)), double(limit));
}

void bend_forward(const pm::ForwardCall& call) {
  const auto options = pm::unpack<BendOptions>(call.options);
  const pm::SrcMap& src = call.srcs[0];
  for (int n = 0; n < src.n; ++n) {
    for (int c = 0; c < src.c; ++c) {
      const float gain = call.parameters[0][static_cast<std::size_t>(c)];
      for (int y = 0; y < src.h; ++y) {
        for (int x = 0; x < src.w; ++x) {
          const float value = src.at(n, c, y, x);
          call.dst.at(n, c, y, x) = static_cast<float>(value * std::tanh(bent(gain, value, options.limit)));
        }
      }
    }
  }
}

void bend_backward(const pm::BackwardCall& call) {
  const auto options = pm::unpack<BendOptions>(call.options);
  const pm::SrcMap& src = call.srcs[0];
  const std::span<float> diff_gain = call.diff_parameters[0];  // empty where it is not asked for
  for (float& value : diff_gain) value = 0;
  for (int n = 0; n < src.n; ++n) {
    for (int c = 0; c < src.c; ++c) {
      const float gain = call.parameters[0][static_cast<std::size_t>(c)];
      for (int y = 0; y < src.h; ++y) {
        for (int x = 0; x < src.w; ++x) {
          const double value = src.at(n, c, y, x);
          const double tanh = std::tanh(bent(gain, src.at(n, c, y, x), options.limit));
          const double inside = std::abs(gain * value) < options.limit ? 1 - tanh * tanh : 0;
          const double diff = call.diff_dst.at(n, c, y, x);
          if (call.diff_srcs[0].data != nullptr) {
            call.diff_srcs[0].at(n, c, y, x) = static_cast<float>(diff * (tanh + value * gain * inside));
          }
          if (!diff_gain.empty()) {
            diff_gain[static_cast<std::size_t>(c)] += static_cast<float>(diff * value * value * inside);
          }
        }
      }
    }
  }
}
// docs: end kernels

// docs: begin op
constexpr std::array bend_options{pm::OptionInfo{"limit", 1, 100}};
constexpr pm::CustomKernels bend_kernels{bend_forward, bend_backward};

// The rules: what stops a network that uses it wrongly, when it is compiled or read from a file. Returns dst's
// channels.
constexpr int infer_bend(pm::Graph& graph, const pm::Node& node) {
  const int channels = pm::channels(graph, pm::input(graph, node, 0));
  pm::require(graph, node.parameters.count == 1 && pm::parameter(graph, node, 0).size() == channels,
              pm::Rule::parameter_shape, channels, node.parameters.count);
  return channels;
}

constexpr pm::OpInfo bend_op{
    .name = "example.bend", .version = 1, .options = bend_options, .infer = infer_bend, .kernels = &bend_kernels};

/// (C, H, W) -> (C, H, W). Parameter: Bend.gain (C), at first 1.
template <BendOptions Options = BendOptions{}>
struct Bend {
  static constexpr pm::Value lower(pm::Graph& graph, pm::Value src) {
    const int gain = pm::add_parameter(graph, "gain", {pm::channels(graph, src), 1, 1, 1}, 1, pm::Init::ones);
    return pm::custom(graph, bend_op, Options, std::array{src}, std::array{gain});
  }
};
// docs: end op

// docs: begin network
struct Example : pm::Network<pm::Input<"image", 3>, pm::Conv<8, 3>, Bend<>, pm::PyramidStack<>,
                             Bend<BendOptions{.limit = 4}>, pm::Conv<15, 1>, pm::Output<"heatmaps">> {};
static_assert(pm::parameter_count<Example> == 3 * 8 * 9 + 8 + 8 + (8 * 8 * 9 + 8) + 16 + 16 * 15 + 15);
// docs: end network

// A few steps towards maps of ones, to see that everything learns, the gains too.
void train(pm::Model& model) {
  const pm::Graph& graph = model.graph();
  auto parameters = std::make_shared<std::vector<pm::Tensor>>(model.parameters());
  pm::engine::BatchGradients gradients(graph, parameters, {.batch = 4, .slice = 2, .workers = 2, .image = {32, 32}});
  pm::OptimizerOptions rule;
  rule.kind = "adamw";
  pm::Optimizer optimizer(graph, rule);
  pm::RandomStream stream(1, pm::Purpose::test);
  std::vector<float> images(4 * 3 * 32 * 32);
  for (float& value : images) value = static_cast<float>(stream.uniform(-0.5, 0.5));
  for (std::uint64_t step = 0; step < 20; ++step) {
    std::array<double, 2> losses{};
    gradients.compute(
        "image", images,
        [&](const pm::engine::SliceView& view) {
          for (std::size_t i = 0; i < view.outputs[0].size(); ++i) {
            const float error = view.outputs[0][i] - 1;
            view.output_gradients[0][i] = error / static_cast<float>(images.size());
            losses[static_cast<std::size_t>(view.index)] += 0.5 * error * error / static_cast<double>(images.size());
          }
        },
        1, step);
    optimizer.update(*parameters, gradients.gradients(), 0.01, static_cast<std::int64_t>(step), gradients.workers());
    if (step % 5 == 0) std::printf("step %2d: loss %.4f\n", static_cast<int>(step), losses[0] + losses[1]);
  }
  model = model.with_parameters(*parameters);
}

}  // namespace

int main() {
  pm::ModelSpec spec;
  spec.input_height = spec.input_width = 32;
  pm::Model model = pm::Model::random<Example>(1, spec);

  // docs: begin check
  const pm::GradientCheck check = pm::check_gradients(model.graph(), {10, 6});
  std::printf("gradients: %d elements compared, the worst error %.1e\n", check.checked, check.worst);
  // docs: end check

  train(model);

  // docs: begin load
  const auto file = std::filesystem::temp_directory_path() / "posemachine_custom_op.safetensors";
  model.save(file);
  const pm::OpSet ops{&bend_op};
  const pm::Model loaded = pm::Model::load(file, ops);  // without the OpSet: refused, naming operation and node
  // docs: end load
  std::printf("loaded: %zu nodes, the same weights: %s\n", loaded.graph().nodes.size(),
              loaded.to_bytes() == model.to_bytes() ? "yes" : "no");
  std::filesystem::remove(file);
}
