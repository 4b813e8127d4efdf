// PrimitiveKernel: a step that a oneDNN primitive computes.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/engine/dnnl_bridge.hpp>
#include <posemachine/engine/gradient_layout.hpp>
#include <posemachine/engine/kernel.hpp>
#include <posemachine/engine/reorder.hpp>
#include <posemachine/engine/weight_gating.hpp>
#include <posemachine/schedule/schedule.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

/// A oneDNN primitive with its arguments. Where a primitive wants another layout than a value has, a reorder runs
/// before or after it.
class PrimitiveKernel : public Kernel {
 public:
  /// Sets the primitive up from its descriptor, with a scratchpad of the execution's.
  template <class Primitive>
  void set(const typename Primitive::primitive_desc& desc) {
    primitive_ = Primitive(desc);
    implementation = desc.impl_info_str();
    scratchpad_ = desc.scratchpad_desc();
  }

  void add_src(int arg, int value, const dnnl::memory::desc& has, const dnnl::memory::desc& wants);
  void add_dst(int arg, int value, const dnnl::memory::desc& has, const dnnl::memory::desc& wants);
  void add_weights(int arg, int parameter, const dnnl::memory::desc& wants);
  /// Weights that are multiplied with the factors of `gates` in every run.
  void add_gated_weights(int arg, int parameter, const dnnl::memory::desc& wants,
                         std::vector<schedule::ChannelGate> gates);
  /// A result of the slice: the first node to write a parameter decides the layout of its gradient, later ones (of a
  /// shared parameter) add to it.
  void add_gradient(GradientLayout& layout, int arg, int parameter, const dnnl::memory::desc& writes);
  /// A statistic that this node alone finds. Errors: ModelError where another node has found one for the same buffer.
  void add_own_statistic(GradientLayout& layout, int arg, int parameter, const dnnl::memory::desc& writes,
                         const std::string& where);
  /// A statistic of the slice that another node of the program reads.
  void add_statistic(int arg, int parameter, const dnnl::memory::desc& desc);
  void add_workspace(int arg, const dnnl::memory::desc& desc);
  void add_workspace_of(int arg, const Kernel* forward, const dnnl::memory::desc& desc);

  /// Call once all arguments are known: how much scratch memory they need together.
  void finish();

  bool runs_on_host() const override { return false; }

  std::unique_ptr<BoundKernel> bind(const Binding& binding) const override;

 private:
  struct Bound : BoundKernel {
    explicit Bound(const PrimitiveKernel& of) : kernel(of) {}

    void add(int arg, const dnnl::memory& memory);
    void run(dnnl::stream& stream, const RandomKey&) override;

    const PrimitiveKernel& kernel;
    std::vector<WeightGating> gatings;
    std::vector<dnnl::memory> memories;
    std::vector<dnnl_exec_arg_t> args;
    std::vector<Reorder> before;
    std::vector<Reorder> after;
  };

  struct Slot {
    enum Kind { src, dst, weights, gated_weights, gradient, gradient_term, workspace, workspace_of_forward };
    int arg = 0;
    Kind kind = src;
    int id = 0;
    dnnl::memory::desc has;
    dnnl::memory::desc wants;
    std::ptrdiff_t scratch_offset = -1;
  };
  dnnl::memory memory_of(const Slot& slot, const Binding& binding, const dnnl::engine& engine) const;
  std::vector<WeightGating::Gate> gates_of(const Binding& binding) const;
  static dnnl::memory workspace_memory(const Kernel& owner, const Slot& slot, const Binding& binding,
                                       const dnnl::engine& engine);

  dnnl::primitive primitive_;
  dnnl::memory::desc scratchpad_;
  std::vector<Slot> slots_;
  const Kernel* forward_ = nullptr;
  std::vector<schedule::ChannelGate> gates_;
};

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/engine/primitive_kernel.ipp>
#endif
