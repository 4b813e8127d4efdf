// The definitions of engine/ops/pooling.hpp.
#pragma once

#include <posemachine/engine/ops/pooling.hpp>

#include <posemachine/engine/dnnl_bridge.hpp>
#include <posemachine/engine/primitive_kernel.hpp>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

namespace detail {

struct PoolShape {
  dnnl::memory::dims kernel;
  dnnl::memory::dims strides;
  dnnl::memory::dims padding_begin;
  dnnl::memory::dims padding_end;
};

POSEMACHINE_INLINE PoolShape pool_shape(const Node& node, const schedule::ScheduledValue& src) {
  if (node.op == &global_average_pool_op || node.op == &global_average_pool_backward_op) {
    return {{src.h, src.w}, {1, 1}, {0, 0}, {0, 0}};
  }
  const Window window = posemachine::detail::pool_window(node.options);
  return {{window.kernel, window.kernel},
          {window.stride, window.stride},
          {window.padding, window.padding},
          {window.padding_end(src.h), window.padding_end(src.w)}};
}

// Cells outside the map are never part of a mean.
POSEMACHINE_INLINE dnnl::algorithm pool_algorithm(const Node& node) {
  const bool maximum = node.op == &max_pool_op || node.op == &max_pool_backward_op;
  return maximum ? dnnl::algorithm::pooling_max : dnnl::algorithm::pooling_avg_exclude_padding;
}

POSEMACHINE_INLINE PoolForward::primitive_desc pool_forward_desc(const BuildContext& context,
                                                                 const schedule::ScheduledValue& src,
                                                                 const schedule::ScheduledValue& dst,
                                                                 bool keep_workspace) {
  const PoolShape shape = pool_shape(context.node(), src);
  const auto kind = keep_workspace ? dnnl::prop_kind::forward_training : dnnl::prop_kind::forward_inference;
  return make_desc<PoolForward>(context.engine(), primitive_attributes(), kind, pool_algorithm(context.node()),
                                context.desc(src), context.desc(dst), shape.strides, shape.kernel,
                                dnnl::memory::dims{0, 0}, shape.padding_begin, shape.padding_end);
}

// Whether the graph holds the node's backward node: only then its workspace is kept.
POSEMACHINE_INLINE bool is_differentiated(const Graph& graph, int node) {
  for (const Node& other : graph.nodes) {
    if (other.forward == node) return true;
  }
  return false;
}

POSEMACHINE_INLINE std::unique_ptr<Kernel> make_pool(const BuildContext& context) {
  const bool keep = is_differentiated(context.graph(), context.step->node);
  const auto desc = pool_forward_desc(context, context.src(0), context.dst(), keep);
  if (is_empty(desc)) fail_no_implementation(context);
  auto kernel = std::make_unique<PrimitiveKernel>();
  kernel->set<PoolForward>(desc);
  kernel->add_src(DNNL_ARG_SRC, context.schedule->src(*context.step, 0), context.desc(context.src(0)), desc.src_desc());
  kernel->add_dst(DNNL_ARG_DST, context.step->dst, context.desc(context.dst()), desc.dst_desc());
  if (keep && desc.workspace_desc().get_size() > 0) kernel->add_workspace(DNNL_ARG_WORKSPACE, desc.workspace_desc());
  kernel->finish();
  return kernel;
}

POSEMACHINE_INLINE std::unique_ptr<Kernel> make_pool_backward(const BuildContext& context) {
  const schedule::ScheduledValue& diff_src = context.dst();
  const schedule::ScheduledValue& diff_dst = context.src(0);
  const auto hint = pool_forward_desc(context, diff_src, diff_dst, true);
  if (is_empty(hint)) fail_no_implementation(context);
  const PoolShape shape = pool_shape(context.node(), diff_src);
  const auto desc =
      make_backward_desc<PoolBackward>(context.engine(), primitive_attributes(), hint, pool_algorithm(context.node()),
                                       context.desc(diff_src), context.desc(diff_dst), shape.strides, shape.kernel,
                                       dnnl::memory::dims{0, 0}, shape.padding_begin, shape.padding_end);
  if (is_empty(desc)) fail_no_implementation(context);
  auto kernel = std::make_unique<PrimitiveKernel>();
  kernel->set<PoolBackward>(desc);
  kernel->add_src(DNNL_ARG_DIFF_DST, context.schedule->src(*context.step, 0), context.desc(diff_dst),
                  desc.diff_dst_desc());
  kernel->add_dst(DNNL_ARG_DIFF_SRC, context.step->dst, context.desc(diff_src), desc.diff_src_desc());
  if (hint.workspace_desc().get_size() > 0) {
    kernel->add_workspace_of(DNNL_ARG_WORKSPACE, context.forward(), hint.workspace_desc());
  }
  kernel->finish();
  return kernel;
}

}  // namespace detail

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
