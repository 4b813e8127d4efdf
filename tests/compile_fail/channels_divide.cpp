// expect: channels must be divisible
// expect: channels_divide, 2, 10, 4,
// within: 5
#include <posemachine/compose.hpp>

using namespace posemachine;

#ifdef TWIN
using Gate = SEGate<5>;
#else
using Gate = SEGate<4>;
#endif
struct Net : Network<Input<"image", 3>, Conv<10, 1>, Gate, Output<"heatmaps">> {};
static_assert(stride<Net> == 1);
