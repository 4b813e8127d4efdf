// posemachine tune: how this machine does a network's convolutions best, measured and written to a file.
#include "network_source.hpp"
#include "timing.hpp"
#include "tool.hpp"

#include <posemachine/base/files.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/engine/execution.hpp>
#include <posemachine/engine/measure_costs.hpp>
#include <posemachine/engine/program_step.hpp>
#include <posemachine/engine/tuning_file.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/inference/compiled_model.hpp>
#include <posemachine/model/model.hpp>
#include <posemachine/schedule/cost_model.hpp>

#include <algorithm>
#include <array>
#include <chrono>
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

struct TuneArguments {
  std::vector<std::string> networks;
  std::string size;
  std::string output;
  int threads = default_threads();
  int runs = 15;
  bool again = false;
  bool all = false;
};

struct Tuned {
  std::string name;
  pm::CompiledModel compiled;
  pm::Size size;
};

constexpr double clear = 1.03;  // less is the same

// An execution's lanes are single threads, and a person alone has all of them.
std::vector<int> thread_counts(const TuneArguments& arguments) {
  return arguments.threads == 1 ? std::vector{1} : std::vector{1, arguments.threads};
}

std::string case_text(const pm::schedule::ConvolutionCase& which) {
  std::string text = format("%d x %d, stride %d", which.kernel, which.kernel, which.stride);
  if (which.dilation > 1) text += format(", dilation %d", which.dilation);
  return text + format(": %d to %d at %d x %d", which.in, which.out, which.height, which.width);
}

std::size_t fastest(const pm::schedule::MethodTimes& times) {
  return static_cast<std::size_t>(std::min_element(times.begin(), times.end()) - times.begin());
}

// What was measured, where it is not what an estimate would have chosen.
std::string convolution_table(const std::vector<Tuned>& networks, const pm::schedule::CostModel& costs,
                              const std::vector<int>& threads, bool all) {
  constexpr std::array names{"direct", "winograd", "last"};
  static_assert(names.size() == pm::schedule::convolution_methods.size());
  std::string text = format("%-46s %7s %10s %10s %10s  %-8s  %s\n", "convolution, microseconds", "threads", "direct",
                            "winograd", "last", "fastest", "estimate");
  std::vector<pm::schedule::CostModel::Key> seen;
  int as_estimated = 0;
  for (const Tuned& network : networks) {
    for (const pm::schedule::ConvolutionCase& which :
         pm::engine::convolution_cases(network.compiled.graph(), network.size)) {
      for (const int count : threads) {
        const pm::schedule::CostModel::Key key{which, count};
        if (!costs.measured().contains(key) || std::find(seen.begin(), seen.end(), key) != seen.end()) continue;
        seen.push_back(key);
        const pm::schedule::MethodTimes times = costs.convolution(which, count);
        const std::size_t best = fastest(times);
        const std::size_t estimated = fastest(pm::schedule::CostModel::estimate(which, count));
        const bool same = times[estimated] < clear * times[best];
        as_estimated += same ? 1 : 0;
        if (same && !all) continue;
        const auto us = [](double ns) { return std::isfinite(ns) ? format("%.1f", 1e-3 * ns) : std::string("-"); };
        text += format("%-46s %7d %10s %10s %10s  %-8s  %s\n", case_text(which).c_str(), count, us(times[0]).c_str(),
                       us(times[1]).c_str(), us(times[2]).c_str(), names[best], names[estimated]);
      }
    }
  }
  return text +
         format("%d of %d are fastest as estimated, or within 3 %%\n", as_estimated, static_cast<int>(seen.size()));
}

bool run_the_same(const pm::engine::Execution& a, const pm::engine::Execution& b) {
  const std::vector<pm::engine::ProgramStep> steps = a.steps();
  const std::vector<pm::engine::ProgramStep> others = b.steps();
  return std::equal(steps.begin(), steps.end(), others.begin(), others.end(),
                    [](const pm::engine::ProgramStep& one, const pm::engine::ProgramStep& other) {
                      return one.implementation == other.implementation && one.layout == other.layout;
                    });
}

// The same network with and without what was measured, run in turn.
std::string network_line(const Tuned& network, const std::shared_ptr<const pm::schedule::CostModel>& costs, int threads,
                         int runs, const Context& context) {
  pm::engine::ProgramOptions options;
  options.image = network.size;
  options.threads = threads;
  pm::engine::Execution estimated(network.compiled.graph(), network.compiled.weights(), options);
  options.costs = costs;
  pm::engine::Execution tuned(network.compiled.graph(), network.compiled.weights(), options);
  const std::string head =
      format("%-26s %4d x %4d %7d ", network.name.c_str(), network.size.height, network.size.width, threads);
  if (run_the_same(estimated, tuned)) return head + "the same steps\n";
  RandomImages images(tuned);
  std::array<std::vector<double>, 2> seconds;
  constexpr int untimed = 2;
  Progress progress(context, network.name + format(" as a whole, %d thread%s", threads, threads == 1 ? "" : "s"));
  for (int run = -untimed; run < runs; ++run) {
    context.stop_if_asked();
    for (std::size_t which = 0; which < 2; ++which) {
      pm::engine::Execution& execution = which == 0 ? estimated : tuned;
      images.fill_next(execution);
      const auto begin = std::chrono::steady_clock::now();
      execution.run();
      const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
      if (run >= 0) seconds[which].push_back(took.count());
    }
    progress.update(run + untimed + 1, runs + untimed);
  }
  const double before = median(seconds[0]);
  const double after = median(seconds[1]);
  if (after > clear * before) {
    context.warn(network.name +
                 ": slower as tuned than as estimated: others may have used the cores; measure again "
                 "(--again) when the machine is quiet");
  }
  const auto moves = std::count_if(tuned.schedule().steps.begin(), tuned.schedule().steps.end(),
                                   [](const pm::schedule::Step& step) { return step.op == &pm::schedule::reorder_op; });
  return head + format("%9.2f %9.2f %7.3f %9d\n", 1e3 * before, 1e3 * after, before / after, static_cast<int>(moves));
}

