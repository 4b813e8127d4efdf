// expect: From<tag>: no tag of this name is visible here
// expect: tag_unknown, 6, 1, 6,
// within: 5
#include <posemachine/compose.hpp>

using namespace posemachine;

// A stage that also looks at a map of the person's centre.
struct Stage
    : Sequential<Concat<Identity, Sequential<From<"centre">, AveragePool<8>>>, Conv<15, 1>, Output<"heatmaps">> {};

#ifdef TWIN
struct Net : Network<Input<"image", 3>, Input<"centre", 1>, From<"image">, PyramidStack<>, MaxPool<4>, Stage> {};
#else
struct Net : Network<Input<"image", 3>, From<"image">, PyramidStack<>, MaxPool<4>, Stage> {};
#endif
static_assert(stride<Net> == 8);
