// expect: the name is visible already
// expect: tag_repeated, 2, 2, 2,
// within: 5
#include <posemachine/compose.hpp>

using namespace posemachine;

#ifdef TWIN
using Second = Retag<"high">;
#else
using Second = Tag<"high">;
#endif
struct Net : Network<Input<"image", 3>, Tag<"high">, ReLU, Second, Output<"heatmaps">> {};
static_assert(node_count<Net> == 2);
