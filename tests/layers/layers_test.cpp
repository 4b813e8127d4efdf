// Layer types: with and without a scope of names, tags, branches, names.
#include <posemachine/compose.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <vector>

namespace layers_test {

using namespace posemachine;

namespace {

std::vector<std::string> names_of(const Graph& graph) {
  std::vector<std::string> names;
  for (std::size_t id = 0; id < graph.parameters.size(); ++id)
    names.push_back(parameter_name(graph, static_cast<int>(id)));
  return names;
}

template <class... Layers>
std::vector<std::string> parameter_names() {
  return names_of(graph_of<Network<Input<"image", 3>, Layers..., Output<"out">>>());
}

using Names = std::vector<std::string>;

struct Head : Conv<5, 1, ConvolutionOptions{.bias = false}> {};
struct Body : Sequential<Conv<4, 3, ConvolutionOptions{.bias = false}>, ReLU> {};
struct QuietBody : Sequential<ReLU, Conv<4, 3, ConvolutionOptions{.bias = false}>, ReLU, Sigmoid> {};
template <class L>
struct Wrapped : Sequential<L> {};

using Plain = Conv<2, 1, ConvolutionOptions{.bias = false}>;

}  // namespace

TEST_CASE("layers: Sequential, Concat and Add written in place add no level to the names") {
  CHECK(parameter_names<Sequential<Plain, Sequential<Plain>>>() == Names{"Conv_1.weights", "Conv_2.weights"});
  CHECK(parameter_names<Concat<Plain, Identity>>() == Names{"Conv_1.weights"});
  CHECK(parameter_names<Add<Plain, Plain>>() == Names{"Conv_1.weights", "Conv_2.weights"});
  CHECK(parameter_names<Repeat<2, Plain>>() == Names{"Conv_1.weights", "Conv_2.weights"});
}

TEST_CASE("layers: a struct derived from a layer is a block of the struct's name") {
  CHECK(parameter_names<Body, Head>() == Names{"Body_1.Conv_1.weights", "Head_1.Conv_1.weights"});
  CHECK(parameter_names<Repeat<2, Body>>() == Names{"Body_1.Conv_1.weights", "Body_2.Conv_1.weights"});
  CHECK(parameter_names<Wrapped<Body>>() == Names{"Wrapped_1.Body_1.Conv_1.weights"});
}

TEST_CASE("layers: layers without parameters rename nothing") {
  struct Loud : Sequential<ReLU> {};
  CHECK(parameter_names<Body, ReLU, Loud, Body>() == parameter_names<Body, Body>());
  CHECK(parameter_names<QuietBody>() == Names{"QuietBody_1.Conv_1.weights"});
}

TEST_CASE("layers: Named sets a block's name, with an ordinal among its siblings") {
  CHECK(parameter_names<Named<"head", Plain>, Named<"head", Plain>>() ==
        Names{"head_1.Conv_1.weights", "head_2.Conv_1.weights"});
}

TEST_CASE("tags: From goes on from the tagged value, Retag moves a tag") {
  using Net = Network<Input<"image", 3>, Tag<"a">, MaxPool<2>, Retag<"a">, MaxPool<2>, From<"a">, Output<"out">>;
  static_assert(stride<Net> == 2);
  using Untouched = Network<Input<"image", 3>, Tag<"a">, MaxPool<2>, From<"a">, Output<"out">>;
  static_assert(stride<Untouched> == 1);
  using FromInput = Network<Input<"image", 3>, MaxPool<4>, From<"image">, Output<"out">>;
  CHECK(stride<FromInput> == 1);
}

TEST_CASE("tags: what a branch sets or moves ends with the branch, what a block sets stays") {
  using Moved = Network<Input<"image", 3>, Tag<"a">,
                        Concat<Identity, Sequential<MaxPool<2>, Retag<"a">, From<"image">>>, From<"a">, Output<"out">>;
  static_assert(stride<Moved> == 1);
  // The same name in two branches is no repetition: the first ended.
  using Twice =
      Network<Input<"image", 3>, Concat<Sequential<ReLU, Tag<"x">>, Sequential<ReLU, Tag<"x">>>, Output<"out">>;
  static_assert(network_facts<Twice>.broken.rule == Rule::none);
  struct Sets : Sequential<MaxPool<2>, Tag<"inside">> {};
  using Stays = Network<Input<"image", 3>, Sets, From<"image">, From<"inside">, Output<"out">>;
  CHECK(stride<Stays> == 2);
}

TEST_CASE("queries: broken rules are recorded with node and figures in a constant evaluation") {
  constexpr Broken tag = network_facts<Network<Input<"image", 3>, From<"nowhere">, Output<"out">>>.broken;
  static_assert(tag.rule == Rule::tag_unknown);
  constexpr Broken repeated = network_facts<Network<Input<"image", 3>, Tag<"a">, ReLU, Tag<"a">, Output<"out">>>.broken;
  static_assert(repeated.rule == Rule::tag_repeated);
  constexpr Broken strides =
      network_facts<Network<Input<"image", 3>, Concat<Identity, MaxPool<4>>, Output<"out">>>.broken;
  static_assert(strides.rule == Rule::branch_strides && strides.first == 1 && strides.second == 4);
  constexpr Broken added = network_facts<Network<Input<"image", 3>, Add<Identity, Conv<5, 1>>, Output<"out">>>.broken;
  static_assert(added.rule == Rule::branch_channels && added.first == 3 && added.second == 5);
  constexpr Broken gate = network_facts<Network<Input<"image", 3>, Conv<10, 1>, SEGate<4>, Output<"out">>>.broken;
  static_assert(gate.rule == Rule::channels_divide && gate.first == 10 && gate.second == 4);
  constexpr Broken missing = network_facts<Network<Input<"image", 3>, ReLU>>.broken;
  static_assert(missing.rule == Rule::output_missing);
  constexpr Broken range = network_facts<Network<Input<"image", 3>, Conv<8, 99>, Output<"out">>>.broken;
  static_assert(range.rule == Rule::option_range && range.second == 99);
  CHECK(strides.node == 2);  // input, pool, and the concat that would be node 2
}

TEST_CASE("queries: at run time the same rules throw and name the block") {
  struct Narrow : Sequential<Conv<10, 1>, SEGate<4>> {};
  using Net = Network<Input<"image", 3>, Narrow, Output<"out">>;
  std::string text;
  try {
    static_cast<void>(graph_of<Net>());
  } catch (const ModelError& error) {
    text = error.what();
  }
  for (const char* part : {"Narrow", "channels must be divisible", "channels 10", "divisor 4"}) {
    CHECK_MESSAGE(text.find(part) != std::string::npos, text);
  }
}

TEST_CASE("Dropout: a share of 0 adds no node") {
  using Without = Network<Input<"image", 3>, Dropout<Percent{0}>, Output<"out">>;
  using With = Network<Input<"image", 3>, Dropout<Percent{30}>, Output<"out">>;
  static_assert(node_count<Without> == 1 && node_count<With> == 2);
  CHECK(unpack<DropoutOptions>(graph_of<With>().nodes[1].options).percent == 30);
}

namespace {
struct Refine : Sequential<Conv<5, 3>, ReLU> {};
struct SharedTwice
    : Network<Input<"image", 5>, Shared<"refine", Refine>, Conv<5, 1>, Shared<"refine", Refine>, Output<"out">> {};
struct SharedWrong
    : Network<Input<"image", 5>, Shared<"refine", Conv<7, 1>>, Shared<"refine", Conv<7, 1>>, Output<"out">> {};
struct SharedShort : Network<Input<"image", 5>, Shared<"refine", Sequential<Conv<5, 1>, Conv<5, 1>>>,
                             Shared<"refine", Conv<5, 1>>, Output<"out">> {};
struct SharedInside
    : Network<Input<"image", 4>, Shared<"outer", Sequential<Conv<4, 1>, Shared<"inner", Conv<4, 3>>, Conv<4, 1>>>,
              Shared<"outer", Sequential<Conv<4, 1>, Shared<"inner", Conv<4, 3>>, Conv<4, 1>>>,
              Shared<"inner", Conv<4, 3>>, Output<"out">> {};
struct HalfFrozen : Network<Input<"image", 3>, Frozen<Sequential<Conv<8, 3>, BatchNorm<>>>, Conv<2, 1>, Output<"out">> {
};
struct Staged : Network<Input<"image", 3>, Tag<"features">,
                        Stages<3, Sequential<Conv<2, 1>, Output<"maps">>,
                               Sequential<Concat<Identity, From<"features">>, Conv<2, 1>, Output<"maps">>>> {};
}  // namespace

TEST_CASE("Shared: later uses have the first one's parameters and names, and add none") {
  static_assert(parameter_count<SharedTwice> == 5 * 5 * 9 + 5 + 5 * 5 + 5);
  const Graph graph = graph_of<SharedTwice>();
  REQUIRE(graph.parameters.size() == 4);
  CHECK(parameter_name(graph, 0) == "refine_1.Refine_1.Conv_1.weights");
  CHECK(parameter_name(graph, 2) == "Conv_1.weights");
  CHECK(parameter_id(graph, graph.nodes[1], 0) == 0);
  CHECK(parameter_id(graph, graph.nodes[4], 0) == 0);
  CHECK(parameter_id(graph, graph.nodes[4], 1) == 1);
  const Graph nested = graph_of<SharedInside>();
  CHECK(nested.parameters.size() == 6);
  CHECK(parameter_id(nested, nested.nodes[5], 0) == 2);  // the inner one's, used again inside and beside the outer
  CHECK(parameter_id(nested, nested.nodes[6], 0) == 4);
  CHECK(parameter_id(nested, nested.nodes[7], 0) == 2);
}

TEST_CASE("Shared: a use that needs other shapes, or fewer parameters, breaks a rule") {
  CHECK(network_facts<SharedWrong>.broken.rule == Rule::shared_shape);
  CHECK(network_facts<SharedWrong>.broken.first == 35);   // elements it has
  CHECK(network_facts<SharedWrong>.broken.second == 49);  // elements needed
  CHECK(network_facts<SharedShort>.broken.rule == Rule::shared_shape);
  CHECK_THROWS_WITH_AS(static_cast<void>(graph_of<SharedWrong>()),
                       doctest::Contains("a shared block is used on values of other channels"), ModelError);
}

TEST_CASE("Frozen: its parameters are kept but not learnt, those after it are") {
  static_assert(parameter_count<HalfFrozen> == 8 * 2 + 2);
  const Graph graph = graph_of<HalfFrozen>();
  for (std::size_t id = 0; id < graph.parameters.size(); ++id) {
    const std::string name = parameter_name(graph, static_cast<int>(id));
    CHECK(graph.parameters[id].trainable == (name.starts_with("Conv_2")));
  }
  const Graph training = differentiate(graph);
  int backward = 0;
  for (const Node& node : training.nodes) backward += node.forward >= 0 ? 1 : 0;
  CHECK(backward == 1);  // the last convolution's weights: nothing before it is learnt
}

TEST_CASE("Stages: one after another, each an output of the same series; keep_stages cuts behind one of them") {
  const Graph whole = graph_of<Staged>();
  REQUIRE(whole.outputs.size() == 3);
  CHECK(output_name(whole, 1) == "maps_stage_2");
  Graph cut = whole;
  std::vector<Tensor> none;
  keep_stages(cut, none, 2);
  REQUIRE(cut.outputs.size() == 2);
  CHECK(output_name(cut, 1) == "maps");
  CHECK(cut.parameters.size() == 4);
  CHECK(cut.nodes.size() == 4);  // input, convolution, concat, convolution
  for (const int count : {0, 4, -1}) CHECK_THROWS_AS(keep_stages(cut, none, count), UsageError);
}

TEST_CASE("layers: groups, transposed convolutions and resizes have the strides and fields computed by hand") {
  struct Up : Network<Input<"image", 4>, MaxPool<2>, Conv<8, 3, ConvolutionOptions{.groups = 4}>, DepthwiseConv<3>,
                      TransposedConv<6, 4>, Output<"out">> {};
  static_assert(parameter_count<Up> == 8 * 1 * 9 + 8 + 8 * 9 + 8 + 6 * 8 * 16 + 6);
  static_assert(stride<Up> == 1);
  static_assert(receptive_field<Up> == 2 + 4 + 4 + 2);  // a dst cell of kernel 4, stride 2 sees two cells
  struct Finer : Network<Input<"image", 1>, Upsample<3>, Output<"out">> {};
  const Graph finer = graph_of<Finer>();
  CHECK((stride_of(finer, answer(finer)) == Stride{1, 3, false}));
  struct Deep : Network<Input<"image", 1>, Upsample<16>, Upsample<16>, Upsample<2>, Output<"out">> {};
  CHECK(network_facts<Deep>.broken.rule == Rule::scale_limit);
  struct Odd : Network<Input<"image", 6>, Conv<6, 3, ConvolutionOptions{.groups = 4}>, Output<"out">> {};
  CHECK(network_facts<Odd>.broken.rule == Rule::channels_divide);
}

}  // namespace layers_test
