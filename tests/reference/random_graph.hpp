// Random networks of all operations, built through the public functions: a function of the seed.
#pragma once

#include "fill.hpp"

#include <posemachine/core/geometry.hpp>
#include <posemachine/core/random.hpp>
#include <posemachine/graph/build.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace posemachine::reference {

struct RandomGraphOptions {
  int steps = 12;         // operations drawn; a gate counts as one
  int most_channels = 9;  // of a convolution's dst
  int norm_numbers = 8;   // batch norm only over at least so many numbers per channel: fewer amplify rounding errors
  bool batch_norm = true;
  bool dropout = true;
  bool residuals = false;  // residual blocks among the operations, before and after activation
  Value (*prelu)(Graph&, Value) = [](Graph& graph, Value src) { return posemachine::prelu(graph, src); };
};

/// A network and a size of image and batch that it accepts.
struct RandomGraph {
  Graph graph;
  Size image;
  int batch = 1;
};

namespace detail {

class GraphGrower {
 public:
  GraphGrower(std::uint64_t seed, const RandomGraphOptions& options)
      : options_(options), stream_(seed, Purpose::test, 3) {}

  RandomGraph grow() {
    constexpr std::array<int, 9> sides{5, 7, 8, 11, 12, 13, 16, 17, 19};
    result_.image = {sides[below(sides.size())], sides[below(sides.size())]};
    result_.batch = draw(1, 3);
    add_input_of("image", draw(1, 4));
    if (chance(30)) add_input_of("centre", 1);
    for (int step = 0; step < options_.steps; ++step) {
      const bool block = chance(20);
      const int outer = block ? open_scope(graph_, "Block") : graph_.scope;
      grow_once();
      close_scope(graph_, outer);
    }
    add_outputs();
    return std::move(result_);
  }

 private:
  std::size_t below(std::size_t count) { return static_cast<std::size_t>(stream_.below(count)); }
  int draw(int low, int high) { return low + static_cast<int>(below(static_cast<std::size_t>(high - low + 1))); }
  bool chance(int percent) { return draw(1, 100) <= percent; }

  Size size_of(Value value) const { return sizes_[static_cast<std::size_t>(value.id)]; }
  bool is_global(Value value) const { return stride_of(graph_, value).global; }

  // Sizes are kept beside the graph, which knows none.
  Value keep(Value dst) {
    for (std::size_t id = sizes_.size(); id < graph_.values.size(); ++id) {
      const Node& node = graph_.nodes[static_cast<std::size_t>(graph_.values[id].producer)];
      const bool fed = node.inputs.count == 0;
      sizes_.push_back(fed ? result_.image : node.op->geometry(node.options).size(size_of(input(graph_, node, 0))));
    }
    return dst;
  }

  void add_input_of(const char* name, int channel_count) { keep(add_input(graph_, name, channel_count)); }

  // Mostly the newest value, so that graphs grow deep; else any.
  Value pick() {
    const auto last = graph_.values.size() - 1;
    return {static_cast<int>(chance(60) ? last : below(last + 1))};
  }
  Value pick_map() {
    Value value = pick();
    while (is_global(value)) value = {value.id - 1};  // the inputs come first
    return value;
  }

  // Values that can meet this one: of equal stride and size, and channels if asked; itself among them.
  std::vector<Value> partners(Value value, bool equal_channels) const {
    std::vector<Value> found;
    for (int id = 0; id < static_cast<int>(graph_.values.size()); ++id) {
      const Value other{id};
      const bool fits = stride_of(graph_, other) == stride_of(graph_, value) && size_of(other) == size_of(value);
      if (fits && (!equal_channels || channels(graph_, other) == channels(graph_, value))) found.push_back(other);
    }
    return found;
  }

  std::vector<Value> pick_branches(Value first, bool equal_channels) {
    const std::vector<Value> found = partners(first, equal_channels);
    std::vector<Value> branches{first};
    for (int more = draw(1, 2); more > 0; --more) branches.push_back(found[below(found.size())]);
    return branches;
  }

