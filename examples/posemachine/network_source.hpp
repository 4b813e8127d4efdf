// What a network on the command line is: one of the library's by name, a description in JSON, or a model file.
#pragma once

#include "tool.hpp"

#include <posemachine/base/json.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/model/model.hpp>
#include <posemachine/model/network_description.hpp>

#include <filesystem>
#include <string>

namespace tool {

/// "scaling-dilation, scaling-dilation-small, ...": what the library has, for help and messages.
std::string network_names();

/// A network as a configuration holds it: the name of one of the library's, or a whole description. The name of a file
/// that ends in .json stands for the description in it, `folder` being where relative names begin.
/// Errors: ModelError naming the file and the place in it.
posemachine::Json whole_network(const posemachine::Json& network, const std::filesystem::path& folder,
                                const Context& context);

/// The network of a configuration. A description that says no joint set is one of any joints, which are yet to be
/// known, see open_network_from_json. Errors: UsageError for a name that the library does not have, ModelError for a
/// description, both naming `where`.
posemachine::NetworkDescription find_network(const posemachine::Json& network, const std::string& where,
                                             const Context& context);

/// A model file's model, or one with random weights of a description's network or of the library's.
/// Errors: UsageError where it is none of these, ModelError naming the file.
posemachine::Model find_model(const std::string& what, const Context& context);

/// Adds --decoder: one of the library's decoders, by name.
void add_decoder_option(CLI::App& command, std::string& decoder);

/// The model with the decoder that --decoder names; the model itself where it names none.
posemachine::Model with_decoder(const posemachine::Model& model, const std::string& decoder);

/// The size of input that --size asks for: "256x192" is height x width, "256" both, "" the model's own.
/// Errors: UsageError for another text, and for a size that the network cannot take.
posemachine::Size input_size(const posemachine::Model& model, const std::string& text);

}  // namespace tool
