// A network of more than 1,000 nodes, composed and its facts asked for, with every compiler's default limits.
#include <posemachine/compose.hpp>

using namespace posemachine;

// 20 nodes: a fire module has 14, the 1x1 convolution with its ReLU 2, two sums and two activations the rest.
struct Unit : Sequential<FireModule<>, Conv<128, 1>, ReLU, Add<Identity, Sigmoid>, Add<Identity, ReLU>> {};
struct Large : Network<Input<"image", 3>, Conv<128, 1>, Repeat<50, Unit>, Output<"heatmaps">> {};

static_assert(node_count<Large> >= 1000);
static_assert(parameter_count<Large> > 1'000'000);

int main() {}
