// A warm run allocates nothing and takes no lock, apart from what oneDNN does inside its own calls. Counted by standing
// in front of operator new and pthread_mutex_lock; oneDNN's calls are wrapped, to be left out.
#include "reference/fill.hpp"
#include "reference/random_graph.hpp"

#include <posemachine/engine/execution.hpp>
#include <posemachine/graph/differentiate.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/passes/for_inference.hpp>
#include <posemachine/model/initialise.hpp>
#include <posemachine/networks/registry.hpp>

#include <doctest/doctest.h>

#include <dlfcn.h>
#include <pthread.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <utility>
#include <vector>

namespace {

thread_local bool counting = false;
thread_local int allocations = 0;
thread_local int locks = 0;

// What happens while it lives is not counted.
struct Uncounted {
  bool before = std::exchange(counting, false);
  Uncounted() = default;
  ~Uncounted() { counting = before; }
  Uncounted(const Uncounted&) = delete;
  Uncounted& operator=(const Uncounted&) = delete;
};

template <class Function>
Function* next_of(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

// Neither is inlined: GCC 12 would warn that what came from new goes to free.
[[gnu::noinline]] void* allocate(std::size_t bytes, std::size_t alignment) {
  if (counting) ++allocations;
  const std::size_t rounded = (bytes + alignment - 1) / alignment * alignment;
  void* memory = std::aligned_alloc(alignment, rounded > 0 ? rounded : alignment);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

[[gnu::noinline]] void release(void* memory) { std::free(memory); }

}  // namespace

void* operator new(std::size_t bytes) { return allocate(bytes, alignof(std::max_align_t)); }
void* operator new[](std::size_t bytes) { return allocate(bytes, alignof(std::max_align_t)); }
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return allocate(bytes, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t bytes, std::align_val_t alignment) {
  return allocate(bytes, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { release(memory); }
void operator delete[](void* memory) noexcept { release(memory); }
void operator delete(void* memory, std::size_t) noexcept { release(memory); }
void operator delete[](void* memory, std::size_t) noexcept { release(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { release(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { release(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { release(memory); }
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept { release(memory); }

extern "C" {

int pthread_mutex_lock(pthread_mutex_t* mutex) noexcept {
  static auto* const real = next_of<int(pthread_mutex_t*)>("pthread_mutex_lock");
  if (counting) ++locks;
  return real(mutex);
}

dnnl_status_t dnnl_primitive_execute(const_dnnl_primitive_t primitive, dnnl_stream_t stream, int count,
                                     const dnnl_exec_arg_t* arguments) {
  const Uncounted uncounted;
  static auto* const real = next_of<decltype(dnnl_primitive_execute)>("dnnl_primitive_execute");
  return real(primitive, stream, count, arguments);
}

dnnl_status_t dnnl_stream_wait(dnnl_stream_t stream) {
  const Uncounted uncounted;
  static auto* const real = next_of<decltype(dnnl_stream_wait)>("dnnl_stream_wait");
  return real(stream);
}

}  // extern "C"

using namespace posemachine;
using namespace posemachine::schedule;
using namespace posemachine::engine;

namespace {

struct Counts {
  int allocations = 0;
  int locks = 0;
};

Counts count_warm_run(Execution& execution) {
  for (int i = 0; i < 2; ++i) execution.run();
  allocations = locks = 0;
  counting = true;
  execution.run();
  counting = false;
  return {allocations, locks};
}

std::shared_ptr<PreparedWeights> weights_of(std::vector<Tensor> parameters) {
  return std::make_shared<PreparedWeights>(std::make_shared<const std::vector<Tensor>>(std::move(parameters)));
}

}  // namespace

TEST_CASE("warm run: the counters count") {
  allocations = locks = 0;
  counting = true;
  auto* number = new int(3);
  delete number;
  std::vector<double> numbers(5);
  static_cast<void>(numbers.data());
  std::mutex mutex;
  mutex.lock();
  mutex.unlock();
  const int* volatile kept = std::make_unique<int>(2).release();
  delete kept;
  counting = false;
  CHECK(allocations >= 2);  // compilers may leave out what nobody looks at
  CHECK(locks == 1);
}

TEST_CASE("warm run: named networks run without an allocation or a lock") {
  for (const NamedNetwork& network : networks) {
    if (network.name == "cpm-6") continue;  // cpm-3 with more of the same
    CAPTURE(std::string(network.name));
    Graph graph = network.build();
    std::vector<Tensor> parameters = initialise(graph, 1);
    prepare_for_inference(graph, parameters);
    ProgramOptions options;
    options.image = {64, 64};
    for (const int threads : {1, 2}) {
      options.threads = threads;
      Execution execution(graph, weights_of(parameters), options);
      const Counts counts = count_warm_run(execution);
      CHECK(counts.allocations == 0);
      CHECK(counts.locks == 0);
    }
  }
}

TEST_CASE("warm run: random networks too, forward alone and with gradients") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    const auto random = reference::random_graph(seed, {.steps = 16});
    const Graph training = differentiate(random.graph);
    for (const Graph* graph : {&random.graph, &training}) {
      ProgramOptions options;
      options.image = random.image;
      options.batch = random.batch;
      options.mode = graph == &training ? Mode::training : Mode::inference;
      Execution execution(*graph, weights_of(initialise(*graph, 1)), options);
      const Counts counts = count_warm_run(execution);
      CHECK(counts.allocations == 0);
      CHECK(counts.locks == 0);
    }
  }
}
