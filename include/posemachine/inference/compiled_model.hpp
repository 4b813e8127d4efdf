// CompiledModel: a model made ready to run, once for all threads.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/tensor.hpp>
#include <posemachine/engine/prepared_weights.hpp>
#include <posemachine/engine/program.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/passes/for_inference.hpp>
#include <posemachine/graph/passes/keep_stages.hpp>
#include <posemachine/inference/program_cache.hpp>
#include <posemachine/model/model.hpp>

#include <memory>
#include <utility>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {

/// The network as inference runs it (dropouts gone, batch norms folded), its programs by size of input and number of
/// threads, and its weights in the layouts that they want. Cheap to copy: copies share all of it, on any thread.
class CompiledModel {
 public:
  /// `stages`: how many of the network's stages are computed; 0: all. Programs are compiled with `common`, but for
  /// image, threads and max_bytes. Errors: UsageError where there are not as many stages.
  explicit CompiledModel(const Model& model, int stages = 0, const ProgramOptions& common = {}) {
    Graph graph = model.graph();
    std::vector<Tensor> parameters = model.parameters();
    if (stages != 0) keep_stages(graph, parameters, outputs_up_to(model, stages));
    prepare_for_inference(graph, parameters);
    programs_ = std::make_shared<ProgramCache>(std::make_shared<const Graph>(std::move(graph)), common);
    weights_ = std::make_shared<PreparedWeights>(std::make_shared<const std::vector<Tensor>>(std::move(parameters)),
                                                 common.device);
  }

  /// Its outputs are the stages, in the order of the model's meaning.
  const Graph& graph() const { return programs_->graph(); }
  const std::shared_ptr<ProgramCache>& programs() const { return programs_; }
  const std::shared_ptr<PreparedWeights>& weights() const { return weights_; }

 private:
  // How many outputs the graph has up to a stage: with others before it, more than stages.
  static int outputs_up_to(const Model& model, int stages) {
    const std::vector<std::size_t> heatmaps = heatmap_outputs(model.graph(), model.meaning());
    const auto count = static_cast<std::size_t>(std::max(stages, 0));
    if (count >= 1 && count <= heatmaps.size()) return static_cast<int>(heatmaps[count - 1]) + 1;
    fail<UsageError>({.where = "stages",
                      .expected = "1 to " + std::to_string(heatmaps.size()) + ", as many as the network has",
                      .got = std::to_string(stages)});
  }

  std::shared_ptr<ProgramCache> programs_;
  std::shared_ptr<PreparedWeights> weights_;
};

}  // namespace posemachine::inline POSEMACHINE_BUILD
