// The definitions of training/training_step.hpp.
#pragma once

#include <posemachine/training/training_step.hpp>

#include <posemachine/core/error.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/data/output_targets.hpp>
#include <posemachine/graph/passes/heatmap_logits.hpp>
#include <posemachine/graph/queries.hpp>
#include <posemachine/pose/targets.hpp>
#include <posemachine/training/gradient_norm.hpp>

#include <cstddef>
#include <limits>
#include <span>
#include <string_view>
#include <utility>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

POSEMACHINE_INLINE TrainOptions with_micro_batch(const Model& model, TrainOptions options) {
  if (options.slice == 0) options.slice = engine::default_micro_batch(model.graph(), options.batch);
  return options;
}

// The network as the losses see it.
POSEMACHINE_INLINE Graph supervised_graph(const Model& model, const Supervision& supervision) {
  const std::vector<std::size_t> logits = supervision.logits();
  return logits.empty() ? model.graph() : with_logits(model.graph(), logits);
}

POSEMACHINE_INLINE engine::BatchGradientsOptions gradient_options(const Model& model, const TrainOptions& options,
                                                                  const std::shared_ptr<engine::Communicator>& ranks) {
  engine::BatchGradientsOptions gradients;
  gradients.batch = options.batch;
  gradients.slice = options.slice;
  gradients.workers = options.workers;
  gradients.image = {model.spec().input_height, model.spec().input_width};
  gradients.recompute = options.recompute;
  gradients.ranks = ranks;
  return gradients;
}

POSEMACHINE_INLINE LoaderOptions loader_options(const Model& model, const TrainOptions& options,
                                                const engine::BlockPartition& slices,
                                                std::shared_ptr<DamagedImages> damaged,
                                                std::vector<OutputTargets> outputs) {
  const ModelSpec& spec = model.spec();
  LoaderOptions loader;
  loader.input = {spec.input_height, spec.input_width};
  loader.stride = stride_of(model.graph(), answer(model.graph())).ratio();
  loader.sigma_px = spec.sigma_px;
  loader.mask_unlabelled = options.mask_unlabelled;
  loader.crop = spec.crop;
  loader.normalisation = spec.normalisation;
  loader.colour_order = spec.colour_order;
  loader.bit_depth = spec.bit_depth;
  loader.frames = spec.frames;
  loader.augment = options.augment;
  loader.augmentation = options.augmentation;
  loader.outputs = std::move(outputs);
  loader.seed = options.seed;
  loader.batch = options.batch;
  loader.first = slices.first * options.slice;
  loader.count = slices.count * options.slice;
  loader.workers = options.loader_workers;
  loader.cache_bytes = static_cast<std::size_t>(options.cache_mb) * 1'000'000;
  loader.damaged = std::move(damaged);
  return loader;
}

POSEMACHINE_INLINE void check_trainable(const Model& model, const TrainOptions& options, const TrainKinds& kinds) {
  check(options, kinds);
  const Graph& graph = model.graph();
  const Value last = answer(graph);
  for (const std::size_t i : heatmap_outputs(graph, model.spec())) {
    if (stride_of(graph, {graph.outputs[i].value}) == stride_of(graph, last)) continue;
    fail<ModelError>({.where = "output " + output_name(graph, i),
                      .expected = "maps of the last output's stride: all stages share the targets",
                      .got = "another stride"});
  }
  const Supervision supervision = supervise(model, options, kinds);
  for (const std::size_t i : supervision.logits()) {
    if (has_distributions(graph, {i})) continue;
    const SupervisedOutput& output = supervision.outputs[i];
    fail<ModelError>(
        {.where = "output " + output.name,
         .expected = "a spatial softmax, as the loss " + std::string(output.loss.name) + " is one of distributions",
         .got = "other maps",
         .remedy = "add_distributions() puts them behind the outputs, or SpatialSoftmax before Output"});
  }
  int images = 0;
  for (const InputSpec& input : model.spec().inputs) images += input.role == InputRole::image ? 1 : 0;
  if (images != 1) {
    fail<ModelError>({.where = "inputs", .expected = "one with the role image", .got = std::to_string(images)});
  }
}

// The model itself, once it has been checked.
POSEMACHINE_INLINE const Model& trainable(const Model& model, const TrainOptions& options, const TrainKinds& kinds) {
  check_trainable(model, options, kinds);
  return model;
}

// Of a model that is trainable.
POSEMACHINE_INLINE std::string image_input(const ModelSpec& spec) {
  std::string name;
  for (const InputSpec& input : spec.inputs) {
    if (input.role == InputRole::image) name = input.name;
  }
  return name;
}

}  // namespace detail

POSEMACHINE_INLINE TrainingStep::TrainingStep(const Model& model, const TrainOptions& options,
                                              std::shared_ptr<engine::Communicator> ranks, const TrainKinds& kinds)
    : TrainingStep(Checkpoint{model, options}, std::move(ranks), kinds) {}

