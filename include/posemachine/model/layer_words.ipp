// The definitions of model/layer_words.hpp.
#pragma once

#include <posemachine/model/layer_words.hpp>

#include <posemachine/base/json.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/graph/build.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops.hpp>
#include <posemachine/layers/activation.hpp>
#include <posemachine/layers/branches.hpp>
#include <posemachine/layers/pooling.hpp>
#include <posemachine/layers/tags.hpp>
#include <posemachine/model/layer_fields.hpp>
#include <posemachine/modules/convolution_relu.hpp>
#include <posemachine/modules/dilation_module.hpp>
#include <posemachine/modules/fire.hpp>
#include <posemachine/modules/hourglass.hpp>
#include <posemachine/modules/pyramid_stack.hpp>
#include <posemachine/modules/residual.hpp>
#include <posemachine/modules/se_gate.hpp>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

inline constexpr std::int32_t most_channels = 65536;

inline constexpr std::int32_t most_repeats = 10'000;  // of a layer, as many as a graph may have nodes

template <class OptionStruct, class Member>
LayerField<OptionStruct> init_field(Member OptionStruct::* member) {
  return LayerFields<OptionStruct>::choice("init", member,
                                           {Choice<Init>{"he_normal", Init::he_normal},
                                            {"lecun_normal", Init::lecun_normal},
                                            {"fan_in_uniform", Init::fan_in_uniform},
                                            {"near_zero", Init::near_zero},
                                            {"zeros", Init::zeros},
                                            {"ones", Init::ones}});
}

template <class OptionStruct>
LayerField<OptionStruct> norm_field(Norm OptionStruct::* member) {
  return LayerFields<OptionStruct>::choice("norm", member, {Choice<Norm>{"none", Norm::none}, {"batch", Norm::batch}});
}

// Errors: ModelError that lists the tags a layer can see.
POSEMACHINE_INLINE void require_tag(Graph& graph, const std::string& name, bool wanted) {
  if ((find_tag(graph, intern(graph, name)) >= 0) == wanted) return;
  std::vector<std::string> visible;
  std::string list;
  for (const VisibleTag& tag : graph.tags) {
    visible.emplace_back(name_text(graph, tag.name));
    list += (list.empty() ? "" : ", ") + visible.back();
  }
  const std::string got = "\"" + excerpt(name) + "\"";
  if (!wanted) {
    fail<ModelError>({.expected = "a name that is not visible here", .got = got, .remedy = "Retag moves it"});
  }
  fail<ModelError>({.expected = list.empty() ? "a tag set before" : "a tag that is visible here: " + excerpt(list, 300),
                    .got = got,
                    .remedy = did_you_mean(name, visible)});
}

struct NameField {
  std::string name;
};

POSEMACHINE_INLINE void add_edge_words(LayerSet& words) {
  struct Options {
    std::string name;
    std::int32_t channels = 3;
    DataType type = DataType::f32;
  };
  using F = LayerFields<Options>;
  using N = LayerFields<NameField>;
  words.add_unscoped("Input",
                     {F::required(F::name("name", &Options::name)),
                      F::required(F::integer("channels", &Options::channels, input_options)),
                      F::choice<DataType, DataType>("type", &Options::type,
                                                    {{"f32", DataType::f32},
                                                     {"bf16", DataType::bf16},
                                                     {"f16", DataType::f16},
                                                     {"s8", DataType::s8},
                                                     {"u8", DataType::u8},
                                                     {"s32", DataType::s32}})},
                     [](Graph& graph, Value, const Options& o) {
                       for (const Port& port : graph.inputs) {
                         if (name_text(graph, port.name) != o.name) continue;
                         fail<ModelError>({.expected = "every input once", .got = "\"" + excerpt(o.name) + "\" again"});
                       }
                       return set_tag(graph, add_input(graph, o.name, o.channels, o.type), o.name);
                     });
  const auto name = N::required(N::name("name", &NameField::name));
  words.add_unscoped("Output", {name}, [](Graph& graph, Value src, const NameField& o) {
    add_output(graph, o.name, src);
    return src;
  });
  words.add_unscoped("Tag", {name}, [](Graph& graph, Value src, const NameField& o) {
    require_tag(graph, o.name, false);
    return set_tag(graph, src, o.name);
  });
  words.add_unscoped("Retag", {name},
                     [](Graph& graph, Value src, const NameField& o) { return move_tag(graph, src, o.name); });
  words.add_unscoped("From", {name}, [](Graph& graph, Value, const NameField& o) {
    require_tag(graph, o.name, true);
    return tagged_value(graph, o.name);
  });
}

