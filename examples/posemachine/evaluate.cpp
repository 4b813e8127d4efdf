// posemachine evaluate: a model measured on annotated people.
#include "tool.hpp"

#include <posemachine/base/json.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/data/lsp.hpp>
#include <posemachine/inference/estimator.hpp>
#include <posemachine/inference/evaluate.hpp>
#include <posemachine/model/model.hpp>
#include <posemachine/pose/metrics.hpp>

#include <cmath>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace pm = posemachine;

namespace tool {

namespace {

struct EvaluateArguments {
  std::string model;
  std::string data;
  std::string split = "test";
  double threshold = 0.2;
  bool allow_missing = false;
  bool json = false;
  int threads = default_threads();
};

std::vector<pm::Person> read_people(const EvaluateArguments& arguments) {
  const std::size_t colon = arguments.data.find(':');
  const std::string kind = arguments.data.substr(0, colon);
  if (kind != "lsp" || colon == std::string::npos || colon + 1 == arguments.data.size()) {
    pm::fail<pm::UsageError>({.where = "--data", .expected = "lsp:DIR, the folder of Leeds Sports Pose",
                              .got = "\"" + arguments.data + "\"",
                              .remedy = kind == "lspet" ? "LSPET has unlabelled joints: it is for training only" : ""});
  }
  pm::LspOptions options;
  options.numbers = pm::parse_split(arguments.split);
  options.allow_missing = arguments.allow_missing;
  return pm::read_lsp(arguments.data.substr(colon + 1), options);
}

double rounded(double percent) { return std::round(percent * 1e4) / 1e4; }

pm::Json pck_json(const pm::MetricResult& result, double threshold) {
  pm::Json json;
  json["threshold"] = threshold;
  json["mean"] = rounded(result.mean);
  for (const pm::Rate& group : result.groups) json[group.name] = rounded(group.percent);
  return json;
}

pm::Json pcp_json(const pm::MetricResult& result) {
  pm::Json json;
  json["mean"] = rounded(result.mean);
  for (const pm::Rate& group : result.groups) json[group.name] = rounded(group.percent);
  return json;
}

// Groups down, stages across.
std::string table(const std::string& title, const std::vector<const pm::MetricResult*>& stages) {
  std::string text = format("%-12s", title.c_str());
  for (std::size_t s = 0; s < stages.size(); ++s) text += format("  stage %zu", s + 1);
  const auto row = [&](const std::string& name, const auto& value) {
    text += format("\n%-12s", name.c_str());
    for (const pm::MetricResult* stage : stages) text += format("  %7.1f", value(*stage));
  };
  for (std::size_t g = 0; g < stages.front()->groups.size(); ++g) {
    row(stages.front()->groups[g].name, [&](const pm::MetricResult& stage) { return stage.groups[g].percent; });
  }
  row("mean", [](const pm::MetricResult& stage) { return stage.mean; });
  return text + "\n";
}

int evaluate(const EvaluateArguments& arguments, const Context& context) {
  const std::vector<pm::Person> people = read_people(arguments);
  const std::string path = arguments.model.empty() ? bundled_model().string() : arguments.model;
  const pm::Model model = pm::Model::load(path, context.ops);
  if (model.meaning().joints.joints != pm::lsp_joints().joints) {
    pm::fail<pm::ModelError>({.where = path + ": joints", .expected = "those of LSP",
                              .got = "the joint set " + model.meaning().joints.name});
  }
  pm::EvaluateOptions options;
  options.threads = arguments.threads;
  options.pck_threshold = arguments.threshold;
  Progress progress(context, "evaluating");
  options.progress = [&](int done_count, int count) {
    context.stop_if_asked();
    progress.update(done_count, count);
  };
  const pm::EvaluationResult result = pm::evaluate(pm::Estimator(model), people, options);

  if (arguments.json) {
    pm::Json json;
    json["model"] = path;
    json["network"] = model.network();
    json["data"] = arguments.data;
    json["split"] = arguments.split;
    json["people"] = result.people;
    json["pck"] = pck_json(result.pck(), result.pck_threshold);
    json["pcp_strict"] = pcp_json(result.pcp_strict());
    json["stages"] = pm::Json::array();
    for (const pm::StageScores& stage : result.stages) {
      json["stages"].push_back({{"stage", json["stages"].size() + 1},
                                {"pck", pck_json(stage.pck, result.pck_threshold)},
                                {"pcp_strict", pcp_json(stage.pcp_strict)}});
    }
    write_stdout(json.dump(-1, ' ', false, pm::Json::error_handler_t::replace) + "\n");
    return done;
  }
  std::vector<const pm::MetricResult*> pck, pcp;
  for (const pm::StageScores& stage : result.stages) {
    pck.push_back(&stage.pck);
    pcp.push_back(&stage.pcp_strict);
  }
  std::string text = format("%s on %s, %s: %d people, crops from the images alone\n\n", model.network().c_str(),
                            arguments.data.c_str(), arguments.split.c_str(), result.people);
  text += table(format("PCK@%g", result.pck_threshold), pck) + "\n" + table("strict PCP", pcp);
  write_stdout(text);
  return done;
}

}  // namespace

Command add_evaluate(CLI::App& app, const Context& context) {
  auto arguments = std::make_shared<EvaluateArguments>();
  CLI::App* command = app.add_subcommand("evaluate", "PCK and strict PCP of a model on annotated people");
  command->add_option("--model", arguments->model, "Model file; default: the bundled one");
  command->add_option("--data", arguments->data, "lsp:DIR, the folder with joints.mat and images/")->required();
  command->add_option("--split", arguments->split,
                      "train (1 to 900), val (901 to 1000), test (1001 and up), or image numbers FIRST:LAST")
      ->capture_default_str();
  command->add_option("--threshold", arguments->threshold, "Of PCK, as a share of the torso")->capture_default_str();
  command->add_flag("--allow-missing", arguments->allow_missing,
                    "Leave out images that are absent, instead of failing");
  command->add_option("--threads", arguments->threads, "Images at a time; the result is the same for any number")
      ->check(CLI::Range(1, 256))->capture_default_str();
  command->add_flag("--json", arguments->json, "One JSON object: pck {threshold, mean, a value per joint group},\n"
                    "pcp_strict, and both per stage, in percent");
  return {command, [arguments, &context] { return evaluate(*arguments, context); }};
}

}  // namespace tool
