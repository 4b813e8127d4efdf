// The definitions of engine/prepared_weights.hpp.
#pragma once

#include <posemachine/engine/prepared_weights.hpp>

#include <posemachine/engine/dnnl_errors.hpp>
#include <posemachine/engine/thread_limit.hpp>

#include <utility>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

namespace detail {

POSEMACHINE_INLINE dnnl::memory::desc plain_desc(const Shape& shape) {
  dnnl::memory::dims strides(shape.size());
  std::int64_t step = 1;
  for (std::size_t i = shape.size(); i-- > 0;) {
    strides[i] = step;
    step *= shape[i];
  }
  return {shape, dnnl::memory::data_type::f32, strides};
}

}  // namespace detail

POSEMACHINE_INLINE PreparedWeights::PreparedWeights(std::shared_ptr<const std::vector<Tensor>> parameters,
                                                    const Device& device)
    : parameters_(std::move(parameters)), memory_(device.memory()), engine_(device.engine()), stream_(engine_) {}

POSEMACHINE_INLINE dnnl::memory PreparedWeights::get(int id, const dnnl::memory::desc& desc) {
  // Both at once: an execution that is being made holds the first already.
  const std::scoped_lock lock(detail::creation_mutex(), mutex_);
  const ThreadLimit limit(1);
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

POSEMACHINE_INLINE void PreparedWeights::refresh() {
  const std::scoped_lock lock(mutex_);
  const ThreadLimit limit(1);
  for (const Prepared& entry : prepared_) update(entry);
}

POSEMACHINE_INLINE std::size_t PreparedWeights::bytes() const {
  const std::scoped_lock lock(mutex_);
  std::size_t total = 0;
  for (const Prepared& entry : prepared_) total += entry.reorder ? entry.memory.get_desc().get_size() : 0;
  return total;
}

POSEMACHINE_INLINE void PreparedWeights::update(const Prepared& entry) {
  if (!entry.reorder) return;
  const detail::KernelScope scope(memory_.get());
  detail::with_own_errors([] { return std::string("weights"); },
                          [&] {
                            entry.reorder.run(stream_);
                            stream_.wait();
                          });
}

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
