// posemachine diff: whether two networks have the same structure, and where they first differ.
#include "network_source.hpp"
#include "tool.hpp"

#include <posemachine/base/json.hpp>
#include <posemachine/graph/difference.hpp>
#include <posemachine/model/graph_json.hpp>
#include <posemachine/model/model.hpp>

#include <memory>
#include <string>

namespace pm = posemachine;

namespace tool {

namespace {

struct DiffArguments {
  std::string first;
  std::string second;
  bool json = false;
};

int diff(const DiffArguments& arguments, const Context& context) {
  const pm::Model first = find_model(arguments.first, context);
  const pm::Model second = find_model(arguments.second, context);
  const std::string difference = pm::first_difference(first.graph(), second.graph());
  if (arguments.json) {
    const pm::Json json = {{"equal", difference.empty()}, {"difference", difference}};
    write_stdout(json.dump(-1, ' ', false, pm::Json::error_handler_t::replace) + "\n");
  } else if (difference.empty()) {
    write_stdout(format("the same network: %zu nodes, %zu parameter tensors\n", first.graph().nodes.size(),
                        first.graph().parameters.size()));
  } else {
    write_stdout(difference + "\n");
  }
  return difference.empty() ? done : failed;
}

}  // namespace

Command add_diff(CLI::App& app, const Context& context) {
  auto arguments = std::make_shared<DiffArguments>();
  CLI::App* command = app.add_subcommand("diff", "Where two networks first differ in structure");
  command->add_option("A", arguments->first, "A network, a network file NET.json or a model file")->required();
  command->add_option("B", arguments->second, "Another one")->required();
  command->add_flag("--json", arguments->json, "One JSON object: equal, difference");
  command->footer(
      "Compared are operations, options, parameters' names and shapes, inputs and outputs, not weights.\n"
      "Exit codes: 0 the same, 1 different; 2 and 4 as everywhere.");
  return {command, [arguments, &context] { return diff(*arguments, context); }};
}

}  // namespace tool
