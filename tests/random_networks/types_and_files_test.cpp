// Random networks written twice, as types and as network files, by make_networks.py.
#include "random_networks.hpp"

#include <posemachine/base/json.hpp>
#include <posemachine/graph/difference.hpp>
#include <posemachine/graph/queries.hpp>
#include <posemachine/model/graph_json.hpp>
#include <posemachine/model/model.hpp>
#include <posemachine/model/network_json.hpp>

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <vector>

namespace types_and_files_test {

using namespace posemachine;

TEST_CASE("random networks: as types and as files they are the same graphs, and the same models to the byte") {
  std::set<std::string> ops;
  for (const random_networks::Pair& pair : random_networks::pairs) {
    CAPTURE(pair.name);
    CAPTURE(pair.file);
    const Graph type = pair.type();
    const NetworkDescription file = network_from_json(parse_json(pair.file, pair.name), pair.name);
    REQUIRE(first_difference(type, file.graph) == "");
    CHECK(graph_to_json(type) == graph_to_json(file.graph));
    CHECK(count_parameters(file.graph) == pair.parameters);
    const Model model = Model::random(file, 3);
    CHECK(model.to_bytes() == Model::random(pair.name, type, 3, file.spec).to_bytes());
    for (const Node& node : type.nodes) ops.insert(std::string(node.op->name));
  }
  CHECK(ops.size() >= 17);  // of the 20 that a network can have
}

}  // namespace types_and_files_test
