// The definitions of engine/ops/custom.hpp.
#pragma once

#include <posemachine/engine/ops/custom.hpp>

#include <posemachine/core/error.hpp>
#include <posemachine/engine/dnnl_bridge.hpp>
#include <posemachine/engine/ops/copy_channels.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

namespace detail {

// A map of the execution and where a user's kernel sees it: in place, or as a plain copy in scratch memory.
struct PlainMap {
  MapView<float> execution;
  MapView<float> plain;
  bool is_copy = false;

  void load() const {
    if (is_copy) copy_channels(execution, 0, plain, 0, execution.c);
  }
  void store() const {
    if (is_copy) copy_channels(plain, 0, execution, 0, execution.c);
  }
  SrcMap src() const { return {plain, plain.data}; }
  DstMap dst() const { return plain; }
};

// Which map, and where in the scratch memory its copy lies, if there is one.
class PlainMapSlot {
 public:
  // Adds what the copy takes to the kernel's scratch memory, and what it moves.
  PlainMapSlot(const BuildContext& context, int value, Kernel& kernel) : value_(value) {
    const schedule::ScheduledValue& map = context.schedule->value(value);
    if (map.layout == Layout::plain) return;
    kernel.scratch_bytes = (kernel.scratch_bytes + 63) / 64 * 64;
    offset_ = static_cast<std::ptrdiff_t>(kernel.scratch_bytes);
    const std::size_t bytes = map.plain().bytes();
    kernel.scratch_bytes += bytes;
    kernel.moved_bytes += static_cast<std::int64_t>(2 * bytes);
  }

  PlainMap bind(const Binding& binding) const {
    PlainMap map;
    map.execution = {binding.schedule->value(value_), binding.floats(value_)};
    map.plain = map.execution;
    if (offset_ < 0) return map;
    map.is_copy = true;
    map.plain = {map.execution.plain(), reinterpret_cast<float*>(binding.scratch + offset_)};
    return map;
  }

 private:
  int value_;
  std::ptrdiff_t offset_ = -1;
};

// Both directions have srcs and parameters.
struct BoundCustom : BoundKernel {
  void load(dnnl::stream& stream) const {
    stream.wait();
    for (const PlainMap& map : maps) map.load();
  }

  std::vector<PlainMap> maps;
  std::vector<SrcMap> srcs;  // of maps, in their order
  std::optional<PlainMap> dst;
  std::vector<std::span<const float>> parameters;
};

class CustomKernel : public Kernel {
 public:
  explicit CustomKernel(const BuildContext& context) {
    const Node& node = context.node();
    for (int i = 0; i < node.inputs.count; ++i) {
      maps_.emplace_back(context, context.schedule->src(*context.step, i), *this);
    }
    if (context.step->dst >= 0) dst_.emplace(context, context.step->dst, *this);
    for (int i = 0; i < node.parameters.count; ++i) ids_.push_back(parameter_id(context.graph(), node, i));
  }

  bool runs_on_host() const override { return true; }

 protected:
  void bind_maps(const Binding& binding, BoundCustom& bound) const {
    for (const PlainMapSlot& map : maps_) {
      bound.maps.push_back(map.bind(binding));
      bound.srcs.push_back(bound.maps.back().src());
    }
    if (dst_) bound.dst = dst_->bind(binding);
    for (const int id : ids_) {
      bound.parameters.push_back(binding.weights->parameters()[static_cast<std::size_t>(id)].values);
    }
  }

  std::vector<PlainMapSlot> maps_;
  std::optional<PlainMapSlot> dst_;
  std::vector<int> ids_;
};

class CustomForward : public CustomKernel {
 public:
  explicit CustomForward(const BuildContext& context)
      : CustomKernel(context),
        forward_(context.node().op->kernels->forward),
        options_(context.node().options),
        training_(context.training()) {
    implementation = "custom:" + std::string(context.node().op->name);
  }

  std::unique_ptr<BoundKernel> bind(const Binding& binding) const override {
    auto bound = std::make_unique<Bound>(*this);
    bind_maps(binding, *bound);
    return bound;
  }

 private:
  struct Bound : BoundCustom {
    explicit Bound(const CustomForward& of) : kernel(of) {}

    void run(dnnl::stream& stream, const RandomKey&) override {
      load(stream);
      kernel.forward_({.srcs = srcs,
                       .parameters = parameters,
                       .options = kernel.options_,
                       .training = kernel.training_,
                       .dst = dst->dst()});
      dst->store();
    }

