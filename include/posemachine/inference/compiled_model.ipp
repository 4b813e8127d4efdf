// The definitions of inference/compiled_model.hpp.
#pragma once

#include <posemachine/inference/compiled_model.hpp>

#include <posemachine/core/error.hpp>
#include <posemachine/core/tensor.hpp>
#include <posemachine/graph/passes/for_inference.hpp>
#include <posemachine/graph/passes/keep_stages.hpp>

#include <utility>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

POSEMACHINE_INLINE CompiledModel::CompiledModel(const Model& model, int stages, const engine::ProgramOptions& common) {
  Graph graph = model.graph();
  std::vector<Tensor> parameters = model.parameters();
  if (stages != 0) keep_stages(graph, parameters, outputs_up_to(model, stages));
  prepare_for_inference(graph, parameters);
  programs_ = std::make_shared<ProgramCache>(std::make_shared<const Graph>(std::move(graph)), common);
  weights_ = std::make_shared<engine::PreparedWeights>(
      std::make_shared<const std::vector<Tensor>>(std::move(parameters)), common.device);
}

POSEMACHINE_INLINE int CompiledModel::outputs_up_to(const Model& model, int stages) {
  const std::vector<std::size_t> heatmaps = heatmap_outputs(model.graph(), model.spec());
  const auto count = static_cast<std::size_t>(std::max(stages, 0));
  if (count >= 1 && count <= heatmaps.size()) return static_cast<int>(heatmaps[count - 1]) + 1;
  fail<UsageError>({.where = "stages",
                    .expected = "1 to " + std::to_string(heatmaps.size()) + ", as many as the network has",
                    .got = std::to_string(stages)});
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
