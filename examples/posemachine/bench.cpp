// posemachine bench: how fast networks run here.
#include "network_source.hpp"
#include "peak.hpp"
#include "timing.hpp"
#include "tool.hpp"

#include <posemachine/base/json.hpp>
#include <posemachine/engine/batch_execution.hpp>
#include <posemachine/graph/queries.hpp>
#include <posemachine/inference/compiled_model.hpp>
#include <posemachine/model/model.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace pm = posemachine;

namespace tool {

namespace {

struct BenchArguments {
  std::vector<std::string> networks;
  TimingArguments timing;
  int batch = 1;
  bool json = false;
};

struct Measured {
  std::string network;
  pm::Size size;
  double ready_s = 0;           // from the model in memory to an execution that can run
  std::vector<double> seconds;  // of each run
  double flops = 0;             // of one run
  std::size_t map_bytes = 0;
  std::size_t weight_bytes = 0;
};

// All networks in turn, run by run: what else the machine does in these seconds falls on every one of them.
std::vector<Measured> measure(const BenchArguments& arguments, const Context& context) {
  struct Timed {
    std::unique_ptr<pm::engine::BatchExecution> execution;
    RandomImages images;
  };
  const std::shared_ptr<const pm::schedule::CostModel> costs = tuning_of(arguments.timing);
  std::vector<Measured> all;
  std::vector<Timed> timed;
  for (const std::string& what : arguments.networks) {
    context.stop_if_asked();
    const pm::Model model = find_model(what, context);
    pm::engine::ProgramOptions options;
    options.image = input_size(model, arguments.timing.size);
    options.batch = arguments.batch;
    options.threads = arguments.timing.threads;
    options.costs = costs;
    const double begin = now_s();
    const pm::CompiledModel compiled(model);
    auto execution = std::make_unique<pm::engine::BatchExecution>(compiled.graph(), compiled.weights(), options);
    const double ready_s = now_s() - begin;
    const double multiply_adds = static_cast<double>(pm::count_multiply_adds(model.graph(), options.image));
    warn_if_not_tuned(arguments.timing, costs.get(), compiled.graph(), options.image, execution->threads_per_image(),
                      context);
    all.push_back({model.network(),
                   options.image,
                   ready_s,
                   {},
                   2 * multiply_adds * arguments.batch,
                   execution->bytes(),
                   compiled.weights()->bytes()});
    RandomImages images(*execution);
    timed.push_back({std::move(execution), std::move(images)});
  }
  constexpr int untimed = 2;
  Progress progress(context, "running");
  for (int run = -untimed; run < arguments.timing.runs; ++run) {
    for (std::size_t i = 0; i < timed.size(); ++i) {
      context.stop_if_asked();
      timed[i].images.fill_next(*timed[i].execution);
      const double begin = now_s();
      timed[i].execution->run();
      if (run >= 0) all[i].seconds.push_back(now_s() - begin);
    }
    progress.update(run + untimed + 1, arguments.timing.runs + untimed);
  }
  return all;
}

int bench(const BenchArguments& arguments, const Context& context) {
  const TimingArguments& timing = arguments.timing;
  const std::vector<Measured> all = measure(arguments, context);
  const Peak peak = measure_peak(timing.threads);
  pm::Json lines = pm::Json::array();
  std::string text = format("batch %d, %d thread%s, %d runs; peak %.0f GFLOP/s (%s)\n\n", arguments.batch,
                            timing.threads, timing.threads == 1 ? "" : "s", timing.runs, peak.flops / 1e9,
                            peak.flops > 0 ? peak.instructions.c_str() : "not measured");
  text += format("%-26s %11s %9s %9s %9s %9s %8s %6s %8s %9s %8s\n", "network", "input", "ms/image", "least", "90 %",
                 "images/s", "GFLOP/s", "% peak", "maps MB", "weights", "ready ms");
  for (const Measured& each : all) {
    const double run_s = median(each.seconds);
    const double image_ms = 1e3 * run_s / arguments.batch;
    const double least_ms = 1e3 * quantile(each.seconds, 0) / arguments.batch;
    const double most_ms = 1e3 * quantile(each.seconds, 0.9) / arguments.batch;
    const double rate = each.flops / run_s;
    const double share = peak.flops > 0 ? rate / peak.flops : 0;
    text += format("%-26s %4d x %4d %9.2f %9.2f %9.2f %9.1f %8.1f %6.0f %8.1f %9.1f %8.0f\n", each.network.c_str(),
                   each.size.height, each.size.width, image_ms, least_ms, most_ms, arguments.batch / run_s, rate / 1e9,
                   100 * share, static_cast<double>(each.map_bytes) / 1e6, static_cast<double>(each.weight_bytes) / 1e6,
                   1e3 * each.ready_s);
    pm::Json line;
    line["network"] = each.network;
    line["input"] = {{"height", each.size.height}, {"width", each.size.width}};
    line["batch"] = arguments.batch;
    line["threads"] = timing.threads;
    line["ms_per_image"] = {{"median", image_ms}, {"least", least_ms}, {"quantile_90", most_ms}};
    line["images_per_second"] = arguments.batch / run_s;
    line["flops"] = rate;
    line["peak_flops"] = peak.flops > 0 ? pm::Json(peak.flops) : pm::Json();
    line["map_bytes"] = each.map_bytes;
    line["weight_bytes"] = each.weight_bytes;
    line["ready_ms"] = 1e3 * each.ready_s;
    lines.push_back(std::move(line));
  }
  const bool disturbed = std::any_of(all.begin(), all.end(), [](const Measured& each) {
    return median(each.seconds) > 2 * quantile(each.seconds, 0);
  });
  if (disturbed) {
    context.warn(
        "the median run took more than twice the least: others use these cores; a team of threads waits for its "
        "slowest, so ask for fewer threads, or measure when the machine is quiet");
  }
  if (!arguments.json) {
    write_stdout(text);
    return done;
  }
  std::string printed;
  for (const pm::Json& line : lines) {
    printed += line.dump(-1, ' ', false, pm::Json::error_handler_t::replace) + "\n";
  }
  write_stdout(printed);
  return done;
}

}  // namespace

Command add_bench(CLI::App& app, const Context& context) {
  auto arguments = std::make_shared<BenchArguments>();
  CLI::App* command = app.add_subcommand("bench", "How fast networks run on this machine");
  command
      ->add_option("NET", arguments->networks,
                   "Model files, network files NET.json, or networks: " + network_names() + "; run in turn")
      ->required();
  add_timing_options(*command, arguments->timing);
  command->add_option("--batch", arguments->batch, "Images of one run")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  command->add_flag("--json", arguments->json,
                    "A line of JSON for each: network, input, batch, threads, ms_per_image (median, least,\n"
                    "quantile_90), images_per_second, flops (a second), peak_flops (null where there is no loop\n"
                    "for this processor), map_bytes and weight_bytes (what the execution and its prepared weights\n"
                    "hold), ready_ms (from the model in memory to an execution that can run)");
  command->footer(
      "What is timed is the network alone: no image is read, cropped or decoded. The peak is that of\n"
      "multiply-adds in registers, measured on as many threads; convolutions by Winograd's algorithm\n"
      "do fewer operations than are counted, so a network may come near it or above.");
  return {command, [arguments, &context] { return bench(*arguments, context); }};
}

}  // namespace tool
