// expect: values that are added must have the same channels
// expect: branch_channels, 2, 3, 5,
// within: 5
#include <posemachine/compose.hpp>

using namespace posemachine;

#ifdef TWIN
struct Net : Network<Input<"image", 3>, Add<Identity, Conv<3, 1>>, Output<"heatmaps">> {};
#else
struct Net : Network<Input<"image", 3>, Add<Identity, Conv<5, 1>>, Output<"heatmaps">> {};
#endif
static_assert(node_count<Net> == 3);
