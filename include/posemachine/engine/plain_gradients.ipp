// The definitions of engine/plain_gradients.hpp.
#pragma once

#include <posemachine/engine/plain_gradients.hpp>

#include <posemachine/engine/device.hpp>
#include <posemachine/engine/dnnl_bridge.hpp>
#include <posemachine/engine/gradient_layout.hpp>
#include <posemachine/engine/prepared_weights.hpp>
#include <posemachine/engine/reorder.hpp>
#include <posemachine/engine/thread_limit.hpp>

#include <cstddef>
#include <mutex>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

namespace detail {

POSEMACHINE_INLINE std::vector<std::vector<float>> plain_gradients(const Execution& execution) {
  std::vector<std::vector<float>> all;
  const dnnl::engine& engine = Device::cpu().engine();
  dnnl::stream stream(engine);
  for (std::size_t id = 0; id < execution.graph().parameters.size(); ++id) {
    std::vector<float>& plain = all.emplace_back(static_cast<std::size_t>(execution.graph().parameters[id].size()));
    const GradientLayout::Entry& entry = execution.gradient_layout().entries[id];
    if (!entry.written) continue;
    // oneDNN takes void*, but a reorder does not write its source.
    auto* slice = const_cast<float*>(execution.gradients().data()) + entry.offset;
    const std::scoped_lock lock(creation_mutex());
    const dnnl::memory to(plain_desc(dims_of(entry.desc)), engine, plain.data());
    Reorder(dnnl::memory(entry.desc, engine, slice), to).run(stream);
    stream.wait();
  }
  return all;
}

}  // namespace detail

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
