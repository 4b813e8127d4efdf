// posemachine tune: how this machine does a network's convolutions best, measured and written to a file.
#include "network_source.hpp"
#include "timing.hpp"
#include "tool.hpp"

#include <posemachine/base/files.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/engine/costs.hpp>
#include <posemachine/engine/measure_costs.hpp>
#include <posemachine/engine/plan.hpp>
#include <posemachine/engine/tuning_file.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/model/model.hpp>

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
};

struct Tuned {
  std::string name;
  InferenceGraph inference;
  pm::Size size;
};

// A plan's lanes are single threads, and a person alone has all of them.
std::vector<int> thread_counts(const TuneArguments& arguments) {
  return arguments.threads == 1 ? std::vector{1} : std::vector{1, arguments.threads};
}

std::string case_text(const pm::ConvolutionCase& which) {
  std::string text = format("%d x %d, stride %d", which.kernel, which.kernel, which.stride);
  if (which.dilation > 1) text += format(", dilation %d", which.dilation);
  return text + format(": %d to %d at %d x %d", which.in, which.out, which.height, which.width);
}

// The fastest of some times, by name.
std::string fastest(const pm::MethodTimes& times) {
  constexpr std::array names{"direct", "winograd", "channels last"};
  static_assert(names.size() == pm::convolution_methods.size());
  return names[static_cast<std::size_t>(std::min_element(times.begin(), times.end()) - times.begin())];
}

std::string convolution_table(const std::vector<Tuned>& networks, const pm::Costs& costs,
                              const std::vector<int>& threads) {
  std::string text = format("%-52s %7s %9s %9s %13s  %-13s  %s\n", "convolution", "threads", "direct", "winograd",
                            "channels last", "fastest", "by estimate");
  std::vector<pm::Costs::Key> shown;
  for (const Tuned& network : networks) {
    for (const pm::ConvolutionCase& which : pm::convolution_cases(network.inference.graph, network.size)) {
      for (const int count : threads) {
        const pm::Costs::Key key{which, count};
        if (std::find(shown.begin(), shown.end(), key) != shown.end()) continue;
        shown.push_back(key);
        const pm::MethodTimes times = costs.convolution(which, count);
        const auto ms = [](double ns) { return std::isfinite(ns) ? format("%.3f", 1e-6 * ns) : std::string("-"); };
        text += format("%-52s %7d %9s %9s %13s  %-13s  %s\n", case_text(which).c_str(), count, ms(times[0]).c_str(),
                       ms(times[1]).c_str(), ms(times[2]).c_str(), fastest(times).c_str(),
                       fastest(pm::Costs::estimate(which, count)).c_str());
      }
    }
  }
  return text;
}

// The same network with and without what was measured, run in turn.
std::string network_line(const Tuned& network, const std::shared_ptr<const pm::Costs>& costs, int threads, int runs,
                         const Context& context) {
  pm::PlanOptions options;
  options.image = network.size;
  options.threads = threads;
  pm::Plan estimated(network.inference.graph, network.inference.weights, options);
  options.costs = costs;
  pm::Plan tuned(network.inference.graph, network.inference.weights, options);
  RandomImages images(tuned);
  std::array<std::vector<double>, 2> seconds;
  constexpr int untimed = 2;
  for (int run = -untimed; run < runs; ++run) {
    context.stop_if_asked();
    for (std::size_t which = 0; which < 2; ++which) {
      pm::Plan& plan = which == 0 ? estimated : tuned;
      images.fill_next(plan);
      const auto begin = std::chrono::steady_clock::now();
      plan.run();
      const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
      if (run >= 0) seconds[which].push_back(took.count());
    }
  }
  std::vector<double> ratios;
  for (std::size_t i = 0; i < seconds[0].size(); ++i) ratios.push_back(seconds[0][i] / seconds[1][i]);
  const auto moves = std::count_if(tuned.schedule().steps.begin(), tuned.schedule().steps.end(),
                                   [](const pm::Step& step) { return step.is_relayout; });
  return format("%-26s %4d x %4d %7d %12.2f %9.2f %7.3f %7d\n", network.name.c_str(), network.size.height,
                network.size.width, threads, 1e3 * median(seconds[0]), 1e3 * median(seconds[1]), median(ratios),
                static_cast<int>(moves));
}

int tune(const TuneArguments& arguments, const Context& context) {
  const std::filesystem::path path = arguments.output;
  auto costs = std::make_shared<pm::Costs>();
  if (std::filesystem::exists(path)) *costs = pm::read_tuning(path);
  std::vector<Tuned> networks;
  for (const std::string& what : arguments.networks) {
    const pm::Model model = find_model(what, context);
    const pm::Size size = input_size(model, arguments.size);
    networks.push_back({model.network(), InferenceGraph(model), size});
  }
  const std::vector<int> threads = thread_counts(arguments);
  for (const Tuned& network : networks) {
    for (const int count : threads) {
      Progress progress(context, network.name + format(", %d thread%s", count, count == 1 ? "" : "s"));
      pm::measure_costs(*costs, network.inference.graph, network.size, count, [&](int done, int all) {
        context.stop_if_asked();
        progress.update(done, all);
      });
      pm::write_file_atomically(path, pm::tuning_text(*costs));
    }
  }
  std::string text = "ms, medians\n\n" + convolution_table(networks, *costs, threads) + "\n";
  text += format("%-26s %11s %7s %12s %9s %7s %7s\n", "network", "input", "threads", "by estimate", "tuned", "ratio",
                 "moves");
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
      ->add_option("NET", arguments->networks,
                   "Model files, network files NET.json, or networks: " + network_names())
      ->required();
  command
      ->add_option("-o,--output", arguments->output,
                   "Where the times go: a tuning file, which is added to where there is one")
      ->option_text("FILE")->required();
  command->add_option("--size", arguments->size,
                      "Input in pixels, HEIGHTxWIDTH or one number; default: the network's own");
  command->add_option("--threads", arguments->threads, "Threads; 1 is always measured too")
      ->check(CLI::Range(1, 256))->capture_default_str();
  command->add_option("--runs", arguments->runs, "Runs of the whole network with and without, afterwards")
      ->check(CLI::Range(1, 100'000))->capture_default_str();
  command->footer("Each convolution is run directly, by Winograd's algorithm and on maps with channels last, where\n"
                  "there are such kernels: some tenths of a second each. Plans that are given the file (--tuning of\n"
                  "bench, profile and estimate, EstimatorOptions::tuning, PlanOptions::costs) choose by these times,\n"
                  "whole networks at a time: maps that change their layout are counted. Without it they choose by\n"
                  "estimates. Measure when the machine is quiet. Results are the same but for rounding.");
  return {command, [arguments, &context] { return tune(*arguments, context); }};
}

}  // namespace tool
