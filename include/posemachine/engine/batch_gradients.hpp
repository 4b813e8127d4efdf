// BatchGradients: the gradients of a batch, cut into fixed slices that workers compute side by side.
#pragma once

#include <posemachine/base/aligned_memory.hpp>
#include <posemachine/base/parallel.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/core/tensor.hpp>
#include <posemachine/engine/communicator.hpp>
#include <posemachine/engine/device.hpp>
#include <posemachine/engine/dnnl_bridge.hpp>
#include <posemachine/engine/execution.hpp>
#include <posemachine/engine/reorder.hpp>
#include <posemachine/engine/slice_sum.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

struct BatchGradientsOptions {
  int batch = 32;
  int slice = 0;    // images computed together; batch norm's statistics are those of a slice; 0: default_micro_batch()
  int workers = 2;  // threads, each with an execution of its own whose primitives have a team of one
  Size image;
  bool recompute = false;  // keep less between forward and backward and compute it again: less memory, more time
  std::shared_ptr<Communicator> ranks{};  // processes that share the slices; null: this one computes all
  Device device = Device::cpu();          // whose memory the host sees: slices are summed there
};

/// Images that are best computed together. Single ones, where nothing ties images to each other: concats without
/// copies, a third of the memory of two (scaling-dilation at 256, with the time 1, 1.02 and 1.08 for slices of 1, 2 and
/// 8). With batch norm in training, whose statistics need numbers: the largest divisor of the batch up to 8.
int default_micro_batch(const Graph& network, int batch);

/// What the loss sees of one slice: the outputs of its images, and where their gradients go.
struct SliceView {
  int index = 0;  // of the slice
  int first = 0;  // its first image within the batch
  int count = 0;
  std::vector<std::span<const float>> outputs;     // of every stage: (count, C, h, w)
  std::vector<std::span<float>> output_gradients;  // to be written: the same shapes
};

/// Forward and backward over a batch. The bytes of the results depend on batch and slice, not on how many workers or
/// ranks there are: slices are the same whoever computes them, and their gradients are summed along a fixed tree. Each
/// rank computes its share of the slices, and all of them have the results.
class BatchGradients {
 public:
  /// The parameters are the master values: plain, changed by the optimiser between steps. Batch norm's running
  /// statistics among them are updated by compute(). Errors: UsageError where batch is not a multiple of slice or has
  /// fewer slices than there are ranks, ModelError where the network cannot be differentiated at this size.
  BatchGradients(const Graph& network, std::shared_ptr<std::vector<Tensor>> parameters,
                 const BatchGradientsOptions& options);

  int slice_count() const { return options_.batch / options_.slice; }
  /// The slices that this process computes.
  BlockPartition share() const { return share_of_slices(options_); }
  const std::vector<std::unique_ptr<Execution>>& executions() const { return executions_; }
  /// Of the executions and of the gradients of slices that wait to be added.
  std::size_t bytes() const;
  Workers& workers() { return workers_; }

  /// By parameter id, of the last compute(); zero for buffers.
  const std::vector<Tensor>& gradients() const { return gradients_; }
  std::vector<Tensor>& gradients() { return gradients_; }

  /// One step: `images` (batch, 3, H, W), with ranks those of share() alone, feeds input `input_name`; `loss` is called
  /// once a slice, on any worker, and writes the gradients of the outputs. Draws of dropout are those of (seed, step,
  /// sample = position in the batch). Errors: UsageError where `images` has another size, RuntimeFailure where a rank
  /// cannot be reached or has other kernels than rank 0, whatever `loss` throws.
  void compute(std::string_view input_name, std::span<const float> images,
               const std::function<void(const SliceView&)>& loss, std::uint64_t seed, std::uint64_t step);

 private:
  static BatchGradientsOptions resolved(const Graph& network, BatchGradientsOptions options);
  static BlockPartition share_of_slices(const BatchGradientsOptions& options);

  // An execution for every slot that a slice can run in, and no more slots than slices.
  static int useful_workers(const BatchGradientsOptions& options);

  // A running mean or variance.
  struct Statistic {
    int parameter = -1;
    float momentum = 0;
    float unbiased = 1;  // variance: n / (n - 1), n = images x cells of a slice
    std::size_t at = 0;  // where it begins in a row of seen_
  };

  void make_unpacking();

  bool is_trainable(std::size_t id) const { return executions_.front()->graph().parameters[id].trainable; }

  void find_statistics(const Graph& network);
  std::vector<float>& running(const Statistic& statistic);

  // Before the slice's row becomes part of a sum.
  void keep_statistics(int slice, const float* row);

  // running = (1 - m) running + m slice, one slice after the other.
  void merge_statistics();

  // Ranks whose kernels lay gradients out or round otherwise would give sums that mean nothing, or are not the same.
  void require_same_kernels();
  void sum_with_others();
  void unpack_gradients();

  BatchGradientsOptions options_;
  std::shared_ptr<std::vector<Tensor>> parameters_;
  std::shared_ptr<PreparedWeights> weights_;
  Workers workers_;
  std::vector<std::unique_ptr<Execution>> executions_;
  std::unique_ptr<SliceSum> sum_;
  AlignedArray<float> received_;  // a row of another rank
  bool kernels_agreed_ = false;
  std::vector<Tensor> gradients_;
  dnnl::stream stream_;
  std::vector<Reorder> unpackings_;
  std::vector<Statistic> statistics_;
  std::size_t seen_row_ = 0;  // floats of a slice's statistics
  std::vector<float> seen_;   // (slices, seen_row_)
};

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/engine/batch_gradients.ipp>
#endif
