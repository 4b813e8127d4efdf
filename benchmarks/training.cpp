// What feeding a training costs: steps on batches that are ready beside steps fed by a loader, taken in turn; and
// batches of photographs of several sizes, decoded whole or reduced, anew or kept.
#include "../tests/data/jpeg_bytes.hpp"
#include "../tests/temporary_folder.hpp"
#include "workload.hpp"

#include <posemachine/core/image.hpp>
#include <posemachine/core/random.hpp>
#include <posemachine/core/tensor.hpp>
#include <posemachine/data/loader.hpp>
#include <posemachine/data/person.hpp>
#include <posemachine/engine/batch_gradients.hpp>
#include <posemachine/model/initialise.hpp>
#include <posemachine/networks/registry.hpp>
#include <posemachine/pose/joint_set.hpp>
#include <posemachine/training/losses/squared_error.hpp>
#include <posemachine/training/optimizer.hpp>

#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

namespace pm = posemachine;

// The bundled photograph again and again: with 640 x 427 pixels it is larger than most of LSP.
std::vector<pm::Person> people(int count) {
  const char* project = std::getenv("POSEMACHINE_SOURCE_DIR");
  const auto photo = std::filesystem::path(project == nullptr ? "." : project) / "examples/photos/pitcher.jpg";
  std::vector<pm::Person> list;
  for (int i = 0; i < count; ++i) {
    pm::Person person{photo, "pitcher", i + 1, {}, pm::Framing::labelled_box};
    for (std::size_t j = 0; j < pm::lsp_joints().joints.size(); ++j) {
      person.joints.push_back({{330.0 + 3.0 * double(j), 190.0 + 10.0 * double(j)}, pm::JointState::visible});
    }
    list.push_back(std::move(person));
  }
  return list;
}

// A network that trains: the same step whoever made the batch.
class Run {
 public:
  Run(const pm::NamedNetwork& network, int batch, pm::Size image, int workers)
      : graph_(network.build()),
        parameters_(std::make_shared<std::vector<pm::Tensor>>(pm::initialise(graph_, 1))),
        gradients_(graph_, parameters_, {.batch = batch, .workers = workers, .image = image}),
        optimizer_(graph_, {}) {}

  void step(const pm::Batch& batch) {
    const auto maps = static_cast<std::size_t>(batch.map_weights.shape[1]);
    const auto cells = static_cast<std::size_t>(batch.targets.shape[2] * batch.targets.shape[3]);
    gradients_.compute(
        "image", batch.images.values,
        [&](const pm::engine::SliceView& view) {
          const auto first = static_cast<std::size_t>(view.first) * maps;
          const auto count = static_cast<std::size_t>(view.count) * maps;
          const std::span<const float> targets(batch.targets.values.data() + first * cells, count * cells);
          const std::span<const float> weights(batch.map_weights.values.data() + first, count);
          for (std::size_t stage = 0; stage < view.outputs.size(); ++stage) {
            const auto images = static_cast<int>(batch.samples.size());
            pm::heatmap_loss({view.outputs[stage], targets, weights, cells, images}, view.output_gradients[stage]);
          }
        },
        1, count_);
    optimizer_.update(*parameters_, gradients_.gradients(), 1e-4, static_cast<std::int64_t>(count_++),
                      gradients_.workers());
  }

 private:
  pm::Graph graph_;
  std::shared_ptr<std::vector<pm::Tensor>> parameters_;
  pm::engine::BatchGradients gradients_;
  pm::Optimizer optimizer_;
  std::uint64_t count_ = 0;
};

