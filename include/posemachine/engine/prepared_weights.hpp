// Parameters in the layouts that primitives want, prepared once and shared by all executions.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/tensor.hpp>
#include <posemachine/engine/device.hpp>
#include <posemachine/engine/device_memory.hpp>
#include <posemachine/engine/dnnl_bridge.hpp>
#include <posemachine/engine/reorder.hpp>

#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

namespace detail {

// The plain row-major description of a parameter of 1 to 4 extents.
dnnl::memory::desc plain_desc(const Shape& shape);

}  // namespace detail

/// A model's parameters as oneDNN memory. The plain values must outlive it and stay where they are; prepared forms are
/// made on first request, kept, and shared: get() is safe from several threads. After the plain values change (a
/// training step), refresh() brings every prepared form up to date; no execution may run meanwhile.
class PreparedWeights {
 public:
  explicit PreparedWeights(std::shared_ptr<const std::vector<Tensor>> parameters, const Device& device = Device::cpu());

  const std::vector<Tensor>& parameters() const { return *parameters_; }
  /// In which the prepared forms lie; null: the host's.
  const std::shared_ptr<DeviceMemory>& memory() const { return memory_; }

  /// Parameter `id` in the layout of `desc`: the plain values themselves where that is their layout, in host memory.
  dnnl::memory get(int id, const dnnl::memory::desc& desc);

  /// Prepares every form again from the plain values.
  void refresh();

  /// Bytes of all prepared forms, without the plain values.
  std::size_t bytes() const;

 private:
  struct Prepared {
    int id = 0;
    DeviceBuffer values;  // of a form that is not the plain one
    dnnl::memory memory;
    Reorder reorder;
  };

  void update(const Prepared& entry);

  std::shared_ptr<const std::vector<Tensor>> parameters_;
  std::shared_ptr<DeviceMemory> memory_;
  dnnl::engine engine_;
  dnnl::stream stream_;
  mutable std::mutex mutex_;
  std::vector<Prepared> prepared_;
};

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/engine/prepared_weights.ipp>
#endif
