// BatchGradients: the gradients of a batch, cut into fixed slices that workers compute side by side.
#pragma once

#include <posemachine/base/aligned_memory.hpp>
#include <posemachine/base/parallel.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/tensor.hpp>
#include <posemachine/engine/device.hpp>
#include <posemachine/engine/plan.hpp>
#include <posemachine/engine/recomputation.hpp>
#include <posemachine/engine/reorder.hpp>
#include <posemachine/graph/differentiate.hpp>
#include <posemachine/graph/ops/batch_norm.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {

struct BatchGradientsOptions {
  int batch = 32;
  int slice = 0;    // images computed together; batch norm's statistics are those of a slice; 0: default_slice()
  int workers = 2;  // threads, each with a plan of its own whose primitives have a team of one
  Size image;
  bool recompute = false;  // keep less between forward and backward and compute it again: less memory, more time
};

/// Images that are best computed together. Single ones, where nothing ties images to each other: half the memory of two,
/// concats without copies, 1.2 times the speed of eight. With batch norm in training, whose statistics need numbers: the
/// largest divisor of the batch up to 8.
inline int default_slice(const Graph& network, int batch) {
  const bool tied = std::any_of(network.nodes.begin(), network.nodes.end(), [&](const Node& node) {
    return node.op == &batch_norm_op && !is_frozen_batch_norm(network, node);
  });
  int slice = tied ? std::clamp(batch, 1, 8) : 1;
  while (batch % slice != 0) --slice;
  return slice;
}

/// What the loss sees of one slice: the outputs of its images, and where their gradients go.
struct SliceView {
  int index = 0;                                   // of the slice
  int first = 0;                                   // its first image within the batch
  int count = 0;
  std::vector<std::span<const float>> outputs;     // of every stage: (count, C, h, w)
  std::vector<std::span<float>> output_gradients;  // to be written: the same shapes
};

/// Forward and backward over a batch. The bytes of the results depend on batch and slice, not on the number of workers:
/// slices are the same whoever computes them, and their gradients are summed along a fixed tree.
class BatchGradients {
 public:
  /// The parameters are the master values: plain, changed by the optimiser between steps. Batch norm's running
  /// statistics among them are updated by compute(). Errors: UsageError where batch is not a multiple of slice,
  /// ModelError where the network cannot be differentiated at this size.
  BatchGradients(const Graph& network, std::shared_ptr<std::vector<Tensor>> parameters,
                 const BatchGradientsOptions& options)
      : options_(resolved(network, options)), parameters_(std::move(parameters)),
        weights_(std::make_shared<PreparedWeights>(parameters_)), workers_(useful_workers(options_)) {
    Graph graph = differentiate(network);
    if (options_.recompute) {
      graph = recompute_for_memory(graph, options_.slice, options_.image, Device::cpu().block());
    }
    PlanOptions plan_options;
    plan_options.batch = options_.slice;
    plan_options.image = options_.image;
    plan_options.mode = Mode::training;
    for (int i = 0; i < workers_.threads(); ++i)
      plans_.push_back(std::make_unique<Plan>(graph, weights_, plan_options));
    const GradientLayout& layout = plans_.front()->gradient_layout();
    for (int i = 0; i < slice_count(); ++i) slices_.push_back(make_aligned<float>(layout.floats));
    for (const Tensor& parameter : *parameters_) gradients_.emplace_back(parameter.shape);
    make_unpacking();
    find_statistics(network);
  }

  int slice_count() const { return options_.batch / options_.slice; }
  const std::vector<std::unique_ptr<Plan>>& plans() const { return plans_; }
  Workers& workers() { return workers_; }

  /// By parameter id, of the last compute(); zero for buffers.
  const std::vector<Tensor>& gradients() const { return gradients_; }
  std::vector<Tensor>& gradients() { return gradients_; }

