// The definitions of engine/dnnl_bridge.hpp.
#pragma once

#include <posemachine/engine/dnnl_bridge.hpp>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

POSEMACHINE_INLINE dnnl::memory::data_type dnnl_type(DataType type) {
  using Type = dnnl::memory::data_type;
  switch (type) {
    case DataType::f32: break;
    case DataType::bf16: return Type::bf16;
    case DataType::f16: return Type::f16;
    case DataType::s8: return Type::s8;
    case DataType::u8: return Type::u8;
    case DataType::s32: return Type::s32;
  }
  return Type::f32;
}

POSEMACHINE_INLINE dnnl::primitive_attr primitive_attributes() {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

POSEMACHINE_INLINE dnnl::eltwise_forward::primitive_desc make_eltwise_desc(
    const dnnl::engine& engine, const dnnl::primitive_attr& attr, dnnl::prop_kind kind, dnnl::algorithm algorithm,
    const dnnl::memory::desc& data, float alpha, float beta) {
#if DNNL_VERSION_MAJOR >= 3
  return make_desc<dnnl::eltwise_forward>(engine, attr, kind, algorithm, data, data, alpha, beta);
#else
  return make_desc<dnnl::eltwise_forward>(engine, attr, kind, algorithm, data, alpha, beta);
#endif
}

POSEMACHINE_INLINE dnnl::eltwise_backward::primitive_desc make_eltwise_backward_desc(
    const dnnl::engine& engine, const dnnl::primitive_attr& attr, const dnnl::eltwise_forward::primitive_desc& hint,
    dnnl::algorithm algorithm, const dnnl::memory::desc& data, float alpha, float beta) {
#if DNNL_VERSION_MAJOR >= 3
  return make_backward_desc<dnnl::eltwise_backward>(engine, attr, hint, algorithm, data, data, data, alpha, beta);
#else
  return make_backward_desc<dnnl::eltwise_backward>(engine, attr, hint, algorithm, data, data, alpha, beta);
#endif
}

POSEMACHINE_INLINE dnnl::softmax_forward::primitive_desc make_softmax_desc(const dnnl::engine& engine,
                                                                           const dnnl::primitive_attr& attr,
                                                                           const dnnl::memory::desc& data) {
  const auto kind = dnnl::prop_kind::forward_training;
#if DNNL_VERSION_MAJOR >= 3
  return make_desc<dnnl::softmax_forward>(engine, attr, kind, dnnl::algorithm::softmax_accurate, data, data, 1);
#else
  return make_desc<dnnl::softmax_forward>(engine, attr, kind, data, 1);
#endif
}

POSEMACHINE_INLINE dnnl::softmax_backward::primitive_desc make_softmax_backward_desc(
    const dnnl::engine& engine, const dnnl::primitive_attr& attr, const dnnl::softmax_forward::primitive_desc& hint,
    const dnnl::memory::desc& data) {
#if DNNL_VERSION_MAJOR >= 3
  return make_backward_desc<dnnl::softmax_backward>(engine, attr, hint, dnnl::algorithm::softmax_accurate, data, data,
                                                    data, 1);
#else
  return make_backward_desc<dnnl::softmax_backward>(engine, attr, hint, data, data, 1);
#endif
}

POSEMACHINE_INLINE dnnl::prelu_forward::primitive_desc make_prelu_desc(const dnnl::engine& engine,
                                                                       const dnnl::primitive_attr& attr,
                                                                       dnnl::prop_kind kind,
                                                                       const dnnl::memory::desc& data,
                                                                       const dnnl::memory::desc& slopes) {
#if DNNL_VERSION_MAJOR >= 3
  return make_desc<dnnl::prelu_forward>(engine, attr, kind, data, slopes, data);
#else
  return make_desc<dnnl::prelu_forward>(engine, attr, kind, data, slopes);
#endif
}

POSEMACHINE_INLINE dnnl::prelu_backward::primitive_desc make_prelu_backward_desc(
    const dnnl::engine& engine, const dnnl::primitive_attr& attr, const dnnl::prelu_forward::primitive_desc& hint,
    const dnnl::memory::desc& data, const dnnl::memory::desc& slopes) {
#if DNNL_VERSION_MAJOR >= 3
  return make_backward_desc<dnnl::prelu_backward>(engine, attr, hint, data, slopes, data, slopes, data);
#else
  return make_backward_desc<dnnl::prelu_backward>(engine, attr, hint, data, slopes, data, slopes);
#endif
}

POSEMACHINE_INLINE dnnl::batch_normalization_forward::primitive_desc make_batch_norm_desc(
    const dnnl::engine& engine, const dnnl::primitive_attr& attr, dnnl::prop_kind kind, const dnnl::memory::desc& data,
    float epsilon, dnnl::normalization_flags flags) {
#if DNNL_VERSION_MAJOR >= 3
  return make_desc<dnnl::batch_normalization_forward>(engine, attr, kind, data, data, epsilon, flags);
#else
  return make_desc<dnnl::batch_normalization_forward>(engine, attr, kind, data, epsilon, flags);
#endif
}

POSEMACHINE_INLINE dnnl::batch_normalization_backward::primitive_desc make_batch_norm_backward_desc(
    const dnnl::engine& engine, const dnnl::primitive_attr& attr,
    const dnnl::batch_normalization_forward::primitive_desc& hint, const dnnl::memory::desc& data, float epsilon,
    dnnl::normalization_flags flags) {
#if DNNL_VERSION_MAJOR >= 3
  return make_backward_desc<dnnl::batch_normalization_backward>(engine, attr, hint, dnnl::prop_kind::backward, data,
                                                                data, data, epsilon, flags);
#else
  return make_backward_desc<dnnl::batch_normalization_backward>(engine, attr, hint, dnnl::prop_kind::backward, data,
                                                                data, epsilon, flags);
#endif
}

POSEMACHINE_INLINE dnnl::sum::primitive_desc make_sum_desc(const dnnl::engine& engine, const dnnl::primitive_attr& attr,
                                                           const dnnl::memory::desc& dst,
                                                           const std::vector<float>& scales,
                                                           const std::vector<dnnl::memory::desc>& srcs) {
#if DNNL_VERSION_MAJOR >= 3
  return dnnl::sum::primitive_desc(engine, dst, scales, srcs, attr);
#else
  return dnnl::sum::primitive_desc(dst, scales, srcs, engine, attr);
#endif
}

POSEMACHINE_INLINE int block_size(const dnnl::memory::desc& desc) {
#if DNNL_VERSION_MAJOR >= 3
  if (desc.get_format_kind() != dnnl::memory::format_kind::blocked || desc.get_inner_nblks() == 0) return 0;
  return static_cast<int>(desc.get_inner_blks().front());
#else
  if (desc.data.format_kind != dnnl_blocked || desc.data.format_desc.blocking.inner_nblks == 0) return 0;
  return static_cast<int>(desc.data.format_desc.blocking.inner_blks[0]);
#endif
}

POSEMACHINE_INLINE dnnl::memory::dims dims_of(const dnnl::memory::desc& desc) {
#if DNNL_VERSION_MAJOR >= 3
  return desc.get_dims();
#else
  return desc.dims();
#endif
}

POSEMACHINE_INLINE bool is_reference(std::string_view implementation) {
  return implementation.starts_with("ref") || implementation.find("ref:any") != std::string_view::npos;
}

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