    const CustomForward& kernel;
  };

  void (*forward_)(const ForwardCall&);
  Options options_;
  bool training_;
};

class CustomBackward : public CustomKernel {
 public:
  explicit CustomBackward(const BuildContext& context) : CustomKernel(context) {
    const Node& forward = context.graph().nodes[static_cast<std::size_t>(context.node().forward)];
    backward_ = forward.op->kernels->backward;
    options_ = forward.options;
    implementation = "custom:" + std::string(forward.op->name);
    src_count_ = static_cast<std::size_t>(forward.inputs.count);
    which_ = unpack<CustomBackwardOptions>(context.node().options).src;
    if (which_ < 0) claim_gradients(context);
  }

  std::unique_ptr<BoundKernel> bind(const Binding& binding) const override {
    auto bound = std::make_unique<Bound>(*this);
    bind_maps(binding, *bound);
    bound->diff_srcs.resize(src_count_);
    bound->diff_parameters.resize(ids_.size());
    if (which_ >= 0) {
      bound->diff_srcs[static_cast<std::size_t>(which_)] = bound->dst->dst();
      return bound;
    }
    for (std::size_t i = 0; i < ids_.size(); ++i) {
      const GradientLayout::Entry& entry = binding.gradients->entries[static_cast<std::size_t>(ids_[i])];
      bound->gradients.emplace_back(entry.desc, binding.device->engine(), nullptr);
      binding.gradient_memories->push_back({bound->gradients.back(), ids_[i]});
      bound->own.emplace_back(adds_[i] ? bound->parameters[i].size() : 0);
    }
    return bound;
  }

 private:
  struct Bound : BoundCustom {
    explicit Bound(const CustomBackward& of) : kernel(of) {}

    void run(dnnl::stream& stream, const RandomKey&) override {
      load(stream);
      for (std::size_t i = 0; i < gradients.size(); ++i) {
        diff_parameters[i] = {kernel.adds_[i] ? own[i].data() : slice(i), parameters[i].size()};
      }
      kernel.backward_({.srcs = std::span(srcs).first(kernel.src_count_),
                        .parameters = parameters,
                        .options = kernel.options_,
                        .dst = srcs[kernel.src_count_],
                        .diff_dst = srcs[kernel.src_count_ + 1],
                        .diff_srcs = diff_srcs,
                        .diff_parameters = diff_parameters});
      if (dst) dst->store();
      for (std::size_t i = 0; i < gradients.size(); ++i) {  // what an earlier use of the parameter has left there
        if (!kernel.adds_[i]) continue;
        for (std::size_t k = 0; k < own[i].size(); ++k) slice(i)[k] += own[i][k];
      }
    }

    float* slice(std::size_t i) const { return static_cast<float*>(gradients[i].get_data_handle()); }

    const CustomBackward& kernel;
    std::vector<DstMap> diff_srcs;
    std::vector<std::span<float>> diff_parameters;
    std::vector<dnnl::memory> gradients;  // in the slice
    std::vector<std::vector<float>> own;  // this node's share, where another node has written the gradient before
  };

  // The gradients of a user's parameters lie in the slice as the parameters do.
  void claim_gradients(const BuildContext& context) {
    for (const int id : ids_) {
      const Parameter& parameter = context.graph().parameters[static_cast<std::size_t>(id)];
      const Shape shape(parameter.extents.begin(), parameter.extents.begin() + parameter.rank);
      GradientLayout::Entry& entry = context.gradients->entries[static_cast<std::size_t>(id)];
      adds_.push_back(entry.written);
      if (entry.written && entry.desc != plain_desc(shape)) {
        fail<ModelError>({.where = describe(context.graph(), context.step->node),
                          .expected = "a parameter that only this kind of operation uses, in training",
                          .got = parameter_name(context.graph(), id) + ", which another kind uses too"});
      }
      entry.written = true;
      entry.desc = plain_desc(shape);
    }
  }

  void (*backward_)(const BackwardCall&) = nullptr;
  Options options_{};
  std::size_t src_count_ = 0;
  int which_ = -1;
  std::vector<char> adds_;  // by parameter: whether another node has written its gradient before
};

POSEMACHINE_INLINE std::unique_ptr<Kernel> make_custom(const BuildContext& context) {
  return std::make_unique<CustomForward>(context);
}

POSEMACHINE_INLINE std::unique_ptr<Kernel> make_custom_backward(const BuildContext& context) {
  return std::make_unique<CustomBackward>(context);
}

}  // namespace detail

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
