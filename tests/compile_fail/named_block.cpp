// expect: values that are added must have the same channels
// expect: branch_channels, 2, 3, 5,
// expect: Layered<
// expect: Add<
// expect: MyStage>::mark
// within: 8
#include <posemachine/compose.hpp>

using namespace posemachine;

#ifdef TWIN
constexpr int out = 3;
#else
constexpr int out = 5;
#endif
struct MyBlock : Sequential<Add<Identity, Conv<out, 1>>> {};
struct MyStage : Sequential<MyBlock> {};
struct Net : Network<Input<"image", 3>, MyStage, Output<"heatmaps">> {};
static_assert(node_count<Net> == 3);
