// expect: an option is outside its range
// expect: option_range, 1, 7, 0,
// within: 5
#include <posemachine/compose.hpp>

using namespace posemachine;

#ifdef TWIN
constexpr ConvolutionOptions options{.groups = 1};
#else
constexpr ConvolutionOptions options{.groups = 0};
#endif
struct Net : Network<Input<"image", 6>, Conv<12, 3, options>, Output<"heatmaps">> {};
static_assert(stride<Net> == 1);
