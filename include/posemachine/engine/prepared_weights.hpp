// Parameters in the layouts that primitives want, prepared once and shared by all executions.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/tensor.hpp>
#include <posemachine/engine/device.hpp>
#include <posemachine/engine/device_memory.hpp>
#include <posemachine/engine/dnnl_bridge.hpp>
#include <posemachine/engine/reorder.hpp>
#include <posemachine/engine/team.hpp>

#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {

namespace detail {

// The plain row-major description of a parameter of 1 to 4 extents.
inline dnnl::memory::desc plain_desc(const Shape& shape) {
  dnnl::memory::dims strides(shape.size());
  std::int64_t step = 1;
  for (std::size_t i = shape.size(); i-- > 0;) {
    strides[i] = step;
    step *= shape[i];
  }
  return {shape, dnnl::memory::data_type::f32, strides};
}

}  // namespace detail

/// A model's parameters as oneDNN memory. The plain values must outlive it and stay where they are; prepared forms are
/// made on first request, kept, and shared: get() is safe from several threads. After the plain values change (a
/// training step), refresh() brings every prepared form up to date; no execution may run meanwhile.
class PreparedWeights {
 public:
  explicit PreparedWeights(std::shared_ptr<const std::vector<Tensor>> parameters, const Device& device = Device::cpu())
      : parameters_(std::move(parameters)), memory_(device.memory()), engine_(device.engine()), stream_(engine_) {}

  const std::vector<Tensor>& parameters() const { return *parameters_; }
  /// In which the prepared forms lie; null: the host's.
  const std::shared_ptr<DeviceMemory>& memory() const { return memory_; }

  /// Parameter `id` in the layout of `desc`: the plain values themselves where that is their layout, in host memory.
  dnnl::memory get(int id, const dnnl::memory::desc& desc) {
    // Both at once: an execution that is being made holds the first already.
    const std::scoped_lock lock(detail::creation_mutex(), mutex_);
    const Team team(1);
    for (const Prepared& entry : prepared_) {
      if (entry.id == id && entry.memory.get_desc() == desc) return entry.memory;
    }
    const Tensor& tensor = (*parameters_)[static_cast<std::size_t>(id)];
    Prepared entry;
    entry.id = id;
    // oneDNN takes void*, but no primitive writes its weights.
    // The primitive's own extents: the same values in the same order, as (groups, out / groups, ...) for (out, ...).
    const dnnl::memory plain(detail::plain_desc(dims_of(desc)), engine_, const_cast<float*>(tensor.values.data()));
    if (plain.get_desc() == desc && memory_ == nullptr) {
      entry.memory = plain;
    } else {
      entry.values = DeviceBuffer(memory_, desc.get_size());
      entry.memory = dnnl::memory(desc, engine_, entry.values.data());
      entry.reorder = Reorder(plain, entry.memory);
    }
    update(entry);
    prepared_.push_back(std::move(entry));
    return prepared_.back().memory;
  }

  /// Prepares every form again from the plain values.
  void refresh() {
    const std::scoped_lock lock(mutex_);
    const Team team(1);
    for (const Prepared& entry : prepared_) update(entry);
  }

  /// Bytes of all prepared forms, without the plain values.
  std::size_t bytes() const {
    const std::scoped_lock lock(mutex_);
    std::size_t total = 0;
    for (const Prepared& entry : prepared_) total += entry.reorder ? entry.memory.get_desc().get_size() : 0;
    return total;
  }

 private:
  struct Prepared {
    int id = 0;
    DeviceBuffer values;  // of a form that is not the plain one
    dnnl::memory memory;
    Reorder reorder;
  };

  void update(const Prepared& entry) {
    if (!entry.reorder) return;
    const detail::KernelScope scope(memory_.get());
    entry.reorder.run(stream_);
    stream_.wait();
  }

  std::shared_ptr<const std::vector<Tensor>> parameters_;
  std::shared_ptr<DeviceMemory> memory_;
  dnnl::engine engine_;
  dnnl::stream stream_;
  mutable std::mutex mutex_;
  std::vector<Prepared> prepared_;
};

}  // namespace posemachine::inline POSEMACHINE_BUILD
