// ONNX: a model's network for other runtimes.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/core/tensor.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/model/model.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

// to_onnx() of a graph that no model holds.
std::string graph_to_onnx(const Graph& graph, const std::vector<Tensor>& parameters, Size image,
                          const std::string& network);

}  // namespace detail

/// A model's network as ONNX (operator set 14, fp32), for inputs of this size and any number of images. Inputs, outputs
/// and parameters keep their names; dropouts become identities. What inputs and joints mean stays in the model's own file.
/// Errors: ModelError naming the node, for an operation of a user's own; as infer_sizes.
std::string to_onnx(const Model& model, Size image);

/// Writes to_onnx() into a file, whole or not at all. Errors: as to_onnx; ModelError above 2 GiB, which no reader takes;
/// RuntimeFailure where the file cannot be written.
void write_onnx(const Model& model, Size image, const std::filesystem::path& path);

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/model/onnx.ipp>
#endif
