// Network files: layers, or a graph, with their meaning.
#include "fuzz/harness.hpp"

#include <posemachine/base/json.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/graph/difference.hpp>
#include <posemachine/graph/sizes.hpp>
#include <posemachine/model/network_json.hpp>

#include <string>
#include <vector>

namespace network_fuzz {

using namespace posemachine;

namespace {

std::vector<std::string> seeds() {
  const std::string layers =
      R"({"network":"tiny","constants":{"w":4},"blocks":{"B":[{"Conv":{"out":"w","kernel":3}},"ReLU"]},"layers":[)"
      R"({"Input":{"name":"image","channels":3}},"B",{"Repeat":{"times":2,"layers":["B"]}},{"Tag":"t"},)"
      R"({"Concat":["Identity",[{"From":"t"},{"SEGate":2}]]},{"Conv":{"out":3,"kernel":1}},{"Output":"heatmaps"}],)"
      R"("meaning":{"input_height":32,"input_width":32,"joint_set":{"name":"a","joints":["p","q"],"pairs":[],"limbs":[],)"
      R"("groups":[],"sticks":[]}}} // a comment)";
  JsonLimits limits;
  limits.comments = true;
  return {layers, network_to_json(network_from_json(parse_json<ModelError>(layers, "n", limits), "n")).dump()};
}

void read(const std::string& input) {
  JsonLimits limits;
  limits.comments = true;
  const NetworkDescription network = network_from_json(parse_json<ModelError>(input, "network", limits), "network");
  const std::string text = write_json<ModelError>(network_to_json(network), "network");
  const NetworkDescription again = network_from_json(parse_json<ModelError>(text, "network"), "network");
  fuzz::require(first_difference(network.graph, again.graph).empty(), "the same graph again");
  fuzz::require(network.name == again.name, "the same name again");
  if (network.spec.input_height > 0) {
    infer_sizes(network.graph, {network.spec.input_height, network.spec.input_width});
  }
}

const bool added = fuzz::add({"network", seeds, read, fuzz::refuses_with<ModelError>});

}  // namespace

}  // namespace network_fuzz
