// posemachine evaluate: a model measured on annotated people.
#include "comparison_report.hpp"
#include "evaluation_report.hpp"
#include "evaluation_source.hpp"
#include "left_out.hpp"
#include "network_source.hpp"
#include "shard_record.hpp"
#include "test_time.hpp"
#include "tool.hpp"

#include <posemachine/base/json.hpp>
#include <posemachine/base/shard.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/data/damaged_images.hpp>
#include <posemachine/data/data_set.hpp>
#include <posemachine/data/data_sets.hpp>
#include <posemachine/data/person.hpp>
#include <posemachine/inference/compare.hpp>
#include <posemachine/inference/estimator.hpp>
#include <posemachine/inference/evaluate.hpp>
#include <posemachine/inference/evaluation_json.hpp>
#include <posemachine/model/model.hpp>
#include <posemachine/pose/model_spec_json.hpp>
#include <posemachine/training/checkpoint.hpp>
#include <posemachine/training/people_digest.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace pm = posemachine;

namespace tool {

namespace {

struct EvaluateArguments {
  EvaluationSource source;
  std::string decoder;
  std::string split;
  std::vector<std::string> metrics;
  std::string normaliser;
  std::optional<double> threshold;
  TestTimeArguments test_time;
  bool compare = false;
  std::optional<std::string> shard;
  bool json = false;
};

// LSP's part may be given by --split, too: that is how it was spelled first.
pm::DataSource source_of(const EvaluateArguments& arguments, const Context& context) {
  pm::DataSource source = context.data_sets.parse(arguments.source.data);
  if (!arguments.split.empty() && (source.kind != "lsp" || !source.part.empty())) {
    pm::fail<pm::UsageError>({.where = "--split",
                              .expected = "--data lsp:DIR without a part",
                              .got = "--data " + arguments.source.data,
                              .remedy = "name the part behind the data: KIND:PATH:PART"});
  }
  if (arguments.split.empty()) return data_source(arguments.source, "test", context);
  pm::parse_split(arguments.split);  // refused before anything is read
  source.part = arguments.split;
  return source;
}

// Refuses metrics that are wrong whatever is measured, before anything is read.
void check_metrics(const EvaluateArguments& arguments, const Context& context) {
  if (arguments.threshold && (!(*arguments.threshold > 0) || !std::isfinite(*arguments.threshold))) {
    pm::fail<pm::UsageError>(
        {.where = "--threshold", .expected = "a finite share above 0", .got = std::to_string(*arguments.threshold)});
  }
  if (!arguments.metrics.empty() && (arguments.threshold || !arguments.normaliser.empty())) {
    pm::fail<pm::UsageError>({.where = arguments.threshold ? "--threshold" : "--normaliser",
                              .expected = "the default metrics",
                              .got = "--metric",
                              .remedy = "write both into the metric, as in --metric pck@0.1:box"});
  }
  for (const std::string& metric : arguments.metrics) context.metrics.parse(metric);
}

std::vector<pm::Metric> metrics_of(const EvaluateArguments& arguments, const pm::JointSet& joints,
                                   const std::vector<pm::Person>& people, const Context& context) {
  if (arguments.metrics.empty()) {
    return pm::default_metrics(joints, pm::measured_people(people), {"pck", arguments.threshold, arguments.normaliser});
  }
  std::vector<pm::Metric> metrics;
  for (const std::string& text : arguments.metrics) {
    metrics.push_back(context.metrics.make(text, joints));
    const std::string& name = metrics.back().name;
    const auto same = [&](const pm::Metric& other) { return other.name == name; };
    if (std::count_if(metrics.begin(), metrics.end(), same) == 1) continue;
    pm::fail<pm::UsageError>({.where = "--metric", .expected = "every metric once", .got = name + " twice"});
  }
  return metrics;
}

// --compare stands alone: its rows are what the others ask for one at a time.
void check_compare(const EvaluateArguments& arguments) {
  if (!arguments.compare) return;
  if (arguments.metrics.size() > 1) {
    pm::fail<pm::UsageError>({.where = "--metric",
                              .expected = "one, which --compare compares by",
                              .got = std::to_string(arguments.metrics.size())});
  }
  const TestTimeArguments& chosen = arguments.test_time;
  const char* const other = arguments.shard              ? "--shard"
                            : !arguments.decoder.empty() ? "--decoder"
                            : !chosen.flip.empty()       ? "--flip"
                            : !chosen.scales.empty()     ? "--scales"
                            : chosen.second_pass         ? "--second-pass"
                                                         : nullptr;
  if (other == nullptr) return;
  pm::fail<pm::UsageError>({.where = other, .expected = "an evaluation without --compare", .got = "--compare, too"});
}

// Of what all shares of the evaluation have in common.
pm::Json run_of(const pm::DataSource& source, const pm::Model& model, const pm::EstimatorOptions& estimator,
                const std::vector<pm::Metric>& metrics, const std::vector<pm::Person>& people) {
  pm::Json names = pm::Json::array();
  for (const pm::Metric& metric : metrics) names.push_back(metric.name);
  pm::Json run = {{"command", "evaluate"},
                  {"network", model.network()},
                  {"model", model_digest(model)},
                  {"split", source.part},
                  {"metrics", std::move(names)},
                  {"people", pm::people_digest(people)},
                  {"joint_set", pm::joint_set_to_json(model.spec().joints)}};
  const pm::Json chosen = test_time_to_json(estimator);
  if (!chosen.empty()) run["test_time"] = chosen.dump();
  return run;
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
  check_metrics(arguments, context);
  check_compare(arguments);
  pm::EstimatorOptions estimator;
  apply(arguments.test_time, estimator);
  estimator.decode_outputs = false;
  const pm::DataSource source = source_of(arguments, context);
  const std::string path = model_path(arguments.source);
  const pm::Model model = with_decoder(pm::load_trained(path, context.ops), arguments.decoder);
  const std::vector<pm::Person> people = read_people(arguments.source, source, model.spec().joints, context);
  std::set<std::filesystem::path> named = warn_of_absent(arguments.source, people, context);
  Progress progress(context, "evaluating");
  pm::EvaluateOptions options = evaluate_options(arguments.source, progress, context);
  options.metrics = metrics_of(arguments, model.spec().joints, people, context);
  options.shard = record.shard;
  const bool boxes = !people.empty() && people.front().framing == pm::Framing::box;
  const std::string split = source.kind == "lsp" ? source.part : "";
  if (arguments.compare) {
    ComparisonReport report{path, model.network(), pm::to_string(source), arguments.source.threads,
                            pm::compare(model, people, pm::estimation_variants(), options)};
    warn_of_left_out(*options.damaged, named, context);
    report.left_out = options.damaged->all();
    require_measured(report.rows.front().evaluation, report.left_out);
    write_stdout(arguments.json ? json_line(to_json(report)) : to_text(report));
    return done;
  }
  EvaluationReport report{path,  model.network(), arguments.source.data,
                          split, boxes,           pm::evaluate(pm::Estimator(model, estimator), people, options)};
  warn_of_left_out(*options.damaged, named, context);
  report.left_out = options.damaged->all();
  if (!arguments.shard) require_measured(report.result, report.left_out);
  if (!arguments.json) {
    write_stdout(to_text(report));
    return done;
  }
  pm::Json json = to_json(report);
  if (arguments.shard) {
    record.run = run_of(source, model, estimator, options.metrics, people);
    json["shard"] = to_json(record);
    json["shard"]["measured"] = pm::measurements_to_json(report.result);
  }
  write_stdout(json_line(json));
  return done;
}

}  // namespace

Command add_evaluate(CLI::App& app, const Context& context) {
  auto arguments = std::make_shared<EvaluateArguments>();
  CLI::App* command = app.add_subcommand("evaluate", "PCK and other metrics of a model on annotated people");
  add_source_options(*command, arguments->source, "; of lsp:DIR the part test unless another is named");
  add_decoder_option(*command, arguments->decoder);
  add_test_time_options(*command, arguments->test_time);
  command->add_flag("--compare", arguments->compare,
                    "One table of effect and cost: the model as it is, flip averaging off and on, every decoder, a\n"
                    "second pass, scales 0.7 to 1.3; of each the mean of the first metric and the median time");
  command->add_option(
      "--split", arguments->split,
      "Of lsp:DIR: train (1 to 900), val (901 to 1000), test (1001 and up), or image numbers FIRST:LAST");
  command
      ->add_option("--metric", arguments->metrics,
                   "KIND[@T][:NORMALISER], once for each, as in --metric pck@0.1:box --metric epe; default: PCK, and\n"
                   "strict PCP, PCKh and OKS where the annotation has what they need. Kinds:\n" +
                       context.metrics.description())
      ->allow_extra_args(false);
  command->add_option("--threshold", arguments->threshold, "Of PCK, as a share of the normaliser; default: 0.2");
  command
      ->add_option(
          "--normaliser", arguments->normaliser,
          "What PCK measures by: torso; box or image, their larger sides; head; default: the torso, or the box\n"
          "where the joint set has none")
      ->check(CLI::IsMember({"torso", "box", "head", "image"}));
  command->add_flag("--json", arguments->json,
                    "One JSON object: an object per metric (pck, pcp_strict, ...) with threshold, normaliser, mean, a\n"
                    "value per group, and value and counts of each joint or stick; the same per stage");
  command
      ->add_option("--shard", arguments->shard,
                   "As in 2/8: the second of eight shares of the people, counted from 1; with --json.\n"
                   "posemachine merge makes one result of those of all shares")
      ->option_text("I/N");
  return {command, [arguments, &context] { return evaluate(*arguments, context); }};
}

}  // namespace tool
