// expect: branches that meet must have the same stride
// expect: branch_strides, 2, 1, 4,
// within: 5
#include <posemachine/compose.hpp>

using namespace posemachine;

#ifdef TWIN
using Branch = ReLU;
#else
using Branch = MaxPool<4>;
#endif
struct Net : Network<Input<"image", 3>, Concat<Identity, Branch>, Output<"heatmaps">> {};
static_assert(node_count<Net> == 3);
