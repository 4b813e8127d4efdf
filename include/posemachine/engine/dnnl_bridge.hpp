// The one bridge to oneDNN: one spelling for 2.6 and 3.x.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/data_type.hpp>

#include <oneapi/dnnl/dnnl.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

inline constexpr bool dnnl_is_v3 = DNNL_VERSION_MAJOR >= 3;

#if DNNL_VERSION_MAJOR >= 3
using PoolForward = dnnl::pooling_forward;
using PoolBackward = dnnl::pooling_backward;
#else
using PoolForward = dnnl::pooling_v2_forward;
using PoolBackward = dnnl::pooling_v2_backward;
#endif

dnnl::memory::data_type dnnl_type(DataType type);

/// Attributes every primitive has: a scratchpad of the execution's, because oneDNN's own is not safe between threads.
dnnl::primitive_attr primitive_attributes();

/// A primitive descriptor from the arguments both versions share; empty where oneDNN has no implementation.
template <class Primitive, class... Args>
typename Primitive::primitive_desc make_desc(const dnnl::engine& engine, const dnnl::primitive_attr& attr,
                                             const Args&... args) {
#if DNNL_VERSION_MAJOR >= 3
  return typename Primitive::primitive_desc(engine, args..., attr, true);
#else
  try {
    return typename Primitive::primitive_desc(typename Primitive::desc(args...), attr, engine, true);
  } catch (const dnnl::error&) {  // 2.6 checks arguments when the operation descriptor is made
    return {};
  }
#endif
}

/// The same for backward primitives, which need the forward descriptor as a hint.
template <class Primitive, class Hint, class... Args>
typename Primitive::primitive_desc make_backward_desc(const dnnl::engine& engine, const dnnl::primitive_attr& attr,
                                                      const Hint& hint, const Args&... args) {
#if DNNL_VERSION_MAJOR >= 3
  return typename Primitive::primitive_desc(engine, args..., hint, attr, true);
#else
  try {
    return typename Primitive::primitive_desc(typename Primitive::desc(args...), attr, engine, hint, true);
  } catch (const dnnl::error&) {
    return {};
  }
#endif
}

dnnl::eltwise_forward::primitive_desc make_eltwise_desc(const dnnl::engine& engine, const dnnl::primitive_attr& attr,
                                                        dnnl::prop_kind kind, dnnl::algorithm algorithm,
                                                        const dnnl::memory::desc& data, float alpha, float beta);
dnnl::eltwise_backward::primitive_desc make_eltwise_backward_desc(
    const dnnl::engine& engine, const dnnl::primitive_attr& attr, const dnnl::eltwise_forward::primitive_desc& hint,
    dnnl::algorithm algorithm, const dnnl::memory::desc& data, float alpha, float beta);

/// Over channels.
dnnl::softmax_forward::primitive_desc make_softmax_desc(const dnnl::engine& engine, const dnnl::primitive_attr& attr,
                                                        const dnnl::memory::desc& data);

dnnl::softmax_backward::primitive_desc make_softmax_backward_desc(const dnnl::engine& engine,
                                                                  const dnnl::primitive_attr& attr,
                                                                  const dnnl::softmax_forward::primitive_desc& hint,
                                                                  const dnnl::memory::desc& data);
dnnl::prelu_forward::primitive_desc make_prelu_desc(const dnnl::engine& engine, const dnnl::primitive_attr& attr,
                                                    dnnl::prop_kind kind, const dnnl::memory::desc& data,
                                                    const dnnl::memory::desc& slopes);
dnnl::prelu_backward::primitive_desc make_prelu_backward_desc(const dnnl::engine& engine,
                                                              const dnnl::primitive_attr& attr,
                                                              const dnnl::prelu_forward::primitive_desc& hint,
                                                              const dnnl::memory::desc& data,
                                                              const dnnl::memory::desc& slopes);
dnnl::batch_normalization_forward::primitive_desc make_batch_norm_desc(const dnnl::engine& engine,
                                                                       const dnnl::primitive_attr& attr,
                                                                       dnnl::prop_kind kind,
                                                                       const dnnl::memory::desc& data, float epsilon,
                                                                       dnnl::normalization_flags flags);
dnnl::batch_normalization_backward::primitive_desc make_batch_norm_backward_desc(
    const dnnl::engine& engine, const dnnl::primitive_attr& attr,
    const dnnl::batch_normalization_forward::primitive_desc& hint, const dnnl::memory::desc& data, float epsilon,
    dnnl::normalization_flags flags);
dnnl::sum::primitive_desc make_sum_desc(const dnnl::engine& engine, const dnnl::primitive_attr& attr,
                                        const dnnl::memory::desc& dst, const std::vector<float>& scales,
                                        const std::vector<dnnl::memory::desc>& srcs);

/// How many channels stand together in a blocked layout, 0 where the layout is plain.
int block_size(const dnnl::memory::desc& desc);

dnnl::memory::dims dims_of(const dnnl::memory::desc& desc);

template <class Desc>
bool is_empty(const Desc& desc) {
  return desc.get(true) == nullptr;
}

/// Whether oneDNN would run a loop without vectorisation: 100 to 5000 times slower, without a word.
bool is_reference(std::string_view implementation);

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/engine/dnnl_bridge.ipp>
#endif
