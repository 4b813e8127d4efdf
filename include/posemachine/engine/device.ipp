// The definitions of engine/device.hpp.
#pragma once

#include <posemachine/engine/device.hpp>

#include <posemachine/engine/activation.hpp>
#include <posemachine/engine/dnnl_errors.hpp>

#include <utility>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

POSEMACHINE_INLINE const Device& Device::cpu() {
  static const Device device = detail::with_own_errors([] { return std::string("the processor"); },
                                                       [] { return Device(dnnl::engine(dnnl::engine::kind::cpu, 0)); });
  return device;
}

POSEMACHINE_INLINE Device Device::with(const schedule::Capabilities& capabilities,
                                       std::shared_ptr<DeviceMemory> memory) const {
  Device device = *this;
  device.capabilities_ = capabilities;
  device.memory_ = std::move(memory);
  if (device.memory_ != nullptr) {
    device.capabilities_.host_visible = false;
    device.capabilities_.weight_gates = false;  // multiplied by a loop of the host's
  }
  return device;
}

POSEMACHINE_INLINE Device Device::with(std::shared_ptr<const KernelTable> kernels) const {
  Device device = *this;
  device.kernels_ = std::move(kernels);
  return device;
}

POSEMACHINE_INLINE Device::Device(dnnl::engine engine) : engine_(std::move(engine)) {
  using dnnl::memory;
  const auto any = [](const memory::dims& dims) {
    return memory::desc(dims, memory::data_type::f32, memory::format_tag::any);
  };
  const auto desc = make_desc<dnnl::convolution_forward>(
      engine_, dnnl::primitive_attr{}, dnnl::prop_kind::forward_training, dnnl::algorithm::convolution_direct,
      any({1, 32, 16, 16}), any({32, 32, 3, 3}), any({1, 32, 16, 16}), memory::dims{1, 1}, memory::dims{0, 0},
      memory::dims{1, 1}, memory::dims{1, 1});
  const int asked = is_empty(desc) ? 0 : block_size(desc.dst_desc());
  capabilities_ = schedule::processor_capabilities(asked == 8 || asked == 16 ? asked : 8);
  capabilities_.winograd = capabilities_.winograd && !dnnl_is_v3;
  capabilities_.has_post_op = detail::is_eltwise_post_op;
}

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
