// Memory that stops the program where the host touches it: what a device that is not the processor has.
#pragma once

#include <posemachine/engine/device_memory.hpp>

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <map>
#include <mutex>
#include <new>

namespace engine_test {

class GuardedMemory : public posemachine::engine::DeviceMemory {
 public:
  GuardedMemory() = default;
  ~GuardedMemory() override {
    for (const auto& [memory, bytes] : blocks_) munmap(memory, bytes);
  }

  std::byte* allocate(std::size_t bytes) override {
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    const std::size_t whole = (std::max<std::size_t>(bytes, 1) + page - 1) / page * page;
    const std::scoped_lock lock(mutex_);
    void* const memory = mmap(nullptr, whole, access(), MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    blocks_[static_cast<std::byte*>(memory)] = whole;
    return static_cast<std::byte*>(memory);
  }
  void free(std::byte* memory) noexcept override {
    const std::scoped_lock lock(mutex_);
    const auto found = blocks_.find(memory);
    munmap(memory, found->second);
    blocks_.erase(found);
  }
  void copy_to_device(std::byte* to, const std::byte* from, std::size_t bytes) override {
    const Open open(*this);
    std::memcpy(to, from, bytes);
    ++copies_;
  }
  void copy_to_host(std::byte* to, const std::byte* from, std::size_t bytes) override {
    const Open open(*this);
    std::memcpy(to, from, bytes);
    ++copies_;
  }
  void begin_kernel() override {
    change(+1);
    ++kernels_;
  }
  void end_kernel() noexcept override { change(-1); }

  int copies() const { return copies_; }
  int kernels() const { return kernels_; }
  std::size_t block_count() const { return blocks_.size(); }

 private:
  struct Open {
    explicit Open(GuardedMemory& of) : memory(of) { memory.change(+1); }
    ~Open() { memory.change(-1); }
    GuardedMemory& memory;
  };

  int access() const { return users_ > 0 ? PROT_READ | PROT_WRITE : PROT_NONE; }
  void change(int by) {
    const std::scoped_lock lock(mutex_);
    const int before = access();
    users_ += by;
    if (access() == before) return;
    for (const auto& [memory, bytes] : blocks_) mprotect(memory, bytes, access());
  }

  std::mutex mutex_;
  std::map<std::byte*, std::size_t> blocks_;
  int users_ = 0;
  int copies_ = 0;
  int kernels_ = 0;
};

}  // namespace engine_test