// Measures what is missing and keeps the file up to date meanwhile.
void measure(const std::vector<Tuned>& networks, const std::vector<int>& threads, const std::filesystem::path& path,
             pm::schedule::CostModel& costs, const Context& context) {
  const auto save = [&] { pm::write_file_atomically(path, pm::engine::tuning_text(costs)); };
  save();  // whether it can be written is found before anything is measured
  int disturbed = 0;
  try {
    for (const Tuned& network : networks) {
      for (const int count : threads) {
        Progress progress(context, network.name + format(", %d thread%s", count, count == 1 ? "" : "s"));
        auto saved = std::chrono::steady_clock::now();
        disturbed +=
            pm::engine::measure_costs(costs, network.compiled.graph(), network.size, count, [&](int done, int all) {
              context.stop_if_asked();
              progress.update(done, all);
              if (std::chrono::steady_clock::now() - saved < std::chrono::seconds(1)) return;
              save();
              saved = std::chrono::steady_clock::now();
            });
        save();
      }
    }
  } catch (const Interrupted&) {
    save();
    context.warn("stopped; " + path.string() + " holds what was measured: the same command goes on from there");
    throw;
  }
  if (disturbed > 0) {
    context.warn(std::to_string(disturbed) +
                 " convolutions are left out: others used the cores; the same command "
                 "measures them when the machine is quiet");
  }
}

int tune(const TuneArguments& arguments, const Context& context) {
  const std::filesystem::path path = arguments.output;
  if (path.empty()) pm::fail<pm::UsageError>({.where = "--output", .expected = "a file's name", .got = "\"\""});
  std::vector<Tuned> networks;
  for (const std::string& what : arguments.networks) {
    const pm::Model model = find_model(what, context);
    const pm::Size size = input_size(model, arguments.size);
    networks.push_back({model.network(), pm::CompiledModel(model), size});
  }
  auto costs = std::make_shared<pm::schedule::CostModel>();
  if (std::filesystem::exists(path)) {
    const pm::schedule::CostModel kept =
        pm::engine::read_tuning(path);  // --again too: what is no tuning file is not replaced
    if (!arguments.again) *costs = kept;
  }
  const std::vector<int> threads = thread_counts(arguments);
  measure(networks, threads, path, *costs, context);
  write_stdout(convolution_table(networks, *costs, threads, arguments.all) + "\n");
  std::string text = format("%-26s %11s %7s %9s %9s %7s %9s\n", "network, ms", "input", "threads", "estimate", "tuned",
                            "ratio", "reorders");
  for (const Tuned& network : networks) {
    for (const int count : threads) text += network_line(network, costs, count, arguments.runs, context);
  }
  write_stdout(text);
  return done;
}

}  // namespace

Command add_tune(CLI::App& app, const Context& context) {
  auto arguments = std::make_shared<TuneArguments>();
  CLI::App* command = app.add_subcommand("tune", "How this machine does a network's convolutions best");
  command
      ->add_option("NET", arguments->networks, "Model files, network files NET.json, or networks: " + network_names())
      ->required();
  command
      ->add_option("-o,--output", arguments->output,
                   "Where the times go: a tuning file, which is added to where there is one")
      ->option_text("FILE")
      ->required();
  command->add_option("--size", arguments->size,
                      "Input in pixels, HEIGHTxWIDTH or one number; default: the network's own");
  command->add_option("--threads", arguments->threads, "Threads; 1 is always measured too")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  command->add_option("--runs", arguments->runs, "Runs of the whole network with and without, afterwards")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  command->add_flag("--again", arguments->again, "Measure everything again, whatever the file holds");
  command->add_flag("--all", arguments->all, "List the convolutions too that are fastest as estimated");
  command->footer(
      "Each convolution is run directly, by Winograd's algorithm and on maps with channels last, where\n"
      "there are such kernels. Networks that are given the file (--tuning of bench, profile and estimate,\n"
      "EstimatorOptions::tuning, ProgramOptions::costs) choose by these times, whole networks at a time:\n"
      "maps that have to change their layout (reorders) are counted. Without it they choose by\n"
      "estimates. Measure when the machine is quiet. Results are the same but for rounding.");
  return {command, [arguments, &context] { return tune(*arguments, context); }};
}

}  // namespace tool