POSEMACHINE_INLINE TrainingStep::TrainingStep(const Checkpoint& from, std::shared_ptr<engine::Communicator> ranks,
                                              const TrainKinds& kinds)
    : model_(detail::trainable(from.model, from.options, kinds).with_calibration({})),
      options_(detail::with_micro_batch(model_, from.options)),
      supervision_(supervise(model_, options_, kinds)),
      image_input_(detail::image_input(model_.spec())),
      ranks_(std::move(ranks)),
      step_(from.step),
      parameters_(std::make_shared<std::vector<Tensor>>(from.model.parameters())),
      gradients_(detail::supervised_graph(model_, supervision_), parameters_,
                 detail::gradient_options(model_, options_, ranks_)),
      optimizer_(model_.graph(), options_.optimizer, options_.groups, kinds.optimizers),
      average_(options_.average_decay, *parameters_),
      finite_(model_.graph(), options_.on_not_finite, from.skipped, from.skipped_in_a_row),
      optimizer_start_(from.optimizer_start) {
  const bool begins = from.moments.empty() && from.optimizer_start == from.updates();
  if (!begins) optimizer_.restore(from.moments);
  if (step_ > 0 || !from.average.empty()) average_.restore(from.average);
  fill_centres();
}

POSEMACHINE_INLINE StepResult TrainingStep::operator()(const Batch& batch, double rate) {
  finite_.keep_statistics(*parameters_);
  StepResult result;
  result.losses = compute_losses(batch);
  result.gradient_norm = gradient_norm(gradients_.gradients(), optimizer_.updated(), gradients_.workers());
  const StepNumbers numbers{result.losses, gradients_.gradients(), result.gradient_norm};
  if (FiniteGuard::accepts(numbers)) {
    const double most = options_.clip_norm > 0 ? options_.clip_norm : std::numeric_limits<double>::infinity();
    clip_gradients(gradients_.gradients(), result.gradient_norm, most, gradients_.workers());
    const std::int64_t updates = step_ - finite_.skipped();  // so far: skipped steps count for nothing
    optimizer_.update(*parameters_, gradients_.gradients(), rate, updates - optimizer_start_, gradients_.workers());
    finite_.require_finite_state(*parameters_, optimizer_, step_);
    average_.update(*parameters_, updates, gradients_.workers());
    finite_.count_taken();
  } else {
    result.skipped = true;
    result.rate_factor = finite_.skip(numbers, *parameters_, step_);
  }
  ++step_;
  return result;
}

POSEMACHINE_INLINE LoaderOptions TrainingStep::loader_options(std::shared_ptr<DamagedImages> damaged) const {
  return detail::loader_options(model_, options_, gradients_.share(), std::move(damaged), supervision_.targets);
}

POSEMACHINE_INLINE std::vector<double> TrainingStep::stage_losses(const std::vector<double>& by_output) const {
  std::vector<double> losses;
  for (const std::size_t place : supervision_.places(true)) losses.push_back(by_output[place]);
  return losses;
}

POSEMACHINE_INLINE std::vector<OutputLoss> TrainingStep::other_losses(const std::vector<double>& by_output) const {
  std::vector<OutputLoss> losses;
  for (const std::size_t place : supervision_.places(false)) {
    const SupervisedOutput& output = supervision_.outputs[place];
    if (output.targets) losses.push_back({output.name, by_output[place]});
  }
  return losses;
}

POSEMACHINE_INLINE Checkpoint TrainingStep::checkpoint() const {
  return {.model = model(),
          .options = options_,
          .step = step_,
          .moments = optimizer_.state(),
          .average = average_.tensors(),
          .skipped = finite_.skipped(),
          .skipped_in_a_row = finite_.skipped_in_a_row(),
          .optimizer_start = optimizer_start_};
}

POSEMACHINE_INLINE std::vector<double> TrainingStep::compute_losses(const Batch& batch) {
  const std::size_t outputs = supervision_.outputs.size();
  std::vector<double> losses(static_cast<std::size_t>(gradients_.slice_count()) * outputs, 0.0);
  gradients_.compute(
      image_input_, batch.images.values,
      [&](const engine::SliceView& view) {
        for (std::size_t place = 0; place < outputs; ++place) {
          losses[static_cast<std::size_t>(view.index) * outputs + place] =
              compute_loss(supervision_.outputs[place], place, batch, view, options_.batch);
        }
      },
      options_.seed, static_cast<std::uint64_t>(step_));
  if (ranks_ != nullptr) engine::exchange(*ranks_, std::span<double>(losses), gradients_.slice_count());
  std::vector<double> total(outputs, 0.0);
  for (std::size_t i = 0; i < losses.size(); ++i) total[i % outputs] += losses[i];  // slices in order
  return total;
}

POSEMACHINE_INLINE void TrainingStep::fill_centres() {
  const Size input{model_.spec().input_height, model_.spec().input_width};
  const std::size_t plane = std::size_t(input.height) * std::size_t(input.width);
  for (const InputSpec& port : model_.spec().inputs) {
    if (port.role != InputRole::centre_gaussian) continue;
    for (const auto& execution : gradients_.executions()) {
      const std::span<float> maps = execution->input(port.name);
      for (std::size_t i = 0; i < maps.size(); i += plane)
        render_centre_gaussian(input, port.sigma_px, maps.data() + i);
    }
  }
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