  /// One step: `images` (batch, 3, H, W) feeds input `input_name`; `loss` is called once a slice, on any worker, and
  /// writes the gradients of the outputs. Draws of dropout are those of (seed, step, sample = position in the batch).
  /// Errors: UsageError where `images` has another size, whatever `loss` throws.
  void compute(std::string_view input_name, std::span<const float> images,
               const std::function<void(const SliceView&)>& loss, std::uint64_t seed, std::uint64_t step) {
    weights_->refresh();
    const std::size_t slice_floats = plans_.front()->input(input_name).size();
    const std::size_t expected = slice_floats * static_cast<std::size_t>(slice_count());
    if (images.size() != expected) {
      fail<UsageError>({.where = "images of a batch",
                        .expected = std::to_string(expected) + " values",
                        .got = std::to_string(images.size())});
    }
    workers_.for_each(slice_count(), [&](int index, int slot) {
      Plan& plan = *plans_[static_cast<std::size_t>(slot)];
      plan.bind_gradients(slices_[static_cast<std::size_t>(index)].get());
      const std::span<float> input = plan.input(input_name);
      const auto begin = images.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(index) * slice_floats);
      std::copy(begin, begin + static_cast<std::ptrdiff_t>(slice_floats), input.begin());
      SliceView view;
      view.index = index;
      view.first = index * options_.slice;
      view.count = options_.slice;
      const Draw draw{seed, step, static_cast<std::uint64_t>(view.first)};
      plan.run_forward(draw);
      for (std::size_t k = 0; k < plan.output_count(); ++k) view.outputs.push_back(plan.output(k));
      for (const Port& port : plan.graph().inputs) {
        if (plan.graph().values[static_cast<std::size_t>(port.value)].like < 0) continue;
        view.output_gradients.push_back(plan.input(Value{port.value}));
      }
      loss(view);
      plan.run_backward(draw);
    });
    merge_statistics();
    sum_slices();
    unpack_gradients();
  }

 private:
  static BatchGradientsOptions resolved(const Graph& network, BatchGradientsOptions options) {
    if (options.slice == 0 && options.batch >= 1) options.slice = default_slice(network, options.batch);
    if (options.slice < 1 || options.batch < 1 || options.batch % options.slice != 0) {
      fail<UsageError>({.where = "batch",
                        .expected = "a multiple of the slice, " + std::to_string(options.slice),
                        .got = std::to_string(options.batch)});
    }
    return options;
  }

  // A plan for every slot that a slice can run in, and no more slots than slices.
  static int useful_workers(const BatchGradientsOptions& options) {
    return std::min(options.workers, options.batch / options.slice);
  }

  using Slice = AlignedArray<float>;

  struct Statistic {
    int mean = -1;       // parameter ids
    int variance = -1;
    float momentum = 0;
    float unbiased = 1;  // n / (n - 1), n = images x cells of a slice
  };

  void make_unpacking() {
    const std::scoped_lock lock(detail::creation_mutex());
    const Team team(1);
    const dnnl::engine& engine = Device::cpu().engine();
    stream_ = dnnl::stream(engine);
    const GradientLayout& layout = plans_.front()->gradient_layout();
    for (std::size_t id = 0; id < layout.entries.size(); ++id) {
      const GradientLayout::Entry& entry = layout.entries[id];
      if (!entry.written || !is_trainable(id)) continue;
      const dnnl::memory from(entry.desc, engine, slices_.front().get() + entry.offset);
      const dnnl::memory to(detail::plain_desc(dims_of(entry.desc)), engine, gradients_[id].values.data());
      unpackings_.emplace_back(from, to);
    }
  }

  bool is_trainable(std::size_t id) const { return plans_.front()->graph().parameters[id].trainable; }

  void find_statistics(const Graph& network) {
    for (const Node& node : network.nodes) {
      if (node.op != &batch_norm_op || is_frozen_batch_norm(network, node)) continue;
      const ScheduledValue& value = plans_.front()->schedule().value(posemachine::input(network, node, 0).id);
      const double n = double(value.n) * value.h * value.w;
      statistics_.push_back({parameter_id(network, node, detail::batch_norm_mean),
                             parameter_id(network, node, detail::batch_norm_variance),
                             static_cast<float>(momentum(unpack<BatchNormOptions>(node.options))),
                             static_cast<float>(n > 1 ? n / (n - 1) : 1)});
    }
  }

  // running = (1 - m) running + m slice, one slice after the other.
  void merge_statistics() {
    const GradientLayout& layout = plans_.front()->gradient_layout();
    for (const Statistic& statistic : statistics_) {
      const auto merge = [&](int id, float factor) {
        std::vector<float>& running = (*parameters_)[static_cast<std::size_t>(id)].values;
        const std::size_t offset = layout.entries[static_cast<std::size_t>(id)].offset;
        for (const Slice& slice : slices_) {
          for (std::size_t c = 0; c < running.size(); ++c) {
            const float seen = slice[offset + c] * factor;
            running[c] += statistic.momentum * (seen - running[c]);
          }
        }
      };
      merge(statistic.mean, 1);
      merge(statistic.variance, statistic.unbiased);
    }
  }

  // slices[0] = the sum, along a tree that depends on the number of slices alone.
  void sum_slices() {
    const std::size_t floats = plans_.front()->gradient_layout().floats;
    const std::size_t chunk = 1 << 16;  // 256 KiB of each slice: stays in the second-level cache
    workers_.for_each(static_cast<int>((floats + chunk - 1) / chunk), [&](int index, int) {
      const std::size_t begin = static_cast<std::size_t>(index) * chunk;
      const std::size_t end = std::min(floats, begin + chunk);
      for (std::size_t distance = 1; distance < slices_.size(); distance *= 2) {
        for (std::size_t i = 0; i + distance < slices_.size(); i += 2 * distance) {
          float* into = slices_[i].get();
          const float* from = slices_[i + distance].get();
          for (std::size_t k = begin; k < end; ++k) into[k] += from[k];
        }
      }
    });
  }

  void unpack_gradients() {
    const Team team(1);
    for (const Reorder& each : unpackings_) each.run(stream_);
    stream_.wait();
  }

  BatchGradientsOptions options_;
  std::shared_ptr<std::vector<Tensor>> parameters_;
  std::shared_ptr<PreparedWeights> weights_;
  Workers workers_;
  std::vector<std::unique_ptr<Plan>> plans_;
  std::vector<Slice> slices_;
  std::vector<Tensor> gradients_;
  dnnl::stream stream_;
  std::vector<Reorder> unpackings_;
  std::vector<Statistic> statistics_;
};

}  // namespace posemachine::inline POSEMACHINE_BUILD
