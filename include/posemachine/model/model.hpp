// Model: a graph, its weights and what inputs and outputs mean; a file that explains itself.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/tensor.hpp>
#include <posemachine/graph/difference.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/layers/network.hpp>
#include <posemachine/model/model_weights.hpp>
#include <posemachine/model/network_description.hpp>
#include <posemachine/model/op_set.hpp>
#include <posemachine/model/safetensors.hpp>
#include <posemachine/pose/calibration.hpp>
#include <posemachine/pose/model_spec.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// The format of model files that this build writes, and the newest it reads.
inline constexpr int model_format = 1;

/// The outputs of a graph by their names.
std::vector<std::string> output_names(const Graph& graph);

/// The outputs of a graph that are heatmaps, first stage first, by their places: those without a role of their own.
std::vector<std::size_t> heatmap_outputs(const Graph& graph, const ModelSpec& spec);

/// The same by their names.
std::vector<std::string> heatmap_names(const Graph& graph, const ModelSpec& spec);

/// Errors: ModelError where spec and graph do not fit: names, channels, input size (a multiple of the largest
/// stride).
void check(const Graph& graph, const ModelSpec& spec, const std::string& where);

/// A network with its weights and their spec. Immutable, and cheap to copy: copies share everything.
class Model {
 public:
  using Notes = std::map<std::string, std::string>;

  /// Errors: ModelError where spec, graph and parameters do not fit. Shapes: one tensor per parameter, by id.
  Model(std::string network, Graph graph, std::vector<Tensor> parameters, ModelSpec spec, Notes notes = {});

  /// Of other types than floats, too. A parameter of floats may be given as bf16 or f16: it becomes f32, and the file
  /// holds what was given.
  Model(std::string network, Graph graph, std::vector<AnyTensor> parameters, ModelSpec spec, Notes notes = {});

  const std::string& network() const { return content_->network; }  // its name, for people
  const Graph& graph() const { return content_->graph; }            // before passes
  const ModelSpec& spec() const { return content_->spec; }
  const Notes& notes() const { return content_->notes; }  // further metadata of the file, passed through

  /// By parameter id. Those of a random model are drawn when they are asked for first.
  /// Errors: ModelError naming node and parameter where one is of another type than f32.
  const std::vector<Tensor>& parameters() const { return content_->weights->floats(content_->graph); }

  /// A parameter of any type, as the model's file has it.
  AnyTensor stored_parameter(int id) const { return content_->weights->tensor(content_->graph, id); }

  /// The parameters, kept alive by the pointer as the model is.
  std::shared_ptr<const std::vector<Tensor>> shared_parameters() const { return {content_, &parameters()}; }

  /// The same network with other weights; a calibration stays, whether it fits them or not.
  /// Errors: ModelError where their shapes differ.
  Model with_parameters(std::vector<Tensor> parameters) const;

  /// The same network with convolutions' weights rounded to bf16 or f16 and stored so, in half the bytes; f32 for full
  /// floats again. Vectors (biases, norms) and parameters of other types stay as they are.
  /// Errors: UsageError for a type of integers, ModelError naming a weight beyond the type's range.
  Model with_weights_stored_as(DataType type) const;

  /// The same network and weights with another spec. Errors: ModelError where it does not fit the graph.
  Model with_spec(ModelSpec spec) const;

  /// The same network and weights with another calibration of scores, or none.
  /// Errors: ModelError for numbers out of their ranges.
  Model with_calibration(std::optional<Calibration> calibration) const;

  /// The same model with another note. Errors: UsageError for a key that model files use themselves.
  Model with_note(const std::string& key, std::string text) const;

  /// Fresh weights, drawn from the seed. The spec's heatmaps are set to the graph's outputs, but for those with
  /// roles of their own; it has no calibration.
  /// Errors: ModelError where spec and graph do not fit.
  static Model random(std::string name, Graph graph, std::uint64_t seed, ModelSpec spec);

  static Model random(NetworkDescription network, std::uint64_t seed);

  template <class Net>
  static Model random(std::uint64_t seed, ModelSpec spec = {}) {
    static_assert(Checked<Net>::node >= 0);
    return random(std::string(identifier<Net>), graph_of<Net>(), seed, std::move(spec));
  }

  /// The bytes of the model's file: a safetensors file with graph and spec as metadata.
  std::string to_bytes() const;

  /// Errors: ModelError naming `where` and the field, down to the first tensor that is missing, extra or of another
  /// shape.
  static Model from_file(TensorFile file, const std::string& where, const OpSet& ops = OpSet());

  static Model from_bytes(std::string_view bytes, const std::string& where, const OpSet& ops = OpSet());

  static Model load(const std::filesystem::path& path, const OpSet& ops = OpSet());

  /// Loads a file whose graph must be that of Net. Errors: ModelError with the first difference, as load.
  template <class Net>
  static Model load_as(const std::filesystem::path& path) {
    Model model = load(path);
    const std::string difference = first_difference(model.graph(), graph_of<Net>());
    if (!difference.empty()) {
      fail<ModelError>({.where = path.string(),
                        .expected = "the graph of " + std::string(identifier<Net>),
                        .got = "another one (file and type differ in " + difference + ")"});
    }
    return model;
  }

  /// Errors: RuntimeFailure where the file cannot be written; one that was there stays whole.
  void save(const std::filesystem::path& path) const;

 private:
  struct Content {
    std::string network;
    Graph graph;
    std::shared_ptr<const detail::ModelWeights> weights;  // of this graph: models of other specs share them
    ModelSpec spec;
    Notes notes;
  };

  Model(std::string network, Graph graph, std::shared_ptr<const detail::ModelWeights> weights, ModelSpec spec,
        Notes notes);

  static void check_variances(const Graph& graph, const detail::ModelWeights& weights);

  static std::vector<AnyTensor> take_parameters(const Graph& graph, TensorFile& file, const std::string& where);

  std::shared_ptr<const Content> content_;
};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/model/model.ipp>
#endif
