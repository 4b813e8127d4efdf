// Where a training step's results lie: the gradients of one slice in one block of memory.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/engine/dnnl_bridge.hpp>
#include <posemachine/graph/graph.hpp>

#include <cstddef>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

/// One slice's results: for a trainable parameter its gradient, in the layout its primitive writes; for a buffer the
/// statistic of the slice (batch norm's mean and biased variance). Offsets are in floats and multiples of 16.
struct GradientLayout {
  struct Entry {
    dnnl::memory::desc desc;  // zero where no node writes it
    std::size_t offset = 0;
    bool written = false;
  };
  std::vector<Entry> entries;  // by parameter id
  std::size_t floats = 0;
};

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
