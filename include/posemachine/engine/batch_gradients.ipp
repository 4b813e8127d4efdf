// The definitions of engine/batch_gradients.hpp.
#pragma once

#include <posemachine/engine/batch_gradients.hpp>

#include <posemachine/core/error.hpp>
#include <posemachine/engine/dnnl_errors.hpp>
#include <posemachine/engine/ops/batch_norm.hpp>
#include <posemachine/engine/processor.hpp>
#include <posemachine/engine/thread_limit.hpp>
#include <posemachine/graph/differentiate.hpp>
#include <posemachine/graph/ops/batch_norm.hpp>
#include <posemachine/schedule/recomputation.hpp>

#include <algorithm>
#include <string>
#include <utility>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

POSEMACHINE_INLINE int default_micro_batch(const Graph& network, int batch) {
  const bool tied = std::any_of(network.nodes.begin(), network.nodes.end(), [&](const Node& node) {
    return node.op->kind() == OpKind::batch_norm && !is_frozen_batch_norm(network, node);
  });
  int slice = tied ? std::clamp(batch, 1, 8) : 1;
  while (batch % slice != 0) --slice;
  return slice;
}

POSEMACHINE_INLINE BatchGradients::BatchGradients(const Graph& network, std::shared_ptr<std::vector<Tensor>> parameters,
                                                  const BatchGradientsOptions& options)
    : options_(resolved(network, options)),
      parameters_(std::move(parameters)),
      weights_(std::make_shared<PreparedWeights>(parameters_, options_.device)),
      workers_(useful_workers(options_)) {
  Graph graph = differentiate(network);
  if (options_.recompute) {
    graph = schedule::recompute_for_memory(graph, options_.slice, options_.image, options_.device.capabilities());
  }
  ProgramOptions program_options;
  program_options.batch = options_.slice;
  program_options.image = options_.image;
  program_options.mode = schedule::Mode::training;
  program_options.device = options_.device;
  const auto program = std::make_shared<const Program>(std::move(graph), program_options);
  while (executions_.size() < static_cast<std::size_t>(workers_.threads())) {
    executions_.push_back(std::make_unique<Execution>(program, weights_));
  }
  const std::size_t floats = executions_.front()->gradient_layout().floats;
  sum_ = std::make_unique<SliceSum>(slice_count(), share(), floats);
  if (options.ranks != nullptr) received_ = make_aligned<float>(floats);
  for (const Tensor& parameter : *parameters_) gradients_.emplace_back(parameter.shape);
  make_unpacking();
  find_statistics(network);
}

POSEMACHINE_INLINE std::size_t BatchGradients::bytes() const {
  std::size_t bytes = sum_->row_count() * sum_->floats() * sizeof(float);
  for (const auto& execution : executions_) bytes += execution->bytes();
  return bytes;
}

POSEMACHINE_INLINE void BatchGradients::compute(std::string_view input_name, std::span<const float> images,
                                                const std::function<void(const SliceView&)>& loss, std::uint64_t seed,
                                                std::uint64_t step) {
  require_same_kernels();
  weights_->refresh();
  const std::size_t slice_floats = executions_.front()->input(input_name).size();
  const std::size_t expected = slice_floats * static_cast<std::size_t>(share().count);
  if (images.size() != expected) {
    fail<UsageError>({.where = "images of a batch",
                      .expected = std::to_string(expected) + " values",
                      .got = std::to_string(images.size())});
  }
  sum_->restart();
  workers_.for_each(share().count, [&](int index, int slot) {
    Execution& execution = *executions_[static_cast<std::size_t>(slot)];
    float* const row = sum_->take(share().first + index);
    execution.bind_gradients(row);
    const std::span<float> input = execution.input(input_name);
    const auto begin = images.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(index) * slice_floats);
    std::copy(begin, begin + static_cast<std::ptrdiff_t>(slice_floats), input.begin());
    SliceView view;
    view.index = share().first + index;
    view.first = view.index * options_.slice;
    view.count = options_.slice;
    const RandomKey key{seed, step, static_cast<std::uint64_t>(view.first)};
    execution.run_forward(key);
    for (std::size_t k = 0; k < execution.output_count(); ++k) view.outputs.push_back(execution.output(k));
    for (const Port& port : execution.graph().inputs) {
      if (execution.graph().values[static_cast<std::size_t>(port.value)].like < 0) continue;
      view.output_gradients.push_back(execution.input(Value{port.value}));
    }
    loss(view);
    execution.run_backward(key);
    keep_statistics(view.index, row);
    sum_->put(view.index);
  });
  merge_statistics();
  if (options_.ranks != nullptr) sum_with_others();
  unpack_gradients();
}

POSEMACHINE_INLINE BatchGradientsOptions BatchGradients::resolved(const Graph& network, BatchGradientsOptions options) {
  if (options.slice == 0 && options.batch >= 1) options.slice = default_micro_batch(network, options.batch);
  if (options.slice < 1 || options.batch < 1 || options.batch % options.slice != 0) {
    fail<UsageError>({.where = "batch",
                      .expected = "a multiple of the slice, " + std::to_string(options.slice),
                      .got = std::to_string(options.batch)});
  }
  if (options.device.memory() != nullptr) {
    fail<UsageError>({.where = "device",
                      .expected = "one whose memory the host sees, to sum gradients in",
                      .got = "a memory of its own"});
  }
  const int slices = options.batch / options.slice;
  if (options.ranks != nullptr && options.ranks->count() > slices) {
    fail<UsageError>({.where = "ranks",
                      .expected = "at most one for each of the " + std::to_string(slices) + " slices of a batch",
                      .got = std::to_string(options.ranks->count()),
                      .remedy = "start fewer processes, or train with a larger batch or smaller slices"});
  }
  return options;
}

