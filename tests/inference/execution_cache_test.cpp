// ExecutionCache: few executions, whatever the number of sizes.
#include "environment.hpp"

#include <posemachine/core/geometry.hpp>
#include <posemachine/engine/dnnl_bridge.hpp>
#include <posemachine/engine/execution.hpp>
#include <posemachine/engine/prepared_weights.hpp>
#include <posemachine/engine/primitive_cache.hpp>
#include <posemachine/graph/build.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops.hpp>
#include <posemachine/inference/execution_cache.hpp>
#include <posemachine/model/initialise.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <vector>

namespace execution_cache_test {

using namespace posemachine;
using namespace posemachine::engine;
using test_environment::resident_bytes;

namespace {

struct Cached {
  std::shared_ptr<const Graph> graph;
  std::shared_ptr<PreparedWeights> weights;
  int prepared = 0;
  ExecutionCache executions;

  explicit Cached(std::size_t capacity)
      : graph(make_graph()),
        weights(std::make_shared<PreparedWeights>(std::make_shared<const std::vector<Tensor>>(initialise(*graph, 1)))),
        executions(std::make_shared<ProgramCache>(graph), weights, {.capacity = capacity},
                   [this](Execution&, Size) { ++prepared; }) {}

  static std::shared_ptr<const Graph> make_graph() {
    Graph graph;
    const Value low = relu(graph, convolution(graph, add_input(graph, "image", 3), {.out = 16, .kernel = 3}));
    add_output(graph, "maps", convolution(graph, max_pool(graph, low, {.window = 2}), {.out = 4, .kernel = 3}));
    return std::make_shared<const Graph>(std::move(graph));
  }

  void run(Size size) {
    Execution& execution = executions.get(size);
    std::ranges::fill(execution.input("image"), 0.5F);
    execution.run();
  }
};

}  // namespace

TEST_CASE("ExecutionCache: the least recently used execution leaves, and each new one is prepared once") {
  Cached cache(2);
  for (const Size size : {Size{8, 8}, {8, 12}, {8, 8}, {12, 8}, {8, 8}, {8, 12}}) {
    CHECK(cache.executions.get(size).options().image == size);
  }
  CHECK(cache.prepared == 4);  // 8 x 12 left when 12 x 8 came, and was made again
  CHECK(cache.executions.size() == 2);
}

TEST_CASE("PrimitiveCacheBound: what the cache may hold is lowered, never raised, and is afterwards what it was") {
  const int before = dnnl::get_primitive_cache_capacity();
  dnnl::set_primitive_cache_capacity(300);
  {
    const PrimitiveCacheBound bound(100);
    CHECK(dnnl::get_primitive_cache_capacity() == 100);
    const PrimitiveCacheBound wider(200);
    CHECK(dnnl::get_primitive_cache_capacity() == 100);
  }
  CHECK(dnnl::get_primitive_cache_capacity() == 300);
  Cached(1).run({8, 8});
  CHECK(dnnl::get_primitive_cache_capacity() == 300);
  dnnl::set_primitive_cache_capacity(before);
}

TEST_CASE("ExecutionCache: 2,000 sizes leave memory where 500 have brought it") {
  Cached cache(4);
  int count = 0;
  double after_500 = 0;
  while (count < 2000) {
    for (int height = 8; height < 8 + 2 * 25 && count < 2000; height += 2) {
      for (int width = 8; width < 8 + 2 * 20 && count < 2000; width += 2, ++count) {
        // 500 sizes, each pass of them moved by one pixel: all are different, none is larger than those before.
        cache.run({height + count / 500 % 2, width + count / 1000});
        if (count == 499) after_500 = resident_bytes();
      }
    }
  }
  CHECK(cache.prepared == 2000);
  CHECK(cache.executions.size() == 4);
  constexpr double most = test_environment::is_sanitized ? 1e9 : 8e6;  // sanitizers keep what was freed
  CHECK(resident_bytes() - after_500 < most);
}

}  // namespace execution_cache_test
