// Kernels on a device whose memory the host may not touch: loops of our own work on copies, the device's own are
// announced.
#pragma once

#include <posemachine/base/aligned_memory.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/engine/device_memory.hpp>
#include <posemachine/engine/dnnl_bridge.hpp>
#include <posemachine/engine/kernel.hpp>
#include <posemachine/schedule/schedule.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD::detail {

/// A kernel that the host runs: its maps, its scratch memory and its gradients are copies, taken before and brought
/// back after. What it moves so is added to moved_bytes.
class StagedKernel : public Kernel {
 public:
  StagedKernel(std::unique_ptr<Kernel> kernel, const Schedule& schedule, const Step& step)
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

  bool runs_on_host() const override { return true; }

  std::unique_ptr<BoundKernel> bind(const Binding& binding) const override {
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

    void run(dnnl::stream& stream, const RandomKey& key) override {
      stream.wait();
      for (Map& map : maps) memory.copy_to_host(map.host.get(), map.device, map.bytes);
      for (Gradient& each : gradients) memory.copy_to_host(each.host.get(), each.data(), each.bytes);
      kernel->run(stream, key);
      for (Map& map : maps) {
        if (map.written) memory.copy_to_device(map.device, map.host.get(), map.bytes);
      }
      for (Gradient& each : gradients) memory.copy_to_device(each.data(), each.host.get(), each.bytes);
    }

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

  void run(dnnl::stream& stream, const RandomKey& key) override {
    const KernelScope scope(&memory);
    kernel->run(stream, key);
    stream.wait();
  }

  std::unique_ptr<BoundKernel> kernel;
  DeviceMemory& memory;
};

}  // namespace posemachine::inline POSEMACHINE_BUILD::detail
