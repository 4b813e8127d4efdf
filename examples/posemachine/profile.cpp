// posemachine profile: where the time of a network goes, step by step.
#include "network_source.hpp"
#include "timing.hpp"
#include "tool.hpp"

#include <posemachine/base/files.hpp>
#include <posemachine/base/json.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/engine/execution.hpp>
#include <posemachine/inference/compiled_model.hpp>
#include <posemachine/model/model.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

namespace pm = posemachine;

namespace tool {

namespace {

struct ProfileArguments {
  std::string what;
  TimingArguments timing;
  std::string sort = "time";
  int top = 0;
  std::string trace;
  bool json = false;
};

// A step, or all steps of a kind, and what they took together.
struct Line {
  std::string name;
  std::string implementation;
  std::string layout;
  std::string shape;
  int steps = 0;
  double seconds = 0;
  std::int64_t multiply_adds = 0;
  std::int64_t bytes = 0;
  std::int64_t moved_bytes = 0;
};

std::string step_name(const pm::engine::ProgramStep& step) {
  return step.block.empty() ? step.operation : step.operation + " in " + step.block;
}

std::string rate_text(const Line& line) {
  return line.multiply_adds == 0 ? "" : format("%.0f", 2e-9 * static_cast<double>(line.multiply_adds) / line.seconds);
}

std::string step_table(const std::vector<Line>& lines, double total_s, bool kinds) {
  std::size_t name_width = 10, implementation_width = 14, layout_width = 6, shape_width = 5;
  for (const Line& line : lines) {
    name_width = std::max(name_width, line.name.size());
    implementation_width = std::max(implementation_width, line.implementation.size());
    layout_width = std::max(layout_width, line.layout.size());
    shape_width = std::max(shape_width, line.shape.size());
  }
  const auto row = [&](const std::string& name, const std::string& implementation, const std::string& layout,
                       const std::string& shape, const std::string& steps, const std::string& numbers) {
    std::string text =
        format("%-*s  %-*s  ", int(name_width), name.c_str(), int(implementation_width), implementation.c_str());
    text += kinds ? format("%5s", steps.c_str())
                  : format("%-*s  %-*s", int(layout_width), layout.c_str(), int(shape_width), shape.c_str());
    return text + numbers + "\n";
  };
  std::string text = row(kinds ? "operation" : "step", "implementation", "layout", "shape", "steps",
                         format(" %9s %6s %8s %9s %9s", "ms", "%", "GFLOP/s", "MB", "MB moved"));
  for (const Line& line : lines) {
    text += row(line.name, line.implementation, line.layout, line.shape, std::to_string(line.steps),
                format(" %9.3f %6.1f %8s %9.2f %9.2f", 1e3 * line.seconds, 100 * line.seconds / total_s,
                       rate_text(line).c_str(), 1e-6 * static_cast<double>(line.bytes),
                       1e-6 * static_cast<double>(line.moved_bytes)));
  }
  return text;
}

void add_to(Line& sum, const Line& line) {
  sum.steps += line.steps;
  sum.seconds += line.seconds;
  sum.multiply_adds += line.multiply_adds;
  sum.bytes += line.bytes;
  sum.moved_bytes += line.moved_bytes;
}

std::vector<Line> by_kind(const std::vector<pm::engine::ProgramStep>& steps, const std::vector<Line>& lines) {
  std::map<std::pair<std::string, std::string>, Line> kinds;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    Line& kind = kinds[{steps[i].operation, steps[i].implementation}];
    kind.name = steps[i].operation;
    kind.implementation = steps[i].implementation;
    add_to(kind, lines[i]);
  }
  std::vector<Line> sorted;
  for (auto& [key, kind] : kinds) sorted.push_back(std::move(kind));
  std::stable_sort(sorted.begin(), sorted.end(), [](const Line& a, const Line& b) { return a.seconds > b.seconds; });
  return sorted;
}

// Complete events ("ph": "X") of one run, in microseconds: chrome://tracing and Perfetto draw them.
std::string trace_text(const std::string& network, const std::vector<pm::engine::ProgramStep>& steps,
                       const std::vector<double>& seconds) {
  pm::Json events = pm::Json::array();
  events.push_back({{"name", "process_name"}, {"ph", "M"}, {"pid", 1}, {"tid", 1}, {"args", {{"name", network}}}});
  double at_s = 0;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const pm::engine::ProgramStep& step = steps[i];
    events.push_back({{"name", step_name(step)},
                      {"cat", step.operation},
                      {"ph", "X"},
                      {"ts", 1e6 * at_s},
                      {"dur", 1e6 * seconds[i]},
                      {"pid", 1},
                      {"tid", 1},
                      {"args",
                       {{"implementation", step.implementation},
                        {"layout", step.layout},
                        {"shape", step.shape},
                        {"multiply_adds", step.multiply_adds},
                        {"bytes", step.bytes},
                        {"moved_bytes", step.moved_bytes}}}});
    at_s += seconds[i];
  }
  const pm::Json trace{{"displayTimeUnit", "ms"}, {"traceEvents", std::move(events)}};
  return trace.dump(-1, ' ', false, pm::Json::error_handler_t::replace) + "\n";
}

