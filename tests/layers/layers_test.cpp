// Layer types: glue and blocks, tags, branches, names.
#include <posemachine/compose.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <vector>

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

struct Head : Conv<5, 1, ConvOptions{.bias = false}> {};
struct Body : Sequential<Conv<4, 3, ConvOptions{.bias = false}>, ReLU> {};
struct QuietBody : Sequential<ReLU, Conv<4, 3, ConvOptions{.bias = false}>, ReLU, Sigmoid> {};
template <class L>
struct Wrapped : Sequential<L> {};

using Plain = Conv<2, 1, ConvOptions{.bias = false}>;

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
