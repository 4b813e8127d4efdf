// expect: channels must be divisible
// expect: channels_divide, 1, 6, 4,
// within: 5
#include <posemachine/compose.hpp>

using namespace posemachine;

#ifdef TWIN
constexpr ConvolutionOptions options{.groups = 3};
#else
constexpr ConvolutionOptions options{.groups = 4};
#endif
struct Net : Network<Input<"image", 6>, Conv<12, 3, options>, Output<"heatmaps">> {};
static_assert(stride<Net> == 1);
