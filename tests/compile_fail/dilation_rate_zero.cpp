// expect: dilation rates count from 1
// expect: dilation_rate, 1, 1, 0,
// within: 5
#include <posemachine/compose.hpp>

using namespace posemachine;

#ifdef TWIN
using Module = DilationModule<1, 2>;
#else
using Module = DilationModule<0, 2>;
#endif
struct Net : Network<Input<"image", 3>, Module, Output<"heatmaps">> {};
static_assert(node_count<Net> >= 1);
