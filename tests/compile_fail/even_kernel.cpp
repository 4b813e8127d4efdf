// expect: an even kernel keeps the size only by an uneven padding
// expect: even_kernel, 1, 4, 1,
// expect: Layered<
// expect: Conv<8, 4
// within: 5
#include <posemachine/compose.hpp>

using namespace posemachine;

#ifdef TWIN
struct Net : Network<Input<"image", 3>, Conv<8, 4, ConvolutionOptions{.stride = 2}>, Output<"heatmaps">> {};
#else
struct Net : Network<Input<"image", 3>, Conv<8, 4>, Output<"heatmaps">> {};
#endif
static_assert(node_count<Net> == 2);
