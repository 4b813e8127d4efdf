// CompiledModel: a model made ready to run, once for all threads.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/engine/prepared_weights.hpp>
#include <posemachine/engine/program.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/inference/program_cache.hpp>
#include <posemachine/model/model.hpp>

#include <memory>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// The network as inference runs it (dropouts gone, batch norms folded), its programs by size of input and number of
/// threads, and its weights in the layouts that they want. Cheap to copy: copies share all of it, on any thread.
class CompiledModel {
 public:
  /// `stages`: how many of the network's stages are computed; 0: all. Programs are compiled with `common`, but for
  /// image, threads and max_bytes. Errors: UsageError where there are not as many stages.
  explicit CompiledModel(const Model& model, int stages = 0, const engine::ProgramOptions& common = {});

  /// Its outputs are the stages, in the order of the model's spec.
  const Graph& graph() const { return programs_->graph(); }
  const std::shared_ptr<ProgramCache>& programs() const { return programs_; }
  const std::shared_ptr<engine::PreparedWeights>& weights() const { return weights_; }

 private:
  // How many outputs the graph has up to a stage: with others before it, more than stages.
  static int outputs_up_to(const Model& model, int stages);

  std::shared_ptr<ProgramCache> programs_;
  std::shared_ptr<engine::PreparedWeights> weights_;
};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/inference/compiled_model.ipp>
#endif