  void grow_convolution(Value src) {
    ConvolutionOptions options;
    options.out = draw(1, options_.most_channels);
    options.bias = chance(70) ? 1 : 0;
    if (!is_global(src)) {
      options.kernel = 1 + 2 * draw(0, 2);
      options.stride = draw(1, 2);
      options.dilation = draw(1, 4);
      const int same = options.dilation * (options.kernel - 1) / 2;
      options.padding = chance(75) ? same : draw(0, same + 1);
      const Window window{options.kernel, options.stride, options.dilation, options.padding};
      const Size dst = window.size(size_of(src));
      if (dst.height < 1 || dst.width < 1) options.padding = same;
    }
    if (chance(30)) {  // any common divisor, the channels themselves among them
      std::vector<int> divisors;
      const int in = channels(graph_, src);
      for (int groups = 2; groups <= in; ++groups) {
        if (in % groups == 0) divisors.push_back(groups);
      }
      if (!divisors.empty()) {
        options.groups = divisors[below(divisors.size())];
        options.out = options.groups * draw(1, 2);
      }
    }
    keep(convolution(graph_, src, options));
  }

  void grow_transposed(Value src) {
    TransposedConvolutionOptions options;
    options.out = draw(1, options_.most_channels);
    options.kernel = draw(1, 4);
    options.stride = draw(1, 3);
    options.padding = draw(0, options.kernel - 1);
    options.output_padding = draw(0, options.stride - 1);
    options.bias = chance(70) ? 1 : 0;
    const Size dst = transposed_convolution_op.geometry(pack(options)).size(size_of(src));
    if (dst.height < 1 || dst.width < 1 || !may_grow(src, options.stride)) return;
    keep(transposed_convolution(graph_, src, options));
  }

  // Maps stay within 40 cells a side: the oracle is slow.
  bool may_grow(Value src, int scale) const {
    return size_of(src).height * scale <= 40 && size_of(src).width * scale <= 40;
  }

  void grow_resize(Value src) {
    const int scale = draw(2, 3);
    if (!may_grow(src, scale)) return;
    keep(chance(50) ? resize_nearest(graph_, src, {.scale = scale}) : resize_bilinear(graph_, src, {.scale = scale}));
  }

  // Of bounded logits: the exponential of large ones magnifies their rounding.
  void grow_spatial_softmax(Value src) {
    const Value logits = convolution(graph_, sigmoid(graph_, src), {.out = channels(graph_, src)});
    keep(spatial_softmax(graph_, logits, {.scale_percent = 700}));
  }

  // The activations whose gradient needs src, in the order of the list.
  Value activation_from_src(int which, Value src) {
    for (const OpInfo* op : forward_ops) {
      const bool other = op == &relu_op || op == &leaky_relu_op || op == &sigmoid_op;
      if (op->kind() == OpKind::activation && !other && which-- == 0) return add_node(graph_, *op, {}, {src});
    }
    return src;
  }