double median(std::vector<double>& values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void feed(benchmark::State& state, const pm::NamedNetwork& network, int batch, pm::Size image) {
  using Clock = std::chrono::steady_clock;
  constexpr int filling = 4, steps = 8;  // steps until as many batches are made as used; steps of one turn
  pm::LoaderOptions options;
  options.input = image;
  options.batch = batch;
  const pm::BatchMaker maker(people(batch), pm::lsp_joints(), options);
  const pm::Batch ready = maker(0);
  Run run(network, batch, image, static_cast<int>(state.range(0)));
  std::vector<double> with_ready, with_loader, making;
  const auto timed = [&](std::vector<double>& seconds, const auto& work) {
    const auto begin = Clock::now();
    work();
    seconds.push_back(std::chrono::duration<double>(Clock::now() - begin).count());
  };
  for (auto _ : state) {
    run.step(ready);
    for (int i = 0; i < steps; ++i) timed(with_ready, [&] { run.step(ready); });
    pm::BatchLoader loader(people(batch), pm::lsp_joints(), options);
    for (int i = 0; i < filling; ++i) run.step(loader.next());
    for (int i = 0; i < steps; ++i) timed(with_loader, [&] { run.step(loader.next()); });
  }
  timed(making, [&] { benchmark::DoNotOptimize(maker(1).images.values.data()); });
  const double plain = median(with_ready), fed = median(with_loader);
  state.counters["ready images/s"] = batch / plain;
  state.counters["loader images/s"] = batch / fed;
  state.counters["share"] = plain / fed;
  state.counters["ms to make an image"] = 1e3 * making.front() / batch;
}

// Waves, edges and weak noise, stored as cameras do: colours at half the resolution, about 2.5 bits a pixel.
std::string photograph(pm::Size size, int number) {
  pm::Image image(size.width, size.height);
  pm::RandomStream stream(1, pm::Purpose::test, static_cast<std::uint64_t>(number));
  for (int y = 0; y < size.height; ++y) {
    for (int x = 0; x < size.width; ++x) {
      const double wave = 60 * std::sin(x / 37.0 + number) + 40 * std::cos(y / 23.0) + ((x / 90 + y / 70) % 2 ? 12 : 0);
      for (std::size_t c = 0; c < 3; ++c) {
        image.at(x, y)[c] = static_cast<std::uint8_t>(120 + wave + double(stream.below(9)));
      }
    }
  }
  return test_environment::jpeg(size.width, size.height, 3, std::move(image.pixels), {.quality = 92});
}

// One person on each photograph, as large as it.
std::vector<pm::Person> photographed(const test_environment::TemporaryFolder& folder, pm::Size size, int count) {
  std::vector<pm::Person> list;
  for (int i = 0; i < count; ++i) {
    const auto file = folder.write("p" + std::to_string(i) + ".jpg", photograph(size, i));
    pm::Person person{file, "drawn", i + 1, {}, pm::Framing::image};
    for (std::size_t j = 0; j < pm::lsp_joints().joints.size(); ++j) {
      const double along = (double(j) + 1) / 16;
      person.joints.push_back({{along * size.width, along * size.height}, pm::JointState::visible});
    }
    list.push_back(std::move(person));
  }
  return list;
}

// Milliseconds per sample, the four ways in turn. Photographs that are kept were decoded in an epoch before.
void feed_photographs(benchmark::State& state, pm::Size size, int count) {
  using Clock = std::chrono::steady_clock;
  const test_environment::TemporaryFolder folder;
  const std::vector<pm::Person> list = photographed(folder, size, count);
  pm::LoaderOptions options;
  options.input = {128, 128};
  options.batch = count;
  std::vector<std::unique_ptr<pm::BatchMaker>> ways;
  for (const bool reduces : {false, true}) {
    for (const std::size_t bytes : {std::size_t{0}, std::size_t{512'000'000}}) {
      options.reduce_photographs = reduces;
      options.cache_bytes = bytes;
      ways.push_back(std::make_unique<pm::BatchMaker>(list, pm::lsp_joints(), options));
      benchmark::DoNotOptimize((*ways.back())(0).images.values.data());
    }
  }
  std::vector<std::vector<double>> seconds(ways.size());
  std::uint64_t step = 1;
  for (auto _ : state) {
    for (std::size_t way = 0; way < ways.size(); ++way) {
      const auto begin = Clock::now();
      benchmark::DoNotOptimize((*ways[way])(step).images.values.data());
      seconds[way].push_back(std::chrono::duration<double>(Clock::now() - begin).count());
    }
    ++step;
  }
  const std::array<const char*, 4> names{"ms whole", "ms kept", "ms reduced", "ms reduced and kept"};
  for (std::size_t way = 0; way < ways.size(); ++way) state.counters[names[way]] = 1e3 * median(seconds[way]) / count;
  state.counters["factor"] = pm::photograph_reduction(list.front(), size, options);
}

void register_photographs() {
  struct Case {
    pm::Size size;
    int count;
  };
  for (const Case& each : {Case{{480, 640}, 24}, Case{{1080, 1920}, 12}, Case{{3024, 4032}, 4}}) {
    const std::string size = std::to_string(each.size.width) + "x" + std::to_string(each.size.height);
    benchmark::RegisterBenchmark(("photographs/" + size).c_str(),
                                 [each](benchmark::State& state) { feed_photographs(state, each.size, each.count); })
        ->Iterations(9)
        ->Unit(benchmark::kMillisecond)
        ->UseRealTime();
  }
}

}  // namespace

int main(int argument_count, char** arguments) {
  struct Case {
    std::string_view network;
    int batch;
    int side;
  };
  for (const Case& each : {Case{"scaling-dilation", 8, 256}, Case{"scaling-dilation-small", 32, 128}}) {
    for (const pm::NamedNetwork& network : pm::networks) {
      if (network.name != each.network) continue;
      const std::string side = std::to_string(each.side);
      benchmark::RegisterBenchmark(
          ("loader/" + std::string(each.network) + "/" + side + "x" + side).c_str(),
          [&network, each](benchmark::State& state) { feed(state, network, each.batch, {each.side, each.side}); })
          ->ArgName("workers")
          ->Arg(1)
          ->Arg(2)
          ->Iterations(3)
          ->Unit(benchmark::kMillisecond)
          ->UseRealTime();
    }
  }
  register_photographs();
  return workload::run_registered(argument_count, arguments);
}
