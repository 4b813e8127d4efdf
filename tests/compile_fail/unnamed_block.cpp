// expect: give the block a name
#include <posemachine/compose.hpp>

using namespace posemachine;

#ifdef TWIN
struct Block {
  static constexpr Value lower(Graph& graph, Value src) { return convolution(graph, src, {.out = 2}); }
};
#else
inline const auto lambda = [] {};
struct Lower {
  static constexpr Value lower(Graph& graph, Value src) { return convolution(graph, src, {.out = 2}); }
};
using Block = decltype([] {});
#endif
Value use(Graph& graph, Value src) {
#ifdef TWIN
  return apply<Block>(graph, src);
#else
  static_cast<void>(identifier<Block>);
  return src;
#endif
}
