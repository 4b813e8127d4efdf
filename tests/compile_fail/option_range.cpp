// expect: an option is outside its range
// expect: option_range, 1, 1, 99,
// within: 5
#include <posemachine/compose.hpp>

using namespace posemachine;

#ifdef TWIN
struct Net : Network<Input<"image", 3>, Conv<8, 9>, Output<"heatmaps">> {};
#else
struct Net : Network<Input<"image", 3>, Conv<8, 99>, Output<"heatmaps">> {};
#endif
static_assert(stride<Net> == 1);
