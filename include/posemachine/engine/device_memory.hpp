// DeviceMemory: what a device computes in and the host may not touch; DeviceBuffer: a block of it, or of the host's.
#pragma once

#include <posemachine/base/aligned_memory.hpp>
#include <posemachine/core/config.hpp>

#include <cstddef>
#include <memory>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

/// Memory of a device that is not the host's. The host reads and writes it by copies alone. Safe to share between
/// threads.
class DeviceMemory {
 public:
  virtual ~DeviceMemory() = default;

  /// `bytes` zeros, aligned to 64 bytes. Errors: std::bad_alloc.
  virtual std::byte* allocate(std::size_t bytes) = 0;
  virtual void free(std::byte* memory) noexcept = 0;
  virtual void copy_to_device(std::byte* to, const std::byte* from, std::size_t bytes) = 0;
  virtual void copy_to_host(std::byte* to, const std::byte* from, std::size_t bytes) = 0;

  /// Called around what the device itself computes, which is complete when the second is called.
  virtual void begin_kernel() {}
  virtual void end_kernel() noexcept {}
};

namespace detail {

class KernelScope {
 public:
  explicit KernelScope(DeviceMemory* memory);
  ~KernelScope();
  KernelScope(const KernelScope&) = delete;
  KernelScope& operator=(const KernelScope&) = delete;

 private:
  DeviceMemory* memory_;
};

}  // namespace detail

/// Zeros in the memory of a device, the host's where there is no other.
class DeviceBuffer {
 public:
  DeviceBuffer() = default;
  DeviceBuffer(std::shared_ptr<DeviceMemory> memory, std::size_t bytes);
  ~DeviceBuffer();
  DeviceBuffer(DeviceBuffer&& other) noexcept;
  DeviceBuffer& operator=(DeviceBuffer&& other) noexcept;

  std::byte* data() const { return data_; }

 private:
  std::shared_ptr<DeviceMemory> memory_;
  AlignedArray<std::byte> host_;
  std::byte* data_ = nullptr;
};

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/engine/device_memory.ipp>
#endif
