// posemachine evaluate: a model measured on annotated people.
#include "evaluation_report.hpp"
#include "network_source.hpp"
#include "shard_record.hpp"
#include "tool.hpp"

#include <posemachine/base/json.hpp>
#include <posemachine/base/shard.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/data/lsp.hpp>
#include <posemachine/inference/estimator.hpp>
#include <posemachine/inference/evaluate.hpp>
#include <posemachine/model/meaning_json.hpp>
#include <posemachine/model/model.hpp>
#include <posemachine/training/checkpoint.hpp>
#include <posemachine/training/people_digest.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pm = posemachine;

namespace tool {

namespace {

struct EvaluateArguments {
  std::string model;
  std::string decoder;
  std::string data;
  std::string split = "test";
  double threshold = 0.2;
  bool allow_missing = false;
  std::optional<std::string> shard;
  bool json = false;
  int threads = default_threads();
};

std::vector<pm::Person> read_people(const EvaluateArguments& arguments) {
  const std::size_t colon = arguments.data.find(':');
  const std::string kind = arguments.data.substr(0, colon);
  if (kind != "lsp" || colon == std::string::npos || colon + 1 == arguments.data.size()) {
    pm::fail<pm::UsageError>({.where = "--data",
                              .expected = "lsp:DIR, the folder of Leeds Sports Pose",
                              .got = "\"" + arguments.data + "\"",
                              .remedy = kind == "lspet" ? "LSPET has unlabelled joints: it is for training only" : ""});
  }
  pm::LspOptions options;
  options.numbers = pm::parse_split(arguments.split);
  options.allow_missing = arguments.allow_missing;
  return pm::read_lsp(arguments.data.substr(colon + 1), options);
}

// Of what all shares of the evaluation have in common.
pm::Json run_of(const EvaluateArguments& arguments, const pm::Model& model, const std::vector<pm::Person>& people) {
  return {{"command", "evaluate"},
          {"network", model.network()},
          {"model", model_digest(model)},
          {"split", arguments.split},
          {"threshold", arguments.threshold},
          {"people", pm::people_digest(people)},
          {"joint_set", pm::joint_set_to_json(model.meaning().joints)}};
}

int evaluate(const EvaluateArguments& arguments, const Context& context) {
  ShardRecord record;
  if (arguments.shard) {
    record.shard = pm::parse_shard(*arguments.shard);
    if (!arguments.json) {
      pm::fail<pm::UsageError>({.where = "--shard",
                                .expected = "--json",
                                .got = "text",
                                .remedy = "posemachine merge makes text of all shares together"});
    }
  }
  const std::vector<pm::Person> people = read_people(arguments);
  const std::string path = arguments.model.empty() ? bundled_model().string() : arguments.model;
  const pm::Model model = with_decoder(pm::load_trained(path, context.ops), arguments.decoder);
  if (model.meaning().joints.joints != pm::lsp_joints().joints) {
    pm::fail<pm::ModelError>({.where = path + ": joints",
                              .expected = "those of LSP",
                              .got = "the joint set " + model.meaning().joints.name});
  }
  pm::EvaluateOptions options;
  options.threads = arguments.threads;
  options.pck_threshold = arguments.threshold;
  options.shard = record.shard;
  Progress progress(context, "evaluating");
  options.progress = [&](int done_count, int count) {
    context.stop_if_asked();
    progress.update(done_count, count);
  };
  const EvaluationReport report{path, model.network(), arguments.data, arguments.split,
                                pm::evaluate(pm::Estimator(model), people, options)};
  if (!arguments.json) {
    write_stdout(to_text(report));
    return done;
  }
  pm::Json json = to_json(report);
  if (arguments.shard) {
    record.run = run_of(arguments, model, people);
    json["shard"] = to_json(record);
  }
  write_stdout(json_line(json));
  return done;
}

}  // namespace

Command add_evaluate(CLI::App& app, const Context& context) {
  auto arguments = std::make_shared<EvaluateArguments>();
  CLI::App* command = app.add_subcommand("evaluate", "PCK and strict PCP of a model on annotated people");
  command->add_option("--model", arguments->model, "Model file, or a checkpoint of a run; default: the bundled one");
  add_decoder_option(*command, arguments->decoder);
  command->add_option("--data", arguments->data, "lsp:DIR, the folder with joints.mat and images/")->required();
  command
      ->add_option("--split", arguments->split,
                   "train (1 to 900), val (901 to 1000), test (1001 and up), or image numbers FIRST:LAST")
      ->capture_default_str();
  command->add_option("--threshold", arguments->threshold, "Of PCK, as a share of the torso")->capture_default_str();
  command->add_flag("--allow-missing", arguments->allow_missing,
                    "Leave out images that are absent, instead of failing");
  command->add_option("--threads", arguments->threads, "Images at a time; the result is the same for any number")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  command->add_flag("--json", arguments->json,
                    "One JSON object: pck {threshold, mean, a value per joint group}, pcp_strict, and both per\n"
                    "stage, in percent, with the number of people for whom each joint and stick is right");
  command
      ->add_option("--shard", arguments->shard,
                   "As in 2/8: the second of eight shares of the people, counted from 1; with --json.\n"
                   "posemachine merge makes one result of those of all shares")
      ->option_text("I/N");
  return {command, [arguments, &context] { return evaluate(*arguments, context); }};
}

}  // namespace tool
