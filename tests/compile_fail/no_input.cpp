// expect: a network begins with its inputs
// within: 5
#include <posemachine/compose.hpp>

using namespace posemachine;

#ifdef TWIN
struct Net : Network<Input<"image", 3>, Conv<8, 3>, Output<"heatmaps">> {};
#else
struct Net : Network<Conv<8, 3>, Output<"heatmaps">> {};
#endif
static_assert(sizeof(Net) > 0);