template <class... Layers>
struct LayersByName {
  static void add_to(LayerSet& words) { (words.add<Layers>(), ...); }
};

POSEMACHINE_INLINE void add_activation_words(LayerSet& words) {
  PlainActivations<LayersByName>::add_to(words);
  words.add_unscoped("LeakyReLU",
                     {LayerFields<LeakyReluOptions>::integer("slope_millionths", &LeakyReluOptions::slope_millionths,
                                                             leaky_relu_options)},
                     [](Graph& graph, Value src, const LeakyReluOptions& o) { return leaky_relu(graph, src, o); });
  using S = LayerFields<SpatialSoftmaxOptions>;
  words.add_unscoped(
      "SpatialSoftmax", {S::integer("scale_percent", &SpatialSoftmaxOptions::scale_percent, spatial_softmax_options)},
      [](Graph& graph, Value src, const SpatialSoftmaxOptions& o) { return spatial_softmax(graph, src, o); });
  using D = LayerFields<DropoutOptions>;
  words.add_unscoped(
      "Dropout", {D::required(D::integer("percent", &DropoutOptions::percent, dropout_options))},
      [](Graph& graph, Value src, const DropoutOptions& o) { return o.percent == 0 ? src : dropout(graph, src, o); });
}

POSEMACHINE_INLINE void add_convolution_words(LayerSet& words) {
  using C = LayerFields<ConvolutionOptions>;
  using O = ConvolutionOptions;
  const auto kernel = C::required(C::integer("kernel", &O::kernel, convolution_options));
  const auto stride = C::integer("stride", &O::stride, convolution_options);
  const auto dilation = C::integer("dilation", &O::dilation, convolution_options);
  const auto padding = C::integer("padding", &O::padding, convolution_options);
  const auto bias = C::flag("bias", &O::bias);
  words.add_unscoped("Conv",
                     {C::required(C::integer("out", &O::out, convolution_options)), kernel, stride, dilation, padding,
                      bias, init_field(&O::init), C::integer("groups", &O::groups, convolution_options)},
                     [](Graph& graph, Value src, const O& o) { return convolution(graph, src, o); });
  words.add_unscoped("DepthwiseConv", {kernel, stride, dilation, padding, bias, init_field(&O::init)},
                     [](Graph& graph, Value src, const O& o) { return depthwise_convolution(graph, src, o); });
  using T = TransposedConvolutionOptions;
  using TF = LayerFields<T>;
  words.add_unscoped("TransposedConv",
                     {TF::required(TF::integer("out", &T::out, transposed_convolution_options)),
                      TF::required(TF::integer("kernel", &T::kernel, transposed_convolution_options)),
                      TF::integer("stride", &T::stride, transposed_convolution_options),
                      TF::integer("padding", &T::padding, transposed_convolution_options),
                      TF::integer("output_padding", &T::output_padding, transposed_convolution_options),
                      TF::flag("bias", &T::bias), init_field(&T::init)},
                     [](Graph& graph, Value src, const T& o) { return transposed_convolution(graph, src, o); });
  using B = BatchNormOptions;
  words.add_unscoped("BatchNorm",
                     {LayerFields<B>::integer("epsilon_billionths", &B::epsilon_billionths, batch_norm_options),
                      LayerFields<B>::integer("momentum_permille", &B::momentum_permille, batch_norm_options)},
                     [](Graph& graph, Value src, const B& o) { return batch_norm(graph, src, o); });
  struct Options : ConvolutionOptions {
    Norm norm = Norm::none;
  };
  using R = LayerFields<Options>;
  words.add_unscoped(
      "ConvReLU",
      {R::required(R::integer("out", &Options::out, convolution_options)),
       R::required(R::integer("kernel", &Options::kernel, convolution_options)), norm_field(&Options::norm)},
      [](Graph& graph, Value src, const Options& o) { return convolution_relu(graph, src, o, o.norm); });
}

