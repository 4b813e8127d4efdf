// Kernels on a device whose memory the host may not touch: loops of our own work on copies, the device's own are
// announced.
#pragma once

#include <posemachine/base/aligned_memory.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/engine/device_memory.hpp>
#include <posemachine/engine/dnnl_bridge.hpp>
#include <posemachine/engine/kernel.hpp>
#include <posemachine/schedule/schedule.hpp>

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {
namespace detail {

/// A kernel that the host runs: its maps, its scratch memory and its gradients are copies, taken before and brought
/// back after. What it moves so is added to moved_bytes.
class StagedKernel : public Kernel {
 public:
  StagedKernel(std::unique_ptr<Kernel> kernel, const schedule::Schedule& schedule, const schedule::Step& step);

  bool runs_on_host() const override { return true; }

  std::unique_ptr<BoundKernel> bind(const Binding& binding) const override;

 private:
  struct Map {
    std::byte* device = nullptr;
    AlignedArray<std::byte> host;
    std::size_t bytes = 0;
    bool written = false;
  };
  struct Gradient {
    dnnl::memory device;
    AlignedArray<std::byte> host;
    std::size_t bytes = 0;

    std::byte* data() const { return static_cast<std::byte*>(device.get_data_handle()); }
  };

  struct Bound : BoundKernel {
    explicit Bound(DeviceMemory& of) : memory(of) {}

    void run(dnnl::stream& stream, const RandomKey& key) override;

    DeviceMemory& memory;
    std::vector<Map> maps;
    std::vector<Gradient> gradients;
    AlignedArray<std::byte> scratch;
    std::unique_ptr<BoundKernel> kernel;
  };

  std::unique_ptr<Kernel> kernel_;
  int dst_;
  std::vector<int> values_;
};

/// A kernel that the device runs.
struct AnnouncedKernel : BoundKernel {
  AnnouncedKernel(std::unique_ptr<BoundKernel> of, DeviceMemory& on) : kernel(std::move(of)), memory(on) {}

  void run(dnnl::stream& stream, const RandomKey& key) override;

  std::unique_ptr<BoundKernel> kernel;
  DeviceMemory& memory;
};

}  // namespace detail
}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/engine/staged_kernel.ipp>
#endif
