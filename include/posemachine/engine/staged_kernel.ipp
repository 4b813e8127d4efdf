// The definitions of engine/staged_kernel.hpp.
#pragma once

#include <posemachine/engine/staged_kernel.hpp>

#include <algorithm>
#include <cstdint>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

namespace detail {

POSEMACHINE_INLINE StagedKernel::StagedKernel(std::unique_ptr<Kernel> kernel, const schedule::Schedule& schedule,
                                              const schedule::Step& step)
    : kernel_(std::move(kernel)), dst_(step.dst) {
  step.for_each_read([&](int value) {
    if (std::find(values_.begin(), values_.end(), value) == values_.end()) values_.push_back(value);
  });
  // dst too: other values may stand in it, which a concat does not write.
  if (dst_ >= 0 && std::find(values_.begin(), values_.end(), dst_) == values_.end()) values_.push_back(dst_);
  implementation = kernel_->implementation;
  workspace_bytes = kernel_->workspace_bytes;
  moved_bytes = kernel_->moved_bytes;
  for (const int value : values_) {
    const auto bytes = static_cast<std::int64_t>(schedule.value(value).bytes());
    moved_bytes += value == dst_ ? 4 * bytes : 2 * bytes;
  }
}

POSEMACHINE_INLINE std::unique_ptr<BoundKernel> StagedKernel::bind(const Binding& binding) const {
  auto bound = std::make_unique<Bound>(*binding.device->memory());
  std::vector<std::pair<int, std::byte*>> staged;
  for (const int value : values_) {
    const std::size_t bytes = binding.schedule->value(value).bytes();
    bound->maps.push_back({binding.value(value), make_aligned<std::byte>(bytes), bytes, value == dst_});
    staged.emplace_back(value, bound->maps.back().host.get());
  }
  bound->scratch = make_aligned<std::byte>(kernel_->scratch_bytes);
  std::vector<std::pair<dnnl::memory, int>> gradients;
  Binding host = binding;
  host.staged = &staged;
  host.scratch = bound->scratch.get();
  host.gradient_memories = &gradients;
  bound->kernel = kernel_->bind(host);
  for (const auto& [memory, parameter] : gradients) {
    const std::size_t bytes = memory.get_desc().get_size();
    dnnl::memory on_device(memory.get_desc(), binding.device->engine(), nullptr);
    binding.gradient_memories->push_back({on_device, parameter});
    bound->gradients.push_back({on_device, make_aligned<std::byte>(bytes), bytes});
    memory.set_data_handle(bound->gradients.back().host.get());
  }
  return bound;
}

POSEMACHINE_INLINE void StagedKernel::Bound::run(dnnl::stream& stream, const RandomKey& key) {
  stream.wait();
  for (Map& map : maps) memory.copy_to_host(map.host.get(), map.device, map.bytes);
  for (Gradient& each : gradients) memory.copy_to_host(each.host.get(), each.data(), each.bytes);
  kernel->run(stream, key);
  for (Map& map : maps) {
    if (map.written) memory.copy_to_device(map.device, map.host.get(), map.bytes);
  }
  for (Gradient& each : gradients) memory.copy_to_device(each.data(), each.host.get(), each.bytes);
}

POSEMACHINE_INLINE void AnnouncedKernel::run(dnnl::stream& stream, const RandomKey& key) {
  const KernelScope scope(&memory);
  kernel->run(stream, key);
  stream.wait();
}

}  // namespace detail

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