int profile(const ProfileArguments& arguments, const Context& context) {
  const pm::Model model = find_model(arguments.what, context);
  pm::engine::ProgramOptions options;
  options.image = input_size(model, arguments.timing.size);
  options.threads = arguments.timing.threads;
  options.costs = tuning_of(arguments.timing);
  const pm::CompiledModel compiled(model);
  warn_if_not_tuned(arguments.timing, options.costs.get(), compiled.graph(), options.image, options.threads, context);
  pm::engine::Execution execution(compiled.graph(), compiled.weights(), options);
  RandomImages images(execution);
  const std::vector<pm::engine::ProgramStep> steps = execution.steps();
  std::vector<std::vector<double>> runs;
  constexpr int untimed = 2;
  Progress progress(context, "running");
  for (int run = -untimed; run < arguments.timing.runs; ++run) {
    context.stop_if_asked();
    images.fill_next(execution);
    std::vector<double> seconds(steps.size());
    execution.run_timed(seconds);
    if (run >= 0) runs.push_back(std::move(seconds));
    progress.update(run + untimed + 1, arguments.timing.runs + untimed);
  }

  std::vector<Line> lines;
  Line total;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    std::vector<double> seconds;
    for (const std::vector<double>& run : runs) seconds.push_back(run[i]);
    const pm::engine::ProgramStep& step = steps[i];
    lines.push_back({step_name(step), step.implementation, step.layout, step.shape, 1, median(seconds),
                     step.multiply_adds, step.bytes, step.moved_bytes});
    add_to(total, lines.back());
  }
  const std::vector<Line> kinds = by_kind(steps, lines);

  if (!arguments.trace.empty()) {
    // The run in the middle, so that the trace is one that happened.
    const auto length = [](const std::vector<double>& run) { return std::accumulate(run.begin(), run.end(), 0.0); };
    std::sort(runs.begin(), runs.end(), [&](const auto& a, const auto& b) { return length(a) < length(b); });
    pm::write_file_atomically(arguments.trace, trace_text(model.network(), steps, runs[runs.size() / 2]));
  }

  std::vector<std::size_t> order(lines.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  if (arguments.sort == "time") {
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return lines[a].seconds > lines[b].seconds; });
  }
  if (arguments.top > 0 && order.size() > static_cast<std::size_t>(arguments.top)) {
    order.resize(static_cast<std::size_t>(arguments.top));
  }

  if (arguments.json) {
    pm::Json json;
    json["network"] = model.network();
    json["input"] = {{"height", options.image.height}, {"width", options.image.width}};
    json["threads"] = arguments.timing.threads;
    json["ms"] = 1e3 * total.seconds;
    json["moved_bytes"] = total.moved_bytes;
    json["steps"] = pm::Json::array();
    for (const std::size_t i : order) {
      json["steps"].push_back({{"node", steps[i].node},
                               {"operation", steps[i].operation},
                               {"block", steps[i].block},
                               {"implementation", steps[i].implementation},
                               {"layout", steps[i].layout},
                               {"shape", steps[i].shape},
                               {"ms", 1e3 * lines[i].seconds},
                               {"share", lines[i].seconds / total.seconds},
                               {"macs", steps[i].multiply_adds},
                               {"bytes", steps[i].bytes},
                               {"moved_bytes", steps[i].moved_bytes}});
    }
    write_stdout(json.dump(-1, ' ', false, pm::Json::error_handler_t::replace) + "\n");
    return done;
  }
  std::vector<Line> shown;
  for (const std::size_t i : order) shown.push_back(lines[i]);
  std::string text = format("%s, input %d x %d, %d thread%s; medians of %d runs\n\n", model.network().c_str(),
                            options.image.height, options.image.width, arguments.timing.threads,
                            arguments.timing.threads == 1 ? "" : "s", arguments.timing.runs);
  text += step_table(shown, total.seconds, /*kinds=*/false) + "\n" + step_table(kinds, total.seconds, /*kinds=*/true);
  text += format("\n%zu steps, %.3f ms, %.0f GFLOP/s, %.2f MB moved by reorders and copies\n", steps.size(),
                 1e3 * total.seconds, 2e-9 * static_cast<double>(total.multiply_adds) / total.seconds,
                 1e-6 * static_cast<double>(total.moved_bytes));
  write_stdout(text);
  return done;
}

}  // namespace

Command add_profile(CLI::App& app, const Context& context) {
  auto arguments = std::make_shared<ProfileArguments>();
  CLI::App* command = app.add_subcommand("profile", "Where the time of a network goes, step by step");
  command->add_option("NET", arguments->what, "A model file, a network file NET.json, or a network: " + network_names())
      ->required();
  add_timing_options(*command, arguments->timing);
  command->add_option("--sort", arguments->sort, "By time, or in the order of the steps: time, step")
      ->check(CLI::IsMember({"time", "step"}))
      ->capture_default_str();
  command->add_option("--top", arguments->top, "So many steps and no more; default: all")
      ->check(CLI::Range(1, 100'000));
  command->add_option("--trace", arguments->trace,
                      "Write the steps of one run into this file, for chrome://tracing or Perfetto");
  command->add_flag("--json", arguments->json,
                    "One JSON object: network, input, threads, ms (the sum of all steps), moved_bytes, steps\n"
                    "(of each: node, operation, block, implementation, layout and shape of dst, ms, share of the\n"
                    "sum, macs, bytes read and written, moved_bytes)");
  command->footer(
      "A step is an operation with what was fused into it. \"moved\" bytes are read and written only to\n"
      "stand elsewhere or in another layout. Steps are waited for one by one: their sum is somewhat more\n"
      "than a run takes.");
  return {command, [arguments, &context] { return profile(*arguments, context); }};
}

}  // namespace tool
