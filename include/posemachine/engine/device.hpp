// Where primitives run: an engine and what it can do.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/engine/device_memory.hpp>
#include <posemachine/engine/dnnl_bridge.hpp>
#include <posemachine/schedule/capabilities.hpp>

#include <memory>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

class KernelTable;

/// A oneDNN engine with its capabilities. Cheap to copy; safe to share between threads.
class Device {
 public:
  /// The processor.
  static const Device& cpu();

  /// The same device, held to some of what it can do, and computing in memory that the host may not touch, if there is
  /// any. What it cannot do does not become possible.
  Device with(const schedule::Capabilities& capabilities, std::shared_ptr<DeviceMemory> memory = {}) const;

  /// The same device, running operations as `kernels` says; null: as the library does.
  Device with(std::shared_ptr<const KernelTable> kernels) const;

  const dnnl::engine& engine() const { return engine_; }

  /// Null: library_kernels().
  const KernelTable* kernels() const { return kernels_.get(); }

  /// Null: the host's.
  const std::shared_ptr<DeviceMemory>& memory() const { return memory_; }

  const schedule::Capabilities& capabilities() const { return capabilities_; }
  /// Channels that stand together in the blocked layout: 16 with AVX-512, 8 with AVX2. Asked, not assumed.
  int block() const { return capabilities_.channel_block; }

 private:
  explicit Device(dnnl::engine engine);

  dnnl::engine engine_;
  schedule::Capabilities capabilities_;
  std::shared_ptr<DeviceMemory> memory_;
  std::shared_ptr<const KernelTable> kernels_;
};

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/engine/device.ipp>
#endif
