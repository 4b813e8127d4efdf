// posemachine calibrate: turns a model's scores into probabilities, by people whom it was not trained on.
#include "evaluation_source.hpp"
#include "left_out.hpp"
#include "model_output.hpp"
#include "tool.hpp"

#include <posemachine/base/json.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/data/damaged_images.hpp>
#include <posemachine/data/data_set.hpp>
#include <posemachine/data/person.hpp>
#include <posemachine/inference/calibrate.hpp>
#include <posemachine/inference/estimator.hpp>
#include <posemachine/inference/evaluate.hpp>
#include <posemachine/model/model.hpp>
#include <posemachine/pose/calibration.hpp>
#include <posemachine/pose/fit_calibration.hpp>
#include <posemachine/pose/joint_set.hpp>
#include <posemachine/pose/metrics/calibration_error.hpp>
#include <posemachine/pose/metrics/metric.hpp>
#include <posemachine/pose/metrics/pck.hpp>
#include <posemachine/pose/model_spec_json.hpp>
#include <posemachine/training/checkpoint.hpp>

#include <cmath>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace pm = posemachine;

namespace tool {

namespace {

struct CalibrateArguments {
  EvaluationSource source;
  std::string metric = "pck";
  std::string output;
  bool json = false;
};

struct CalibrationReport {
  std::string model;
  std::string network;
  std::string data;
  int people = 0;
  int left_out = 0;
  LeftOutImages left_out_images{};
  pm::Calibration calibration;
  pm::ScoreBins peaks;       // joints by the peaks of their maps ...
  pm::ScoreBins calibrated;  // ... and by their probabilities
};

std::string to_text(const CalibrationReport& report) {
  const pm::Calibration& found = report.calibration;
  std::string text =
      format("%s on %s: %d people%s, %s joints, right by %s\n\n%-12s  %8s  %8s  %12s\n", report.network.c_str(),
             report.data.c_str(), report.people, left_out_text(report.left_out).c_str(),
             thousands(found.joints).c_str(), found.metric.c_str(), "probability", "joints", "mean, %", "right, %");
  const auto& bins = report.calibrated.bins();
  for (std::size_t i = 0; i < bins.size(); ++i) {
    if (bins[i].count == 0) continue;
    text += format("%.1f to %.1f    %8d  %8.1f  %12.1f\n", double(i) / double(bins.size()),
                   double(i + 1) / double(bins.size()), bins[i].count, 100 * bins[i].score / bins[i].count,
                   100.0 * bins[i].right / bins[i].count);
  }
  return text + format(
                    "\nhalf of the joints are right at a peak of %.3f; slope %.3f\n"
                    "calibration error %.1f %% as peaks, %.1f %% as probabilities, of the joints they were fitted to\n",
                    found.half, found.slope, report.peaks.error(), report.calibrated.error());
}

pm::Json to_json(const CalibrationReport& report) {
  const auto rounded = [](double value) { return std::round(value * 1e4) / 1e4; };
  pm::Json json = {
      {"model", report.model},
      {"network", report.network},
      {"data", report.data},
      {"people", report.people},
      {"calibration", pm::calibration_to_json(report.calibration)},
      {"error", {{"peaks", rounded(report.peaks.error())}, {"probabilities", rounded(report.calibrated.error())}}},
      {"bins", pm::Json::array()}};
  if (report.left_out > 0) json["left_out"] = report.left_out;
  add_left_out(json, report.left_out_images);
  for (const pm::ScoreBins::Bin& bin : report.calibrated.bins()) {
    pm::Json entry = {{"joints", bin.count}, {"right", bin.right}};
    if (bin.count > 0) entry["mean"] = rounded(bin.score / bin.count);
    json["bins"].push_back(std::move(entry));
  }
  return json;
}

pm::MetricSpec metric_spec(const CalibrateArguments& arguments, const Context& context) {
  pm::MetricSpec spec = context.metrics.parse(arguments.metric);
  if (spec.kind == pm::pck_kind.name) return spec;
  pm::fail<pm::UsageError>(
      {.where = "--metric", .expected = "pck[@T][:NORMALISER]", .got = "\"" + arguments.metric + "\""});
}

CalibrationReport report_of(const pm::EvaluationResult& evaluation, const pm::JointSet& joints) {
  const std::optional<pm::Calibration> found = pm::calibrate(evaluation, joints);
  const std::vector<pm::JudgedPeak> judged = pm::judged_peaks(evaluation, joints);
  CalibrationReport report;
  for (const pm::JudgedPeak& each : judged) report.peaks.add(each.peak, each.right);
  if (!found) {
    pm::fail<pm::DataError>(
        {.where = "calibrate",
         .expected = "at least " + std::to_string(pm::min_judged_peaks) +
                     " right and as many wrong joints, the right ones with higher peaks",
         .got = format("%d right and %d wrong by %s", report.peaks.right(), report.peaks.count() - report.peaks.right(),
                       evaluation.metrics.front().name.c_str()),
         .remedy = "take more people, or another threshold, as in --metric pck@0.1"});
  }
  report.people = evaluation.people - evaluation.left_out;
  report.left_out = evaluation.left_out;
  report.calibration = *found;
  for (const pm::JudgedPeak& each : judged) report.calibrated.add((*found)(each.peak), each.right);
  return report;
}

int calibrate(const CalibrateArguments& arguments, const Context& context) {
  const pm::MetricSpec metric = metric_spec(arguments, context);
  const pm::DataSource data = data_source(arguments.source, "val", context);
  const std::string path = model_path(arguments.source);
  if (!arguments.output.empty()) check_model_output("--output", arguments.output);
  const pm::Model model = pm::load_trained(path, context.ops);
  const pm::JointSet& joints = model.spec().joints;
  const std::vector<pm::Person> people = read_people(arguments.source, data, joints, context);
  std::set<std::filesystem::path> named = warn_of_absent(arguments.source, people, context);
  Progress progress(context, "evaluating");
  pm::EvaluateOptions options = evaluate_options(arguments.source, progress, context);
  options.metrics = {context.metrics.make(metric, joints)};
  const pm::EvaluationResult evaluation =
      pm::evaluate(pm::Estimator(model.with_calibration({}), {.decode_outputs = false}), people, options);
  warn_of_left_out(*options.damaged, named, context);
  require_measured(evaluation, options.damaged->all());
  CalibrationReport report = report_of(evaluation, joints);
  report.left_out_images = options.damaged->all();
  report.model = path;
  report.network = model.network();
  report.data = pm::to_string(data);
  write_stdout(arguments.json ? json_line(to_json(report)) : to_text(report));
  if (!arguments.output.empty()) model.with_calibration(report.calibration).save(arguments.output);
  return done;
}

}  // namespace

Command add_calibrate(CLI::App& app, const Context& context) {
  auto arguments = std::make_shared<CalibrateArguments>();
  CLI::App* command = app.add_subcommand("calibrate", "Turns a model's scores into probabilities");
  add_source_options(*command, arguments->source,
                     ": annotated people whom the model was not trained on;\n"
                     "of lsp:DIR the part val unless another is named");
  command
      ->add_option(
          "--metric", arguments->metric,
          "Which joints are right: pck[@T][:NORMALISER], as in evaluate; default: within 0.2 of the torso, or\n"
          "of the box where the joint set has no torso")
      ->option_text("PCK");
  command
      ->add_option(
          "-o,--output", arguments->output,
          "The file to write: the model with its calibration, weights unchanged, of a checkpoint the averaged ones\n"
          "where it has them; it may replace a model, the same one too, but no checkpoint.\n"
          "Default: none, the table alone")
      ->option_text("FILE");
  command->add_flag("--json", arguments->json,
                    "One JSON object: calibration with half, slope, person, metric and joints; error, bins");
  command->footer(
      "The score of a joint is then the probability that it is right, in everything that estimates with the file.\n"
      "train calibrates by its validation; this is for other people, another PCK or older files.");
  return {command, [arguments, &context] { return calibrate(*arguments, context); }};
}

}  // namespace tool