POSEMACHINE_INLINE void add_size_words(LayerSet& words) {
  using P = LayerFields<PoolingOptions>;
  const std::initializer_list<LayerField<PoolingOptions>> pool{
      P::required(P::integer("window", &PoolingOptions::window, pool_options)),
      P::integer("stride", &PoolingOptions::stride, pool_options),
      P::integer("padding", &PoolingOptions::padding, pool_options), P::flag("ceil", &PoolingOptions::ceil)};
  words.add_unscoped("MaxPool", pool,
                     [](Graph& graph, Value src, const PoolingOptions& o) { return max_pool(graph, src, o); });
  words.add_unscoped("AveragePool", pool,
                     [](Graph& graph, Value src, const PoolingOptions& o) { return average_pool(graph, src, o); });
  words.add<GlobalAveragePool>();
  const auto scale = LayerFields<ResizeOptions>::integer("scale", &ResizeOptions::scale, resize_options);
  words.add_unscoped("Upsample", {scale},
                     [](Graph& graph, Value src, const ResizeOptions& o) { return resize_nearest(graph, src, o); });
  words.add_unscoped("UpsampleBilinear", {scale},
                     [](Graph& graph, Value src, const ResizeOptions& o) { return resize_bilinear(graph, src, o); });
}

// Layers made of layers.
struct NestedField {
  std::string name;
  std::int32_t count = 1;
  LayerFunction first;
  LayerFunction next;
  std::vector<LayerFunction> branches;
};

POSEMACHINE_INLINE std::vector<Value> lower_branches(Graph& graph, Value src,
                                                     const std::vector<LayerFunction>& branches) {
  std::vector<Value> values;
  for (const LayerFunction& branch : branches) values.push_back(lower_branch(graph, branch, src));
  return values;
}

POSEMACHINE_INLINE void add_structure_words(LayerSet& words) {
  using N = NestedField;
  using F = LayerFields<N>;
  const auto layers = F::required(F::layer("layers", &N::first));
  const auto name = F::required(F::block_name("name", &N::name));
  words.add<Identity>();
  words.add_unscoped("Sequential", {layers}, [](Graph& graph, Value src, const N& o) { return o.first(graph, src); });
  words.add_unscoped("Repeat", {F::required(F::integer("times", &N::count, 0, most_repeats)), layers},
                     [](Graph& graph, Value src, const N& o) {
                       for (std::int32_t i = 0; i < o.count; ++i) src = o.first(graph, src);
                       return src;
                     });
  words.add_unscoped("Stages",
                     {F::required(F::integer("count", &N::count, 1, most_repeats)),
                      F::required(F::layer("first", &N::first)), F::required(F::layer("next", &N::next))},
                     [](Graph& graph, Value src, const N& o) {
                       src = o.first(graph, src);
                       for (std::int32_t i = 1; i < o.count; ++i) src = o.next(graph, src);
                       return src;
                     });
  const auto branches = F::required(F::branches("branches", &N::branches));
  words.add_unscoped("Concat", {branches}, [](Graph& graph, Value src, const N& o) {
    return concat(graph, lower_branches(graph, src, o.branches));
  });
  words.add_unscoped("Add", {branches}, [](Graph& graph, Value src, const N& o) {
    return add(graph, lower_branches(graph, src, o.branches));
  });
  words.add_unscoped("Named", {name, layers},
                     [](Graph& graph, Value src, const N& o) { return in_block(graph, o.name, o.first, src); });
  words.add_unscoped("Shared", {name, layers}, [](Graph& graph, Value src, const N& o) {
    const auto block = [&](Graph& inside, Value value) { return in_block(inside, o.name, o.first, value); };
    return lower_shared(graph, o.name, block, src);
  });
  words.add_unscoped("Frozen", {layers},
                     [](Graph& graph, Value src, const N& o) { return lower_frozen(graph, o.first, src); });
  words.add("Residual", {F::required(F::layer("body", &N::first)), F::layer("shortcut", &N::next)},
            [](Graph& graph, Value src, const N& o) {
              const LayerFunction identity = [](Graph&, Value value) { return value; };
              return add(graph, lower_branches(graph, src, {o.first, o.next ? o.next : identity}));
            });
  words.add("Hourglass",
            {F::required(F::integer("depth", &N::count, 1, 16)), F::required(F::layer("block", &N::first))},
            [](Graph& graph, Value src, const N& o) { return hourglass(graph, src, o.count, o.first); });
}

