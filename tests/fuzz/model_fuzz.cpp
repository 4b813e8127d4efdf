// Model files: safetensors, and the graph and meaning in their metadata.
#include "fuzz/harness.hpp"

#include <posemachine/base/json.hpp>
#include <posemachine/graph/difference.hpp>
#include <posemachine/model/graph_json.hpp>
#include <posemachine/model/model.hpp>
#include <posemachine/model/network_json.hpp>
#include <posemachine/model/safetensors.hpp>
#include <posemachine/pose/model_spec_json.hpp>

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace model_fuzz {

using namespace posemachine;

namespace {

// The file whose header and data an input has, so that one which grows need not guess the header's new length.
std::string with_header_length(const std::string& input) {
  const std::vector<std::string> files = fuzz::files_in(input, 2);
  const std::uint64_t bytes = files[0].size();
  std::string length(sizeof bytes, '\0');
  std::memcpy(length.data(), &bytes, sizeof bytes);
  return length + files[0] + files[1];
}

Model tiny_model() {
  const char* const description =
      R"({"network":"tiny","layers":[{"Input":{"name":"image","channels":3}},{"Conv":{"out":2,"kernel":1}},"BatchNorm",)"
      R"({"Output":"heatmaps"}],"meaning":{"joint_set":{"name":"a","joints":["p"],"pairs":[],"limbs":[],"groups":[],)"
      R"("sticks":[]}}})";
  return Model::random(network_from_json(parse_json<ModelError>(description, "tiny"), "tiny"), 1);
}

std::vector<std::string> seeds() {
  const std::string file = tiny_model().to_bytes();
  std::uint64_t header = 0;
  std::memcpy(&header, file.data(), sizeof header);
  const auto split = static_cast<std::size_t>(header);
  return {file, file.substr(sizeof header, split) + fuzz::file_separator + file.substr(sizeof header + split)};
}

void read(const std::string& input) {
  const bool whole = input.find(fuzz::file_separator) == std::string::npos;
  const std::string file = whole ? input : with_header_length(input);
  // Other files' tensors, as train --init takes them.
  (void)parse_safetensors(file, "model", {.finite_only = false, .skip_other_types = true});
  const Model model = Model::from_bytes(file, "model");
  const std::string bytes = model.to_bytes();
  const Model again = Model::from_bytes(bytes, "model");
  fuzz::require(first_difference(model.graph(), again.graph()).empty(), "the same graph again");
  fuzz::require(again.to_bytes() == bytes, "the same bytes again");
}

const bool added = fuzz::add({"model", seeds, read, fuzz::refuses_with<ModelError>});

}  // namespace

}  // namespace model_fuzz
