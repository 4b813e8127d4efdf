// expect: From<tag>: no tag of this name is visible here
// expect: tag_unknown, 3, 2, 3,
// within: 5
#include <posemachine/compose.hpp>

using namespace posemachine;

#ifdef TWIN
using Again = From<"high">;
#else
using Again = From<"hihg">;
#endif
struct Net : Network<Input<"image", 3>, Conv<8, 3>, Tag<"high">, ReLU, Output<"low">, Again, Output<"heatmaps">> {};
static_assert(parameter_count<Net> == 224);