POSEMACHINE_INLINE void add_module_words(LayerSet& words) {
  using Fire = FireOptions;
  using FF = LayerFields<Fire>;
  const std::initializer_list<LayerField<Fire>> fire_fields{FF::integer("squeeze", &Fire::squeeze, 1, most_channels),
                                                            FF::integer("expand", &Fire::expand, 1, most_channels),
                                                            norm_field(&Fire::norm)};
  words.add("Fire", fire_fields, fire);
  words.add("FireModule", fire_fields, fire_module);

  struct Dilation : Width {
    std::vector<std::int32_t> rates;
  };
  using DF = LayerFields<Dilation>;
  words.add("DilationModule",
            {DF::required(DF::integers("rates", &Dilation::rates, 1, 64, 64)),
             DF::integer("width", &Dilation::channels, 1, most_channels), norm_field<Dilation>(&Dilation::norm)},
            [](Graph& graph, Value src, const Dilation& o) { return dilation_module(graph, src, o.rates, o); });

  using GF = LayerFields<SEGateOptions>;
  words.add("SEGate", {GF::required(GF::integer("reduction", &SEGateOptions::reduction, 1, most_channels))}, se_gate);

  using PF = LayerFields<PyramidOptions>;
  words.add("PyramidStack",
            {PF::integer("kernel", &PyramidOptions::kernel, convolution_options), norm_field(&PyramidOptions::norm)},
            pyramid_stack);

  struct Block : ResidualOptions {
    std::int32_t out = 1;
  };
  using RF = LayerFields<Block>;
  const auto block_out = RF::required(RF::integer("out", &Block::out, 1, most_channels));
  const auto block_stride = RF::integer("stride", &Block::stride, convolution_options);
  words.add("ResidualBlock", {block_out, block_stride, norm_field<Block>(&Block::norm)},
            [](Graph& graph, Value src, const Block& o) { return residual_block(graph, src, o.out, o); });
  words.add("Bottleneck",
            {block_out, block_stride, RF::integer("reduction", &Block::reduction, 1, most_channels),
             norm_field<Block>(&Block::norm)},
            [](Graph& graph, Value src, const Block& o) { return bottleneck(graph, src, o.out, o); });

  struct Separable : SeparableOptions {
    std::int32_t out = 1;
  };
  using SF = LayerFields<Separable>;
  const auto out = SF::required(SF::integer("out", &Separable::out, 1, most_channels));
  const auto kernel = SF::integer("kernel", &Separable::kernel, convolution_options);
  const auto stride = SF::integer("stride", &Separable::stride, convolution_options);
  words.add("SeparableConv", {out, kernel, stride, norm_field<Separable>(&Separable::norm)},
            [](Graph& graph, Value src, const Separable& o) { return separable_convolution(graph, src, o.out, o); });
  words.add("InvertedResidual",
            {out, kernel, stride, SF::integer("expansion", &Separable::expansion, 1, 64),
             norm_field<Separable>(&Separable::norm)},
            [](Graph& graph, Value src, const Separable& o) { return inverted_residual(graph, src, o.out, o); });
}

}  // namespace detail

POSEMACHINE_INLINE LayerSet library_layers() {
  LayerSet words;
  detail::add_edge_words(words);
  detail::add_activation_words(words);
  detail::add_convolution_words(words);
  detail::add_size_words(words);
  detail::add_structure_words(words);
  detail::add_module_words(words);
  return words;
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
