// How fast each op runs by itself, on maps as they occur in the named networks at 368 x 368.
#include "workload.hpp"

#include <posemachine/engine/execution.hpp>
#include <posemachine/graph/build.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/op_info.hpp>
#include <posemachine/graph/ops.hpp>

#include <span>
#include <vector>

namespace {

namespace pm = posemachine;

using workload::Part;
using workload::SourceKind;
using Values = std::span<const pm::Value>;

auto unary(pm::Value (*op)(pm::Graph&, pm::Value)) {
  return [=](pm::Graph& graph, Values src) { return op(graph, src[0]); };
}

// For ops with options.
template <class OptionStruct>
auto unary(pm::Value (*op)(pm::Graph&, pm::Value, OptionStruct), const OptionStruct& options) {
  return [=](pm::Graph& graph, Values src) { return op(graph, src[0], options); };
}

auto convolution(const pm::ConvolutionOptions& options) { return unary(pm::convolution, options); }
auto depthwise(const pm::ConvolutionOptions& options) { return unary(pm::depthwise_convolution, options); }

pm::Value add(pm::Graph& graph, Values src) { return pm::add(graph, src); }
pm::Value concat(pm::Graph& graph, Values src) { return pm::concat(graph, src); }
pm::Value channel_scale(pm::Graph& graph, Values src) { return pm::channel_scale(graph, src[0], src[1]); }
pm::Value slice(pm::Graph& graph, Values src) {
  return pm::add_node(graph, pm::slice_op, pm::pack(pm::SliceOptions{.first = 256, .count = 15}), {src[0]});
}

std::vector<Part> parts() {
  std::vector<Part> all{
      {"convolution_1x1", 46, {256}, convolution({.out = 32})},
      {"convolution_1x1", 46, {288}, convolution({.out = 128})},
      {"convolution_1x1", 46, {128}, convolution({.out = 15})},
      {"convolution_1x1", 92, {24}, convolution({.out = 144})},
      {"convolution_3x3", 368, {{3, SourceKind::image}}, convolution({.out = 32, .kernel = 3})},
      {"convolution_3x3", 46, {32}, convolution({.out = 32, .kernel = 3})},
      {"convolution_3x3", 92, {64}, convolution({.out = 64, .kernel = 3})},
      {"convolution_3x3_stride_2", 368, {32}, convolution({.out = 32, .kernel = 3, .stride = 2})},
      {"convolution_3x3_stride_2", 184, {64}, convolution({.out = 64, .kernel = 3, .stride = 2})},
      {"convolution_3x3_stride_2", 92, {128}, convolution({.out = 128, .kernel = 3, .stride = 2})},
      {"convolution_3x3_dilation_2", 46, {160}, convolution({.out = 32, .kernel = 3, .dilation = 2})},
      {"convolution_3x3_dilation_3", 46, {160}, convolution({.out = 32, .kernel = 3, .dilation = 3})},
      {"convolution_3x3_dilation_4", 46, {160}, convolution({.out = 32, .kernel = 3, .dilation = 4})},
      {"convolution_3x3_groups_8", 46, {128}, convolution({.out = 128, .kernel = 3, .groups = 8})},
      {"convolution_3x3_depthwise", 92, {144}, depthwise({.kernel = 3})},
      {"convolution_3x3_depthwise", 23, {384}, depthwise({.kernel = 3})},
      {"convolution_3x3_depthwise_stride_2", 184, {96}, depthwise({.kernel = 3, .stride = 2})},
      {"convolution_5x5", 46, {128}, convolution({.out = 32, .kernel = 5})},
      {"convolution_7x7_stride_2", 368, {{3, SourceKind::image}}, convolution({.out = 16, .kernel = 7, .stride = 2})},
      {"convolution_9x9", 368, {{3, SourceKind::image}}, convolution({.out = 128, .kernel = 9})},
      {"convolution_9x9", 92, {128}, convolution({.out = 128, .kernel = 9})},
      {"convolution_11x11", 46, {128}, convolution({.out = 128, .kernel = 11})},
      {"transposed_convolution_4x4", 23, {96}, unary(pm::transposed_convolution, {.out = 48, .bias = 0})},
      {"transposed_convolution_4x4", 46, {48}, unary(pm::transposed_convolution, {.out = 48, .bias = 0})},
      {"max_pool_2x2", 368, {32}, unary(pm::max_pool, {.window = 2})},
      {"max_pool_2x2", 92, {128}, unary(pm::max_pool, {.window = 2})},
      {"max_pool_3x3_stride_2", 368, {128}, unary(pm::max_pool, {.window = 3, .stride = 2, .ceil = 1})},
      {"average_pool_8x8", 368, {32}, unary(pm::average_pool, {.window = 8})},
      {"global_average_pool", 46, {256}, unary(pm::global_average_pool)},
      {"resize_nearest", 46, {64}, unary(pm::resize_nearest, {})},
      {"resize_bilinear", 46, {64}, unary(pm::resize_bilinear, {})},
      {"leaky_relu", 92, {64}, unary(pm::leaky_relu, {})},
      {"prelu", 92, {64}, unary(pm::prelu)},
      {"softmax", 46, {15}, unary(pm::softmax)},
      {"spatial_softmax", 46, {15}, unary(pm::spatial_softmax, {})},
      {"batch_norm", 92, {48}, unary(pm::batch_norm, {})},
      {"dropout", 46, {512}, unary(pm::dropout, {})},
      {"add", 92, {64, 64}, add},
      {"add", 92, {64, 64, 64}, add},
      {"concat", 46, {256, 15}, concat},
      {"slice", 46, {271}, slice},
      {"channel_scale", 46, {256, {256, SourceKind::gate}}, channel_scale},
  };
  for (const pm::OpInfo* op : pm::forward_ops) {
    if (op->kind() != pm::OpKind::activation || !op->options.empty()) continue;
    all.push_back({std::string(op->name), 92, {64}, [op](pm::Graph& graph, Values src) {
                     return pm::add_node(graph, *op, {}, {src[0]});
                   }});
  }
  return all;
}

}  // namespace

int main(int argument_count, char** arguments) {
  // Concats and slices as copies: mostly an execution needs none.
  const auto passes = pm::schedule::SchedulePasses().without("share_slices").without("share_branches");
  for (const Part& part : parts()) workload::register_part(part, passes);
  return workload::run_registered(argument_count, arguments);
}
