// LoopKernel: a step that a loop of our own computes.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/engine/dnnl_bridge.hpp>
#include <posemachine/engine/kernel.hpp>

#include <functional>
#include <memory>
#include <utility>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

/// `prepare` gets the memory of an execution once and returns what runs on it.
class LoopKernel : public Kernel {
 public:
  using Loop = std::function<void(const RandomKey&)>;
  explicit LoopKernel(std::function<Loop(const Binding&)> prepare) : prepare_(std::move(prepare)) {}

  bool runs_on_host() const override { return true; }

  std::unique_ptr<BoundKernel> bind(const Binding& binding) const override {
    return std::make_unique<Bound>(prepare_(binding));
  }

 private:
  struct Bound : BoundKernel {
    explicit Bound(Loop prepared) : loop(std::move(prepared)) {}
    void run(dnnl::stream&, const RandomKey& key) override { loop(key); }

    Loop loop;
  };

  std::function<Loop(const Binding&)> prepare_;
};

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
