// dump_gradients MODEL BATCH DUMP [LOSS [SLICE]]: outputs, losses and gradients of a batch, for comparison with another
// framework. All three files are safetensors; dump_gradients alone lists the losses.
//   MODEL  a model file; its dropout is left out, because no other framework draws the same numbers
//   BATCH  image (N, channels, H, W), as the network is fed; targets (N, maps, h, w); weights (N, maps)
//   DUMP   inference/K and training/K: maps of stage K (from 0) with running and with the batch's statistics;
//          losses (stages); gradients/NAME of parameters that are trained; running/NAME: statistics after the batch
//   SLICE  images that share batch norm's statistics; 0 or none: the library's default
#include <posemachine/base/files.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/core/tensor.hpp>
#include <posemachine/engine/batch_gradients.hpp>
#include <posemachine/engine/execution.hpp>
#include <posemachine/engine/prepared_weights.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/passes/heatmap_logits.hpp>
#include <posemachine/graph/passes/remove_dropout.hpp>
#include <posemachine/inference/compiled_model.hpp>
#include <posemachine/model/model.hpp>
#include <posemachine/model/safetensors.hpp>
#include <posemachine/pose/model_spec.hpp>
#include <posemachine/pose/targets.hpp>
#include <posemachine/training/losses/losses.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace pm = posemachine;

namespace {

struct Batch {
  pm::Tensor image;    // (N, channels, H, W)
  pm::Tensor targets;  // (N, maps, h, w)
  pm::Tensor weights;  // (N, maps)

