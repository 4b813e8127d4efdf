// The engine's way of running a user's kernels: on plain maps, copied in and out where the plan's are blocked.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/engine/dnnl_bridge.hpp>
#include <posemachine/engine/ops/copy_channels.hpp>
#include <posemachine/engine/runner.hpp>
#include <posemachine/graph/custom_op.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {

namespace detail {

// A map of the plan and where the kernel sees it: in place, or as a plain copy in scratch memory.
class PlainMap {
 public:
  // Adds what the copy takes to the runner's scratch memory, and what it moves.
  PlainMap(const BuildContext& context, int value, Runner& runner) : value_(value) {
    const ScheduledValue& map = context.schedule->value(value);
    if (map.layout == Layout::plain) return;
    runner.scratch_bytes = (runner.scratch_bytes + 63) / 64 * 64;
    offset_ = static_cast<std::ptrdiff_t>(runner.scratch_bytes);
    const std::size_t bytes = sizeof(float) * static_cast<std::size_t>(map.n) * static_cast<std::size_t>(map.c) *
                              static_cast<std::size_t>(map.h) * static_cast<std::size_t>(map.w);
    runner.scratch_bytes += bytes;
    runner.moved_bytes += static_cast<std::int64_t>(2 * bytes);
  }

  void bind(const Binding& binding) {
    plans_ = MapMemory::of(binding.schedule->value(value_), binding.schedule->block(), binding.floats(value_));
    plain_ = plans_;
    if (offset_ < 0) return;
    plain_.data = reinterpret_cast<float*>(binding.scratch + offset_);
    plain_.block = 0;
  }
  void load() const {
    if (offset_ >= 0) copy_channels(plans_, 0, plain_, 0, plans_.c);
  }
  void store() const {
    if (offset_ >= 0) copy_channels(plain_, 0, plans_, 0, plans_.c);
  }
  SrcMap src() const { return {plain_.data, plain_.n, plain_.c, plain_.h, plain_.w}; }
  DstMap dst() const { return {plain_.data, plain_.n, plain_.c, plain_.h, plain_.w}; }

 private:
  int value_;
  std::ptrdiff_t offset_ = -1;
  MapMemory plans_;
  MapMemory plain_;
};

// Both directions have srcs and parameters.
class CustomRunner : public Runner {
 public:
  explicit CustomRunner(const BuildContext& context) : training_(context.training()) {
    const Node& node = context.node();
    for (int i = 0; i < node.inputs.count; ++i) {
      maps_.emplace_back(context, context.schedule->src(*context.step, i), *this);
    }
    if (context.step->dst >= 0) dst_ = std::make_unique<PlainMap>(context, context.step->dst, *this);
    for (int i = 0; i < node.parameters.count; ++i) ids_.push_back(parameter_id(context.graph(), node, i));
  }

  void bind(const Binding& binding) override {
    srcs_.clear();
    parameters_.clear();
    for (PlainMap& map : maps_) {
      map.bind(binding);
      srcs_.push_back(map.src());
    }
    if (dst_ != nullptr) dst_->bind(binding);
    for (const int id : ids_) parameters_.push_back(binding.weights->parameters()[static_cast<std::size_t>(id)].values);
  }

 protected:
  void load() const {
    for (const PlainMap& map : maps_) map.load();
  }

  bool training_;
  std::vector<PlainMap> maps_;
  std::vector<SrcMap> srcs_;  // of maps_, by their order
  std::unique_ptr<PlainMap> dst_;
  std::vector<int> ids_;
  std::vector<std::span<const float>> parameters_;
};

class CustomForward : public CustomRunner {
 public:
  explicit CustomForward(const BuildContext& context)
      : CustomRunner(context), kernel_(context.node().op->kernels->forward), options_(context.node().options) {
    implementation = "custom:" + std::string(context.node().op->name);
  }

  void run(dnnl::stream& stream, const Draw&) override {
    stream.wait();
    load();
    kernel_({.srcs = srcs_, .parameters = parameters_, .options = options_, .training = training_, .dst = dst_->dst()});
    dst_->store();
  }

 private:
  void (*kernel_)(const ForwardCall&);
  Options options_;
};

class CustomBackward : public CustomRunner {
 public:
  explicit CustomBackward(const BuildContext& context) : CustomRunner(context) {
    const Node& forward = context.graph().nodes[static_cast<std::size_t>(context.node().forward)];
    kernel_ = forward.op->kernels->backward;
    options_ = forward.options;
    implementation = "custom:" + std::string(forward.op->name);
    src_count_ = static_cast<std::size_t>(forward.inputs.count);
    which_ = unpack<CustomBackwardOptions>(context.node().options).src;
    diff_srcs_.resize(src_count_);
    diff_parameters_.resize(ids_.size());
    if (which_ < 0) claim_gradients(context);
  }

  void bind(const Binding& binding) override {
    CustomRunner::bind(binding);
    gradients_.clear();
    own_.clear();
    if (which_ >= 0) diff_srcs_[static_cast<std::size_t>(which_)] = dst_->dst();
    if (which_ >= 0) return;
    for (std::size_t i = 0; i < ids_.size(); ++i) {
      const GradientLayout::Entry& entry = binding.gradients->entries[static_cast<std::size_t>(ids_[i])];
      gradients_.emplace_back(entry.desc, binding.device->engine(), nullptr);
      binding.gradient_memories->push_back({gradients_.back(), ids_[i]});
      own_.push_back(std::vector<float>(adds_[i] ? parameters_[i].size() : 0));
    }
  }

  void run(dnnl::stream& stream, const Draw&) override {
    stream.wait();
    load();
    for (std::size_t i = 0; i < gradients_.size(); ++i) {
      float* slice = static_cast<float*>(gradients_[i].get_data_handle());
      diff_parameters_[i] = {adds_[i] ? own_[i].data() : slice, parameters_[i].size()};
    }
    kernel_({.srcs = std::span(srcs_).first(src_count_),
             .parameters = parameters_,
             .options = options_,
             .dst = srcs_[src_count_],
             .diff_dst = srcs_[src_count_ + 1],
             .diff_srcs = diff_srcs_,
             .diff_parameters = diff_parameters_});
    if (dst_ != nullptr) dst_->store();
    for (std::size_t i = 0; i < gradients_.size(); ++i) {  // what an earlier use of the parameter has left there
      if (!adds_[i]) continue;
      float* slice = static_cast<float*>(gradients_[i].get_data_handle());
      for (std::size_t k = 0; k < own_[i].size(); ++k) slice[k] += own_[i][k];
    }
  }

 private:
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

  void (*kernel_)(const BackwardCall&) = nullptr;
  Options options_{};
  std::size_t src_count_ = 0;
  int which_ = -1;
  std::vector<DstMap> diff_srcs_;
  std::vector<std::span<float>> diff_parameters_;
  std::vector<dnnl::memory> gradients_;  // in the slice
  std::vector<char> adds_;               // by parameter: whether another node has written its gradient before
  std::vector<std::vector<float>> own_;  // ... and this node's share of it
};

inline std::unique_ptr<Runner> make_custom(const BuildContext& context) {
  return std::make_unique<CustomForward>(context);
}

inline std::unique_ptr<Runner> make_custom_backward(const BuildContext& context) {
  return std::make_unique<CustomBackward>(context);
}

}  // namespace detail

inline constexpr EngineOp custom_engine{nullptr, detail::make_custom};
inline constexpr std::array custom_backward_engine{EngineOp{&custom_backward_op, detail::make_custom_backward}};

}  // namespace posemachine::inline POSEMACHINE_BUILD
