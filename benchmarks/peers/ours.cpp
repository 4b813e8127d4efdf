// Our side of the comparison: answers the same requests as worker.py, a line of JSON each.
#include "random_network.hpp"

#include <posemachine/base/json.hpp>
#include <posemachine/core/tensor.hpp>
#include <posemachine/engine/batch_execution.hpp>
#include <posemachine/engine/batch_gradients.hpp>
#include <posemachine/engine/prepared_weights.hpp>
#include <posemachine/engine/processor.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/queries.hpp>
#include <posemachine/inference/compiled_model.hpp>
#include <posemachine/model/model.hpp>
#include <posemachine/model/named_network.hpp>
#include <posemachine/model/onnx.hpp>
#include <posemachine/networks/registry.hpp>
#include <posemachine/training/losses/squared_error.hpp>
#include <posemachine/training/optimizer.hpp>

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iostream>
#include <memory>
#include <numeric>
#include <span>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace pm = posemachine;

namespace {

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

double cpu_s() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& time) { return double(time.tv_sec) + 1e-6 * double(time.tv_usec); };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

// Resident memory in bytes: "VmRSS" now, "VmHWM" at most.
std::size_t resident(const std::string& which) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(which + ":")) return 1024 * std::stoul(line.substr(which.size() + 1));
  }
  return 0;
}

std::vector<float> read_floats(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream bytes;
  bytes << file.rdbuf();
  const std::string text = bytes.str();
  std::vector<float> values(text.size() / sizeof(float));
  std::copy_n(text.data(), values.size() * sizeof(float), reinterpret_cast<char*>(values.data()));
  return values;
}

using Images = std::vector<std::vector<float>>;  // by input, (N, C, H, W) each

// What is timed: a batch, forward or a training step.
class Subject {
 public:
  virtual ~Subject() = default;
  virtual void run(const Images& images) = 0;
  // What all runtimes must agree on: outputs, or the losses of the first steps.
  virtual void write_results(const Images& images, const std::string& path) = 0;
};

void write_floats(const std::string& path, std::span<const float> values) {
  std::ofstream file(path, std::ios::binary | std::ios::app);
  file.write(reinterpret_cast<const char*>(values.data()), static_cast<std::streamsize>(values.size_bytes()));
}

// A model ready to run batches.
class Inference : public Subject {
 public:
  explicit Inference(const pm::Json& request) {
    const pm::Model model = pm::Model::load(request["model"].get<std::string>());
    const pm::CompiledModel compiled(model);
    pm::engine::ProgramOptions options;
    options.image = {request["height"].get<int>(), request["width"].get<int>()};
    options.batch = request["batch"].get<int>();
    options.threads = request["threads"].get<int>() * request["requests"].get<int>();
    execution_ = std::make_unique<pm::engine::BatchExecution>(compiled.graph(), compiled.weights(), options);
  }

  void run(const Images& images) override {
    const std::vector<pm::Port>& ports = execution_->graph().inputs;
    for (std::size_t i = 0; i < ports.size(); ++i) {
      std::ranges::copy(images[i], execution_->input(pm::Value{ports[i].value}).begin());
    }
    execution_->run();
  }

  void write_results(const Images& images, const std::string& path) override {
    run(images);
    for (std::size_t k = 0; k < execution_->output_count(); ++k) write_floats(path, execution_->output(k));
  }

 private:
  std::unique_ptr<pm::engine::BatchExecution> execution_;
};

// Steps of RMSprop on the heatmap loss against empty maps.
class Training : public Subject {
 public:
  explicit Training(const pm::Json& request) {
    const pm::Model model = pm::Model::load(request["model"].get<std::string>());
    batch_ = request["batch"].get<int>();
    parameters_ = std::make_shared<std::vector<pm::Tensor>>(model.parameters());
    pm::engine::BatchGradientsOptions options;
    options.batch = batch_;
    options.workers = request["threads"].get<int>();
    options.image = {request["height"].get<int>(), request["width"].get<int>()};
    gradients_ = std::make_unique<pm::engine::BatchGradients>(model.graph(), parameters_, options);
    pm::OptimizerOptions rule;
    rule.kind = "rmsprop";
    rule.weight_decay = 0;
    optimizer_ = std::make_unique<pm::Optimizer>(model.graph(), rule);
  }

  void run(const Images& images) override { step(images); }

  void write_results(const Images& images, const std::string& path) override {
    for (int i = 0; i < 3; ++i) {
      const auto loss = static_cast<float>(step(images));
      write_floats(path, {&loss, 1});
    }
  }

