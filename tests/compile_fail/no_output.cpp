// expect: a network needs at least one Output
// expect: output_missing, 2, 0, 2,
// within: 5
#include <posemachine/compose.hpp>

using namespace posemachine;

#ifdef TWIN
struct Net : Network<Input<"image", 3>, Conv<8, 3>, Output<"heatmaps">> {};
#else
struct Net : Network<Input<"image", 3>, Conv<8, 3>> {};
#endif
static_assert(parameter_count<Net> == 224);
