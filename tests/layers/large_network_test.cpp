// A network of 1,000 nodes compiles with every compiler's default limits.
#include <posemachine/compose.hpp>

#include <doctest/doctest.h>

namespace large_network_test {

using namespace posemachine;

namespace {

// 20 nodes: a fire module has 14, the 1x1 convolution with its ReLU 2, two sums and two activations the rest.
struct Unit : Sequential<FireModule<>, Conv<128, 1>, ReLU, Add<Identity, Sigmoid>, Add<Identity, ReLU>> {};
struct Large : Network<Input<"image", 3>, Conv<128, 1>, Repeat<50, Unit>, Output<"heatmaps">> {};

}  // namespace

static_assert(node_count<Large> >= 1000);

TEST_CASE("a network of 1,000 nodes: compile-time parameters equal those of the graph built at run time") {
  CHECK(parameter_count<Large> == count_parameters(graph_of<Large>()));
  CHECK(receptive_field<Large> == 1 + 50 * 4);
}

}  // namespace large_network_test
