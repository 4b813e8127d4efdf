// Configurations of posemachine train.
#include "fuzz/harness.hpp"
#include "posemachine/tool.hpp"
#include "posemachine/train_config.hpp"

#include <posemachine/base/json.hpp>
#include <posemachine/model/layer_words.hpp>

#include <string>
#include <vector>

namespace train_config_fuzz {

namespace pm = posemachine;

namespace {

std::vector<std::string> seeds() {
  return {
      R"({"network":"scaling-dilation-small","data":["lsp:/absent","coco:/absent.json:part"],"images":"i",)"
      R"("validation":0.1,"labels":[],"allow_missing":true,"init":"a.safetensors","from":"",)"
      R"("joints":["a","left_b","right_b"],"model":{"input_height":64,"input_width":64,"sigma_px":7,)"
      R"("colour_order":"bgr","image_scale":1.1,"box_context":1.2,"decoder":"taylor","flip_average":false},)"
      R"("train":{"epochs":2,"batch":4,"rate":1e-3,"schedule":"cosine","seed":7,"loss":"huber",)"
      R"("outputs":[{"output":"mask","loss":"squared_error","weight":0.5}]}})",
      R"({"network":{"network":"tiny","layers":[{"Input":{"name":"image","channels":3}},{"Conv":{"out":15,"kernel":1}},)"
      R"({"Output":"heatmaps"}],"meaning":{"input_height":32,"input_width":32}},"data":["csv:a.csv"]} // comment)"};
}

void read(const std::string& input) {
  static const tool::Context context = [] {
    tool::Context with_layers;
    with_layers.layers = pm::library_layers();
    return with_layers;
  }();
  pm::JsonLimits limits;
  limits.comments = true;
  const auto config =
      tool::config_from_json(pm::parse_json<pm::UsageError>(input, "configuration", limits), "configuration", context);
  const std::string text = pm::write_json<pm::UsageError>(tool::config_to_json(config), "configuration");
  const auto again =
      tool::config_from_json(pm::parse_json<pm::UsageError>(text, "configuration"), "configuration", context);
  fuzz::require(tool::config_to_json(again).dump() == text, "the same configuration again");
}

const bool added = fuzz::add({"train_config", seeds, read, fuzz::refuses_with<pm::UsageError, pm::ModelError>});

}  // namespace

}  // namespace train_config_fuzz