 private:
  // The loss, summed over stages.
  double step(const Images& images) {
    std::vector<double> losses(static_cast<std::size_t>(gradients_->slice_count()), 0.0);
    const auto loss_of = [&](const pm::engine::SliceView& view) {
      for (std::size_t k = 0; k < view.outputs.size(); ++k) {
        const std::size_t maps = 15 * static_cast<std::size_t>(view.count);
        const std::vector<float> weights(maps, 1.0f);
        const std::vector<float> empty(view.outputs[k].size(), 0.0f);
        losses[static_cast<std::size_t>(view.index)] +=
            pm::heatmap_loss({view.outputs[k], empty, weights, empty.size() / maps, batch_}, view.output_gradients[k]);
      }
    };
    gradients_->compute("image", images.front(), loss_of, 1, static_cast<std::uint64_t>(step_));
    optimizer_->update(*parameters_, gradients_->gradients(), 1e-5, step_++, gradients_->workers());
    return std::accumulate(losses.begin(), losses.end(), 0.0);
  }

  int batch_ = 1;
  std::shared_ptr<std::vector<pm::Tensor>> parameters_;
  std::unique_ptr<pm::engine::BatchGradients> gradients_;
  std::unique_ptr<pm::Optimizer> optimizer_;
  std::int64_t step_ = 0;
};

// A network by its name, or "random-7", with weights drawn from seed 1.
pm::Model make_model(const std::string& network) {
  if (const pm::NamedNetwork* named = pm::find_network(network))
    return pm::Model::random(pm::description_of(*named), 1);
  const std::string prefix = "random-";
  if (!network.starts_with(prefix)) throw std::runtime_error("no network " + network);
  peers::RandomNetwork random = peers::random_network(std::stoull(network.substr(prefix.size())));
  pm::ModelSpec spec;
  spec.input_height = random.image.height;
  spec.input_width = random.image.width;
  return pm::Model::random(network, std::move(random.graph), 1, spec);
}

int serve() {
  std::unique_ptr<Subject> subject;
  std::vector<Images> images;  // by turn
  std::size_t turn = 0;
  std::size_t before = 0;  // bytes, with images and without a model
  try {
    for (std::string line; std::getline(std::cin, line);) {
      const pm::Json request = pm::parse_json(line, "request");
      const std::string command = request["command"].get<std::string>();
      pm::Json answer = pm::Json::object();
      if (command == "load") {
        for (const pm::Json& files : request["images"]) {
          images.emplace_back();
          for (const pm::Json& file : files) images.back().push_back(read_floats(file.get<std::string>()));
        }
        before = resident("VmRSS");
        const double begin = now();
        if (request["training"].get<bool>()) {
          subject = std::make_unique<Training>(request);
        } else {
          subject = std::make_unique<Inference>(request);
        }
        answer["ready_s"] = now() - begin;
        answer["isa"] = pm::engine::instruction_set();
      } else if (!subject) {
        throw std::runtime_error("load comes first");
      } else if (command == "run") {
        answer["seconds"] = pm::Json::array();
        const double cpu = cpu_s();
        const double begin = now();
        for (int i = 0; i < request["count"].get<int>(); ++i) {
          const double start = now();
          subject->run(images[turn]);
          answer["seconds"].push_back(now() - start);
          turn = (turn + 1) % images.size();
        }
        answer["cpu_per_wall"] = (cpu_s() - cpu) / (now() - begin);
      } else if (command == "outputs") {
        const std::string file = request["file"].get<std::string>();
        std::remove(file.c_str());
        subject->write_results(images[0], file);
      } else if (command == "memory") {
        answer["before"] = before;
        answer["now"] = resident("VmRSS");
        answer["peak"] = resident("VmHWM");
      } else {
        throw std::runtime_error("unknown command " + command);
      }
      std::cout << answer.dump() << std::endl;
    }
  } catch (const std::exception& error) {
    std::cerr << "ours: " << error.what() << "\n";
    return 1;
  }
  return 0;
}

}  // namespace

// ours serve; ours make NETWORK [HEIGHT WIDTH]: writes NETWORK.safetensors and NETWORK.onnx here.
int main(int count, char** arguments) {
  const std::vector<std::string> words(arguments + 1, arguments + count);
  if (words == std::vector<std::string>{"serve"}) return serve();
  if (words.size() != 2 && words.size() != 4) return 2;
  try {
    const pm::Model model = make_model(words[1]);
    pm::Size size{model.spec().input_height, model.spec().input_width};
    if (words.size() == 4) size = {std::stoi(words[2]), std::stoi(words[3])};
    model.save(words[1] + ".safetensors");
    pm::write_onnx(model, size, words[1] + ".onnx");
    const pm::Json facts{
        {"height", size.height}, {"width", size.width}, {"macs", pm::count_multiply_adds(model.graph(), size)}};
    std::cout << facts.dump() << std::endl;
  } catch (const std::exception& error) {
    std::cerr << "ours: " << error.what() << "\n";
    return 1;
  }
}
