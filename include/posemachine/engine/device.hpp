// Where primitives run: an engine and what it can do.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/engine/activation.hpp>
#include <posemachine/engine/device_memory.hpp>
#include <posemachine/engine/dnnl_bridge.hpp>
#include <posemachine/schedule/capabilities.hpp>

#include <memory>
#include <utility>

namespace posemachine::inline POSEMACHINE_BUILD {

class KernelTable;

/// A oneDNN engine with its capabilities. Cheap to copy; safe to share between threads.
class Device {
 public:
  /// The processor.
  static const Device& cpu() {
    static const Device device{dnnl::engine(dnnl::engine::kind::cpu, 0)};
    return device;
  }

  /// The same device, held to some of what it can do, and computing in memory that the host may not touch, if there is
  /// any. What it cannot do does not become possible.
  Device with(const Capabilities& capabilities, std::shared_ptr<DeviceMemory> memory = {}) const {
    Device device = *this;
    device.capabilities_ = capabilities;
    device.memory_ = std::move(memory);
    if (device.memory_ != nullptr) {
      device.capabilities_.host_visible = false;
      device.capabilities_.weight_gates = false;  // multiplied by a loop of the host's
    }
    return device;
  }

  /// The same device, running operations as `kernels` says; null: as the library does.
  Device with(std::shared_ptr<const KernelTable> kernels) const {
    Device device = *this;
    device.kernels_ = std::move(kernels);
    return device;
  }

  const dnnl::engine& engine() const { return engine_; }

  /// Null: library_kernels().
  const KernelTable* kernels() const { return kernels_.get(); }

  /// Null: the host's.
  const std::shared_ptr<DeviceMemory>& memory() const { return memory_; }

  const Capabilities& capabilities() const { return capabilities_; }
  /// Channels that stand together in the blocked layout: 16 with AVX-512, 8 with AVX2. Asked, not assumed.
  int block() const { return capabilities_.channel_block; }

 private:
  explicit Device(dnnl::engine engine) : engine_(std::move(engine)) {
    using dnnl::memory;
    const auto any = [](const memory::dims& dims) {
      return memory::desc(dims, memory::data_type::f32, memory::format_tag::any);
    };
    const auto desc = make_desc<dnnl::convolution_forward>(
        engine_, dnnl::primitive_attr{}, dnnl::prop_kind::forward_training, dnnl::algorithm::convolution_direct,
        any({1, 32, 16, 16}), any({32, 32, 3, 3}), any({1, 32, 16, 16}), memory::dims{1, 1}, memory::dims{0, 0},
        memory::dims{1, 1}, memory::dims{1, 1});
    const int asked = is_empty(desc) ? 0 : block_size(desc.dst_desc());
    capabilities_ = processor_capabilities(asked == 8 || asked == 16 ? asked : 8);
    capabilities_.winograd = capabilities_.winograd && !dnnl_is_v3;
    capabilities_.has_post_op = detail::is_eltwise_post_op;
  }

  dnnl::engine engine_;
  Capabilities capabilities_;
  std::shared_ptr<DeviceMemory> memory_;
  std::shared_ptr<const KernelTable> kernels_;
};

}  // namespace posemachine::inline POSEMACHINE_BUILD
