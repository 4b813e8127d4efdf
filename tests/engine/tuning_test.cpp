// measure_costs and the tuning file: what is measured, what comes back, what is refused.
#include "engine/agreement.hpp"

#include <posemachine/base/json.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/engine/device.hpp>
#include <posemachine/engine/execution.hpp>
#include <posemachine/engine/measure_costs.hpp>
#include <posemachine/engine/tuning_file.hpp>
#include <posemachine/graph/build.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace tuning_test {

using namespace posemachine;
using namespace posemachine::schedule;
using namespace posemachine::engine;

namespace {

Graph net() {
  Graph graph;
  Value value = relu(graph, convolution(graph, add_input(graph, "image", 3), {.out = 32, .kernel = 3}));
  value = relu(graph, convolution(graph, value, {.out = 32, .kernel = 3}));
  value = relu(graph, convolution(graph, value, {.out = 32, .kernel = 3}));  // the same once more
  value = relu(graph, convolution(graph, value, {.out = 17, .kernel = 3, .stride = 2}));
  value = depthwise_convolution(graph, value, {.kernel = 3});
  add_output(graph, "maps", convolution(graph, value, {.out = 15}));
  return graph;
}

std::string refusal(const std::function<void(Json&)>& change) {
  CostModel costs;
  costs.set({32, 32, 3, 1, 1, 1, 1, 16, 16}, 1, {1000, 600, CostModel::never});
  Json json = parse_json(tuning_text(costs), "text");
  change(json);
  try {
    parse_tuning(json.dump(), "t.json");
  } catch (const DataError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("measure_costs: each convolution that leaves a choice, once, in every way there is") {
  const Graph graph = net();
  const std::vector<ConvolutionCase> cases = convolution_cases(graph, {32, 24});
  REQUIRE(cases.size() == 3);  // not the first, whose src is the image, nor the depthwise one
  CHECK(cases[0] == ConvolutionCase{32, 32, 3, 1, 1, 1, 1, 32, 24});
  CHECK(cases[1] == ConvolutionCase{32, 17, 3, 2, 1, 1, 1, 32, 24});
  CHECK(cases[2] == ConvolutionCase{17, 15, 1, 1, 1, 0, 1, 16, 12});
  CostModel costs;
  costs.set(cases[2], 1, {1, 2, 3});
  int calls = 0;
  const int disturbed = measure_costs(costs, graph, {32, 24}, 1, [&](int done, int count) {
    CHECK(done == calls++);
    CHECK(count == 3);
  });
  CHECK(calls == 3);
  REQUIRE(costs.measured().size() == static_cast<std::size_t>(3 - disturbed));
  CHECK(costs.convolution(cases[2], 1) == MethodTimes{1, 2, 3});  // stays
  const bool avx512 = Device::cpu().block() == 16;
  for (std::size_t i = 0; i < 2; ++i) {
    if (!costs.measured().contains({cases[i], 1})) continue;  // on a busy machine
    const MethodTimes times = costs.convolution(cases[i], 1);
    CHECK(times[0] > 0);
    CHECK(std::isfinite(times[0]));
    CHECK(std::isfinite(times[1]) == (avx512 && !dnnl_is_v3 && i == 0));  // no Winograd with strides
    CHECK(std::isfinite(times[2]) == avx512);
  }
  // An execution that is given them computes the same.
  ProgramOptions options;
  options.costs = std::make_shared<const CostModel>(costs);
  engine_test::check_forward(graph, 1, {32, 24}, options, "measured");
  CHECK_THROWS_AS(measure_costs(costs, graph, {32, 24}, 2, [](int, int) { throw std::runtime_error("stop"); }),
                  std::runtime_error);
}

TEST_CASE("tuning file: what was measured comes back, what cannot be had too") {
  CostModel costs;
  costs.set({32, 48, 3, 1, 2, 2, 1, 16, 24}, 1, {1000, CostModel::never, 900});
  costs.set({32, 48, 3, 1, 2, 2, 1, 16, 24}, 2, {600, 700, CostModel::never});
  const std::string text = tuning_text(costs);
  const CostModel back = parse_tuning(text, "t.json");
  CHECK(back.measured() == costs.measured());
  CHECK(tuning_text(back) == text);
}

TEST_CASE("tuning file: anything else is refused with the place in it") {
  CHECK(refusal([](Json&) {}).empty());
  const std::string foreign = refusal([](Json& json) { json["format"] = "model"; });
  CHECK(foreign.starts_with("t.json: expected a tuning file (format \"posemachine-tuning\"), got {"));
  CHECK(foreign.ends_with("; posemachine tune writes them"));
  CHECK(refusal([](Json& json) { json = Json::array(); }).starts_with("t.json: expected a tuning file"));
  CHECK(refusal([](Json& json) { json["version"] = 2; }).starts_with("t.json.version: expected"));
  CHECK(refusal([](Json& json) { json["measured_on"]["instructions"] = "NEON"; })
            .ends_with("as here, got {\"instructions\":\"NEON\",\"onednn\":\"" +
                       parse_json(tuning_text({}), "text")["measured_on"]["onednn"].get<std::string>() +
                       "\"}; measure here, into another file: posemachine tune NET -o FILE"));
  CHECK(refusal([](Json& json) { json["measured_on"]["onednn"] = "1.0.0"; }).ends_with("tune NET -o FILE"));
  CHECK(refusal([](Json& json) {
          json["convolutions"][0]["dilations"] = 1;
        }).starts_with("t.json.convolutions[0].dilations: expected a known key"));
  CHECK(refusal([](Json& json) { json["convolutions"].push_back(json["convolutions"][0]); }) ==
        "t.json.convolutions[1]: expected each convolution once, got one that stands above");
  CHECK(refusal([](Json& json) {
          json["convolutions"][0]["kernel"] = 0;
        }).starts_with("t.json.convolutions[0].kernel: expected an integer from 1 to 63"));
  CHECK(refusal([](Json& json) {
          json["convolutions"][0]["direct_ns"] = nullptr;
        }).starts_with("t.json.convolutions[0].direct_ns"));
  CHECK(refusal([](Json& json) {
          json["convolutions"][0]["winograd_ns"] = -1;
        }).starts_with("t.json.convolutions[0].winograd_ns"));
  CHECK(refusal([](Json& json) {
          json["convolutions"][0].erase("threads");
        }).starts_with("t.json.convolutions[0].threads"));
  CHECK(refusal([](Json& json) { json["convolutions"] = 3; }).starts_with("t.json.convolutions"));
  CHECK(refusal([](Json& json) { json["convolution"] = 3; }).find("did you mean") != std::string::npos);
  CHECK_THROWS_AS(read_tuning("/no/such/file.json"), DataError);
}

}  // namespace tuning_test
