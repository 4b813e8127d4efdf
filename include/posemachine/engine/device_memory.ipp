// The definitions of engine/device_memory.hpp.
#pragma once

#include <posemachine/engine/device_memory.hpp>

#include <utility>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

namespace detail {

POSEMACHINE_INLINE KernelScope::KernelScope(DeviceMemory* memory) : memory_(memory) {
  if (memory_ != nullptr) memory_->begin_kernel();
}

POSEMACHINE_INLINE KernelScope::~KernelScope() {
  if (memory_ != nullptr) memory_->end_kernel();
}

}  // namespace detail

POSEMACHINE_INLINE DeviceBuffer::DeviceBuffer(std::shared_ptr<DeviceMemory> memory, std::size_t bytes)
    : memory_(std::move(memory)) {
  if (memory_ == nullptr) {
    host_ = make_aligned<std::byte>(bytes);
    data_ = host_.get();
  } else {
    data_ = memory_->allocate(bytes);
  }
}

POSEMACHINE_INLINE DeviceBuffer::~DeviceBuffer() {
  if (memory_ != nullptr && data_ != nullptr) memory_->free(data_);
}

POSEMACHINE_INLINE DeviceBuffer::DeviceBuffer(DeviceBuffer&& other) noexcept
    : memory_(std::move(other.memory_)), host_(std::move(other.host_)), data_(std::exchange(other.data_, nullptr)) {}

POSEMACHINE_INLINE DeviceBuffer& DeviceBuffer::operator=(DeviceBuffer&& other) noexcept {
  std::swap(memory_, other.memory_);
  std::swap(host_, other.host_);
  std::swap(data_, other.data_);
  return *this;
}

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