  void grow_activation(Value src) {
    switch (draw(1, 7)) {
      case 1: keep(leaky_relu(graph_, src, {.slope_millionths = draw(0, 2) * 100'000})); return;
      case 2: keep(activation_from_src(0, src)); return;
      case 3: keep(activation_from_src(1, src)); return;
      case 4: keep(options_.prelu(graph_, src)); return;
      case 5:
        if (channels(graph_, src) % 2 == 0)
          grow_spatial_softmax(src);
        else
          keep(softmax(graph_, src));
        return;
      default: keep(relu(graph_, src));
    }
  }

  // Two or three uses of one convolution, one after the other, or a batch norm that is frozen.
  void grow_shared_or_frozen(Value src) {
    if (chance(40)) {
      graph_.frozen = true;
      keep(chance(50) ? batch_norm(graph_, src) : convolution(graph_, src, {.out = draw(1, options_.most_channels)}));
      graph_.frozen = false;
      return;
    }
    const std::string name = "shared_" + std::to_string(graph_.nodes.size());
    for (int uses = draw(2, 3); uses > 0; --uses) {
      const auto block = [](Graph& graph, Value value) {
        return convolution(graph, value, {.out = channels(graph, value), .kernel = 1});
      };
      src = keep(lower_shared(graph_, name, block, src));
    }
  }

  void grow_pool(Value src, bool maximum) {
    PoolingOptions options;
    options.window = draw(2, 3);
    options.stride = draw(0, 3);
    options.padding = draw(0, options.window - 1);
    options.ceil = draw(0, 1);
    const int stride = options.stride == stride_of_window ? options.window : options.stride;
    const Window window{
        .kernel = options.window, .stride = stride, .padding = options.padding, .ceil = options.ceil != 0};
    const Size dst = window.size(size_of(src));
    if (dst.height < 1 || dst.width < 1) return;
    keep(maximum ? max_pool(graph_, src, options) : average_pool(graph_, src, options));
  }

  void grow_gate(Value src) {
    const int channel_count = channels(graph_, src);
    Value gate = global_average_pool(graph_, src);
    if (chance(50)) gate = relu(graph_, convolution(graph_, gate, {.out = draw(1, 3)}));
    gate = sigmoid(graph_, convolution(graph_, gate, {.out = channel_count}));
    keep(channel_scale(graph_, src, gate));
  }

  // add(body(x), x) of one or two convolutions, also with the activation in front, where x itself is read once more.
  void grow_residual(Value src) {
    const int width = channels(graph_, src);
    const int kernel = is_global(src) ? 1 : 3;
    if (chance(50)) src = keep(convolution(graph_, src, {.out = width, .kernel = kernel}));
    Value body = src;
    if (chance(60)) body = keep(chance(50) ? relu(graph_, body) : silu(graph_, body));
    if (chance(50)) {
      body = keep(convolution(graph_, body, {.out = draw(1, options_.most_channels), .kernel = kernel}));
      if (chance(70)) body = keep(relu(graph_, body));
    }
    body = keep(convolution(graph_, body, {.out = width}));
    Value sum = keep(chance(50) ? add(graph_, std::array{src, body}) : add(graph_, std::array{body, src}));
    if (chance(30)) sum = keep(relu(graph_, sum));
    if (chance(30)) keep(concat(graph_, {sum, chance(50) ? src : body}));
  }

  void grow_once() {
    const Value src = pick();
    if (options_.residuals && chance(40)) return grow_residual(src);
    const auto numbers = result_.batch * size_of(src).height * size_of(src).width;
    switch (draw(1, 22)) {
      case 1:
      case 2:
      case 3:
      case 4: return grow_convolution(src);
      case 5: return grow_pool(pick_map(), true);
      case 6: return grow_pool(pick_map(), false);
      case 7:
      case 8:
      case 17: grow_activation(src); return;
      case 18: grow_transposed(pick_map()); return;
      case 19:
      case 20: grow_resize(pick_map()); return;
      case 21: grow_shared_or_frozen(src); return;
      case 9: keep(sigmoid(graph_, src)); return;
      case 10: keep(concat(graph_, pick_branches(src, false))); return;
      case 11:
      case 12: keep(add(graph_, pick_branches(src, true))); return;
      case 13: return grow_gate(pick_map());
      case 14: keep(global_average_pool(graph_, pick_map())); return;
      case 15:
        if (options_.batch_norm && numbers >= options_.norm_numbers) {
          keep(batch_norm(graph_, src, {.epsilon_billionths = chance(50) ? 10'000 : 10'000'000}));
        }
        return;
      default:
        if (options_.dropout) keep(dropout(graph_, src, {.percent = draw(0, 3) * 25}));
    }
  }

  // The newest value is the answer. Others that nobody reads are outputs too or stay dead; some that are read as well.
  void add_outputs() {
    std::vector<bool> read(graph_.values.size(), false);
    for (const Node& node : graph_.nodes) {
      for (int i = 0; i < node.inputs.count; ++i) read[static_cast<std::size_t>(input(graph_, node, i).id)] = true;
    }
    const int last = static_cast<int>(graph_.values.size()) - 1;
    for (int id = static_cast<int>(graph_.inputs.size()); id < last; ++id) {
      if (!chance(read[static_cast<std::size_t>(id)] ? 5 : 60)) continue;
      if (chance(50)) {
        add_output(graph_, "maps", Value{id});
      } else {
        add_output(graph_, "side_" + std::to_string(id), Value{id});
      }
    }
    add_output(graph_, "maps", Value{last});
  }

  RandomGraphOptions options_;
  RandomStream stream_;
  RandomGraph result_;
  Graph& graph_ = result_.graph;
  std::vector<Size> sizes_;
};

}  // namespace detail

/// A network with one or two inputs, one or more outputs, shared and dead values. Equal arguments give equal graphs.
inline RandomGraph random_graph(std::uint64_t seed, const RandomGraphOptions& options = {}) {
  return detail::GraphGrower(seed, options).grow();
}

}  // namespace posemachine::reference
