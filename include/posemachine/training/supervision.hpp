// What each output of a network is trained by: a loss, its weight, and where its targets are in a batch.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/data/loader.hpp>
#include <posemachine/data/output_targets.hpp>
#include <posemachine/engine/batch_gradients.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/model/model.hpp>
#include <posemachine/pose/model_spec.hpp>
#include <posemachine/training/losses/loss_kind.hpp>
#include <posemachine/training/output_roles.hpp>
#include <posemachine/training/train_kinds.hpp>
#include <posemachine/training/train_options.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// How one output of the graph is trained.
struct SupervisedOutput {
  std::string name;
  bool is_heatmaps = true;
  LossKind loss{};
  double weight = 1;                     // 0: its gradient is 0
  std::optional<std::size_t> targets{};  // its place among Batch::output_targets; none: the heatmaps', or not trained
};

/// All outputs of a model in the graph's order, and the targets that the loader has to draw for them.
struct Supervision {
  std::vector<SupervisedOutput> outputs;
  std::vector<OutputTargets> targets;

  /// Stages or others: their places among the outputs.
  std::vector<std::size_t> places(bool heatmaps) const;
  /// Those whose losses see logits.
  std::vector<std::size_t> logits() const;
};

namespace detail {

OutputOptions options_of(const std::string& output, const TrainOptions& options);

}  // namespace detail

/// Errors: UsageError for options of an output that there is not, for a role that no row draws targets for, and
/// for one that wants another number of channels.
Supervision supervise(const Model& model, const TrainOptions& options, const TrainKinds& kinds);

/// The loss of one output for a slice of a batch, without its weight; writes its gradient, with the weight.
/// Shapes: `batch`: images of the whole batch.
double compute_loss(const SupervisedOutput& output, std::size_t place, const Batch& made, const engine::SliceView& view,
                    int batch);

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/training/supervision.ipp>
#endif