POSEMACHINE_INLINE BlockPartition BatchGradients::share_of_slices(const BatchGradientsOptions& options) {
  const int slices = options.batch / options.slice;
  if (options.ranks == nullptr) return {0, slices};
  return share_of_rank(options.ranks->rank(), options.ranks->count(), slices);
}

POSEMACHINE_INLINE int BatchGradients::useful_workers(const BatchGradientsOptions& options) {
  return std::min(options.workers, share_of_slices(options).count);
}

POSEMACHINE_INLINE void BatchGradients::make_unpacking() {
  const std::scoped_lock lock(detail::creation_mutex());
  const ThreadLimit limit(1);
  const dnnl::engine& engine = options_.device.engine();
  stream_ = dnnl::stream(engine);
  const GradientLayout& layout = executions_.front()->gradient_layout();
  for (std::size_t id = 0; id < layout.entries.size(); ++id) {
    const GradientLayout::Entry& entry = layout.entries[id];
    if (!entry.written || !is_trainable(id)) continue;
    const dnnl::memory from(entry.desc, engine, sum_->first() + entry.offset);
    const dnnl::memory to(detail::plain_desc(dims_of(entry.desc)), engine, gradients_[id].values.data());
    detail::with_own_errors(
        [&] { return "gradient of " + parameter_name(executions_.front()->graph(), static_cast<int>(id)); },
        [&] { unpackings_.emplace_back(from, to); });
  }
}

POSEMACHINE_INLINE void BatchGradients::find_statistics(const Graph& network) {
  for (const Node& node : network.nodes) {
    if (node.op->kind() != OpKind::batch_norm || is_frozen_batch_norm(network, node)) continue;
    const schedule::ScheduledValue& value =
        executions_.front()->schedule().value(posemachine::input(network, node, 0).id);
    const double n = double(value.n) * value.h * value.w;
    const auto rate = static_cast<float>(momentum(unpack<BatchNormOptions>(node.options)));
    const auto unbiased = static_cast<float>(n > 1 ? n / (n - 1) : 1);
    for (const int which : {detail::batch_norm_mean, detail::batch_norm_variance}) {
      const int id = parameter_id(network, node, which);
      statistics_.push_back({id, rate, which == detail::batch_norm_variance ? unbiased : 1, seen_row_});
      seen_row_ += running(statistics_.back()).size();
    }
  }
  seen_.resize(seen_row_ * static_cast<std::size_t>(slice_count()));
}

POSEMACHINE_INLINE std::vector<float>& BatchGradients::running(const Statistic& statistic) {
  return (*parameters_)[static_cast<std::size_t>(statistic.parameter)].values;
}

POSEMACHINE_INLINE void BatchGradients::keep_statistics(int slice, const float* row) {
  const GradientLayout& layout = executions_.front()->gradient_layout();
  for (const Statistic& statistic : statistics_) {
    const std::size_t offset = layout.entries[static_cast<std::size_t>(statistic.parameter)].offset;
    std::copy_n(
        row + offset, running(statistic).size(),
        seen_.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(slice) * seen_row_ + statistic.at));
  }
}

POSEMACHINE_INLINE void BatchGradients::merge_statistics() {
  if (options_.ranks != nullptr && !seen_.empty()) exchange(*options_.ranks, std::span<float>(seen_), slice_count());
  for (const Statistic& statistic : statistics_) {
    std::vector<float>& values = running(statistic);
    for (std::size_t row = 0; row < seen_.size(); row += seen_row_) {
      for (std::size_t c = 0; c < values.size(); ++c) {
        const float seen = seen_[row + statistic.at + c] * statistic.unbiased;
        values[c] += statistic.momentum * (seen - values[c]);
      }
    }
  }
}

POSEMACHINE_INLINE void BatchGradients::require_same_kernels() {
  if (options_.ranks == nullptr || kernels_agreed_) return;
  const std::string own = instruction_set() + ", oneDNN " + onednn_version() + ", " +
                          std::to_string(executions_.front()->gradient_layout().floats) + " floats of gradients";
  const std::string first = text_of_first(*options_.ranks, own);
  if (own != first) {
    fail<RuntimeFailure>({.where = "rank " + std::to_string(options_.ranks->rank()),
                          .expected = "the kernels of rank 0, " + first,
                          .got = own,
                          .remedy = "give all ranks the same oneDNN, and ONEDNN_MAX_CPU_ISA what every machine has"});
  }
  kernels_agreed_ = true;
}

POSEMACHINE_INLINE void BatchGradients::sum_with_others() {
  const std::size_t floats = sum_->floats();
  const auto add = [&](float* into, const float* from) {
    const auto parts = static_cast<std::size_t>(workers_.threads());
    workers_.for_each(workers_.threads(), [&](int index, int) {
      const std::size_t begin = floats * static_cast<std::size_t>(index) / parts;
      const std::size_t end = floats * static_cast<std::size_t>(index + 1) / parts;
      for (std::size_t k = begin; k < end; ++k) into[k] += from[k];
    });
  };
  sum_over_ranks(*options_.ranks, slice_count(), sum_->rows(), {received_.get(), floats}, add);
}

POSEMACHINE_INLINE void BatchGradients::unpack_gradients() {
  const ThreadLimit limit(1);
  detail::with_own_errors([] { return std::string("gradients"); },
                          [&] {
                            for (const Reorder& each : unpackings_) each.run(stream_);
                            stream_.wait();
                          });
}

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
