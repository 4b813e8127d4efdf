// Where primitives run: an engine and what it prefers.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/engine/dnnl_bridge.hpp>

#include <utility>

namespace posemachine::inline POSEMACHINE_BUILD {

/// A oneDNN engine with the channel block its fastest kernels use. Cheap to copy; safe to share between threads.
class Device {
 public:
  /// The processor.
  static const Device& cpu() {
    static const Device device{dnnl::engine(dnnl::engine::kind::cpu, 0)};
    return device;
  }

  const dnnl::engine& engine() const { return engine_; }

  /// Channels that stand together in the blocked layout: 16 with AVX-512, 8 with AVX2. Asked, not assumed.
  int block() const { return block_; }

 private:
  explicit Device(dnnl::engine engine) : engine_(std::move(engine)) {
    using dnnl::memory;
    const auto any = [](const memory::dims& dims) {
      return memory::desc(dims, memory::data_type::f32, memory::format_tag::any);
    };
    const auto desc = make_desc<dnnl::convolution_forward>(
        engine_, dnnl::primitive_attr{}, dnnl::prop_kind::forward_training, dnnl::algorithm::convolution_direct,
        any({1, 32, 16, 16}), any({32, 32, 3, 3}), any({1, 32, 16, 16}), memory::dims{1, 1}, memory::dims{0, 0},
        memory::dims{1, 1}, memory::dims{1, 1});
    const int asked = is_empty(desc) ? 0 : block_size(desc.dst_desc());
    block_ = asked == 8 || asked == 16 ? asked : 8;
  }

  dnnl::engine engine_;
  int block_ = 8;
};

}  // namespace posemachine::inline POSEMACHINE_BUILD
