// Files with operations of a user's own: bound by an OpSet, looked at without one, refused where they cannot run.
#include "engine/custom_ops.hpp"

#include <posemachine/base/json.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/engine/execution.hpp>
#include <posemachine/graph/ops.hpp>
#include <posemachine/graph/queries.hpp>
#include <posemachine/model/model.hpp>
#include <posemachine/model/op_set.hpp>

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace op_set_test {

using namespace posemachine;
using namespace posemachine::engine;

namespace {

Model example() {
  Graph graph;
  const Value hidden = convolution(graph, add_input(graph, "image", 3), {.out = 8, .kernel = 3, .stride = 2});
  const Value bent = custom_ops::slopes<custom_ops::prelu_op>(graph, hidden);
  add_output(graph, "heatmaps", convolution(graph, bent, {.out = 15}));
  ModelSpec spec;
  spec.input_height = spec.input_width = 32;
  return Model::random("example", graph, 1, spec);
}

std::string message_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "taken";
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// Another file, whose graph's JSON is changed.
std::string changed(const std::function<void(Json&)>& change) {
  TensorFile file = parse_safetensors(example().to_bytes(), "m");
  Json graph = parse_json(file.metadata["posemachine.graph"], "graph");
  change(graph);
  file.metadata["posemachine.graph"] = graph.dump();
  return write_safetensors(file);
}

}  // namespace

TEST_CASE("OpSet: a model with a user's operation comes back with it, to the byte, and is refused in words without") {
  const std::string bytes = example().to_bytes();
  const Model back = Model::from_bytes(bytes, "m", OpSet{&custom_ops::prelu_op});
  CHECK(back.to_bytes() == bytes);
  CHECK(back.graph().nodes[2].op == &custom_ops::prelu_op);
  const std::string text = message_of([&] { Model::from_bytes(bytes, "m"); });
  CHECK(text ==
        "m: posemachine.graph.nodes[2].op: expected an operation of this program, got test.prelu version 3; load the "
        "file with the OpSet that has it");
}

TEST_CASE("OpSet: without the operation a model can be looked at, and running it is refused by op, version and node") {
  const Model whole = example();
  const Model seen = Model::from_bytes(whole.to_bytes(), "m", OpSet().with_unknown());
  CHECK(seen.graph().nodes[2].op->name == "test.prelu");
  CHECK(count_parameters(seen.graph()) == count_parameters(whole.graph()));
  CHECK(count_multiply_adds(seen.graph(), {32, 32}) == count_multiply_adds(whole.graph(), {32, 32}));
  CHECK(receptive_fields(seen.graph()) == receptive_fields(whole.graph()));
  ProgramOptions options;
  options.image = {32, 32};
  const std::string text = message_of(
      [&] { Execution(seen.graph(), std::make_shared<PreparedWeights>(seen.shared_parameters()), options); });
  CHECK(text ==
        "node 2 (test.prelu in PReLU_1): expected an operation that the engine can run, got test.prelu version 3");
}

TEST_CASE("OpSet: what a file says of a user's dst must be what the operation says") {
  const OpSet ops{&custom_ops::prelu_op};
  const auto refusal = [&](const std::function<void(Json&)>& change, const OpSet& set) {
    return message_of([&] { Model::from_bytes(changed(change), "m", set); });
  };
  CHECK(contains(refusal([](Json& g) { g["nodes"][2]["dst"]["channels"] = 9; }, ops),
                 "nodes[2].dst: expected {\"channels\":8"));
  CHECK(contains(refusal([](Json& g) { g["nodes"][2].erase("dst"); }, ops), "as the operation has it, got nothing"));
  CHECK(contains(refusal([](Json& g) { g["nodes"][1]["dst"] = g["nodes"][2]["dst"]; }, ops), "nodes[1].dst"));
  CHECK(contains(refusal([](Json& g) { g["nodes"][2]["version"] = 4; }, ops), "got test.prelu version 4"));
  const OpSet any = OpSet().with_unknown();
  CHECK(contains(refusal([](Json& g) { g["nodes"][2]["dst"]["kernel"] = 0; }, any),
                 "dst.kernel: expected an integer from 1"));
  CHECK(contains(refusal([](Json& g) { g["nodes"][2].erase("dst"); }, any), "expected an operation of this program"));
  CHECK(contains(refusal([](Json& g) { g["nodes"][2]["op"] = std::string(65, 'x'); }, any), "expected an operation"));
}

TEST_CASE("OpSet: operations without a kernel, with a long name or another's name and version are refused") {
  static constexpr OpInfo silent{.name = "test.silent"};
  CHECK(contains(message_of([] { OpSet{&silent}; }), "operation test.silent version 1: expected a forward kernel"));
  CHECK(contains(message_of([] { OpSet{&custom_ops::prelu_op, &custom_ops::prelu_op}; }),
                 "a name and version of its own"));
  static constexpr OpInfo stolen{.name = "relu", .kernels = &custom_ops::prelu_kernels};
  CHECK(
      contains(message_of([] { OpSet{&stolen}; }), "operation relu version 1: expected a name and version of its own"));
  static constexpr OpInfo later{.name = "relu", .version = 2, .kernels = &custom_ops::prelu_kernels};
  CHECK(OpSet{&later}.find("relu", 2) == &later);
}

TEST_CASE("OpSet: a model with an operation that nobody knows is not written: its options are not known either") {
  const Model seen = Model::from_bytes(example().to_bytes(), "m", OpSet().with_unknown());
  CHECK(contains(message_of([&] { seen.to_bytes(); }),
                 "node 2 (test.prelu in PReLU_1): expected an operation of this program"));
}

}  // namespace op_set_test