  int count() const { return static_cast<int>(image.shape[0]); }
  pm::Size size() const { return {static_cast<int>(image.shape[2]), static_cast<int>(image.shape[3])}; }
  std::size_t maps() const { return static_cast<std::size_t>(weights.shape[1]); }
  std::size_t cells() const { return static_cast<std::size_t>(targets.shape[2] * targets.shape[3]); }
};

pm::Tensor take(const pm::TensorFile& file, const std::string& where, const std::string& name, std::size_t rank) {
  const pm::AnyTensor* found = file.find(name);
  const auto* tensor = found == nullptr ? nullptr : std::get_if<pm::Tensor>(found);
  if (tensor != nullptr && tensor->shape.size() == rank && !tensor->values.empty()) return *tensor;
  pm::fail<pm::ModelError>({.where = where + ": " + name,
                            .expected = "floats of " + std::to_string(rank) + " extents",
                            .got = tensor == nullptr ? "none" : pm::to_string(tensor->shape)});
}

Batch read_batch(const std::string& path) {
  const pm::TensorFile file = pm::read_safetensors(path);
  Batch batch{take(file, path, "image", 4), take(file, path, "targets", 4), take(file, path, "weights", 2)};
  const pm::Shape& targets = batch.targets.shape;
  if (batch.image.shape[0] == targets[0] && batch.weights.shape == pm::Shape{targets[0], targets[1]}) return batch;
  pm::fail<pm::ModelError>({.where = path,
                            .expected = "image, targets and weights of the same images and maps",
                            .got = pm::to_string(batch.image.shape) + ", " + pm::to_string(targets) + " and " +
                                   pm::to_string(batch.weights.shape)});
}

std::string image_input(const pm::Model& model) {
  for (const pm::InputSpec& input : model.spec().inputs) {
    if (input.role == pm::InputRole::image) return input.name;
  }
  pm::fail<pm::ModelError>({.where = "inputs", .expected = "one with the role image", .got = "none"});
}

// The same centre map for every image, as in training.
void fill_centres(const pm::Model& model, pm::Size size, pm::engine::Execution& execution) {
  const std::size_t plane = std::size_t(size.height) * std::size_t(size.width);
  for (const pm::InputSpec& input : model.spec().inputs) {
    if (input.role != pm::InputRole::centre_gaussian) continue;
    const std::span<float> maps = execution.input(input.name);
    for (std::size_t at = 0; at < maps.size(); at += plane) {
      pm::render_centre_gaussian(size, input.sigma_px, maps.data() + at);
    }
  }
}

void add(pm::TensorFile& file, const std::string& name, const pm::Tensor& tensor) {
  file.tensors.push_back({name, tensor});
}

// Maps of every stage, as inference computes them: batch norm folded into the convolutions.
void dump_inference(const pm::Model& model, const Batch& batch, pm::TensorFile& dump) {
  const pm::CompiledModel compiled(model);
  pm::engine::Execution execution(compiled.graph(), compiled.weights(),
                                  {.batch = batch.count(), .image = batch.size()});
  fill_centres(model, batch.size(), execution);
  const std::span<float> image = execution.input(image_input(model));
  if (image.size() != batch.image.values.size()) {
    pm::fail<pm::ModelError>(
        {.where = "image", .expected = "the network's channels", .got = pm::to_string(batch.image.shape)});
  }
  std::ranges::copy(batch.image.values, image.begin());
  execution.run();
  for (std::size_t stage = 0; stage < execution.output_count(); ++stage) {
    if (execution.output_shape(stage) != batch.targets.shape) {
      pm::fail<pm::ModelError>({.where = "targets",
                                .expected = pm::to_string(execution.output_shape(stage)) + ", as the network's maps",
                                .got = pm::to_string(batch.targets.shape)});
    }
    pm::Tensor maps(batch.targets.shape);
    std::ranges::copy(execution.output(stage), maps.values.begin());
    add(dump, "inference/" + std::to_string(stage), maps);
  }
}

// One training step without its update.
void dump_training(const pm::Model& model, const Batch& batch, const pm::LossKind& loss, int slice,
                   pm::TensorFile& dump) {
  pm::Graph graph = loss.of_logits ? pm::with_logits(model.graph()) : model.graph();
  std::vector<pm::Tensor> none;
  pm::remove_dropout(graph, none);  // and what no output reads
  const auto parameters = std::make_shared<std::vector<pm::Tensor>>(model.parameters());
  pm::engine::BatchGradients gradients(graph, parameters,
                                       {.batch = batch.count(), .slice = slice, .workers = 1, .image = batch.size()});
  for (const auto& execution : gradients.executions()) fill_centres(model, batch.size(), *execution);

  const std::size_t stages = graph.outputs.size();
  std::vector<pm::Tensor> maps(stages, pm::Tensor(batch.targets.shape));
  pm::Tensor total({static_cast<std::int64_t>(stages)});
  gradients.compute(
      image_input(model), batch.image.values,
      [&](const pm::engine::SliceView& view) {
        const std::size_t first = static_cast<std::size_t>(view.first) * batch.maps();
        const std::size_t count = static_cast<std::size_t>(view.count) * batch.maps();
        const std::span targets = std::span(batch.targets.values).subspan(first * batch.cells(), count * batch.cells());
        const std::span weights = std::span(batch.weights.values).subspan(first, count);
        for (std::size_t stage = 0; stage < stages; ++stage) {
          const std::span<const float> output = view.outputs[stage];
          total.values[stage] += static_cast<float>(
              loss.compute({output, targets, weights, batch.cells(), batch.count()}, view.output_gradients[stage]));
          std::ranges::copy(output, maps[stage].values.begin() + static_cast<std::ptrdiff_t>(first * batch.cells()));
        }
      },
      /*seed=*/1, /*step=*/0);

  for (std::size_t stage = 0; stage < stages; ++stage) add(dump, "training/" + std::to_string(stage), maps[stage]);
  add(dump, "losses", total);
  for (std::size_t id = 0; id < parameters->size(); ++id) {
    const std::string name = pm::parameter_name(graph, static_cast<int>(id));
    if (graph.parameters[id].trainable) {
      add(dump, "gradients/" + name, gradients.gradients()[id]);
    } else {
      add(dump, "running/" + name, (*parameters)[id]);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.empty()) {
    for (const std::string& name : pm::LossKinds().names()) std::printf("%s\n", name.c_str());
    return 0;
  }
  if (words.size() < 3 || words.size() > 5) {
    std::fprintf(stderr, "usage: dump_gradients MODEL BATCH DUMP [LOSS [SLICE]]\n");
    return 2;
  }
  try {
    const pm::LossKind loss = pm::LossKinds().get(words.size() > 3 ? words[3] : "squared_error", "loss");
    const int slice = words.size() > 4 ? std::stoi(words[4]) : 0;
    const pm::Model model = pm::Model::load(words[0]);
    const Batch batch = read_batch(words[1]);
    pm::TensorFile dump;
    dump_inference(model, batch, dump);
    dump_training(model, batch, loss, slice, dump);
    pm::write_file_atomically(words[2], pm::write_safetensors(dump));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "dump_gradients: %s\n", error.what());
    return 1;
  }
}
