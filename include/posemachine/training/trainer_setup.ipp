// The definitions of training/trainer_setup.hpp.
#pragma once

#include <posemachine/training/trainer_setup.hpp>

#include <posemachine/core/error.hpp>
#include <posemachine/graph/passes/heatmap_logits.hpp>
#include <posemachine/graph/queries.hpp>
#include <posemachine/inference/evaluate.hpp>
#include <posemachine/model/meaning.hpp>
#include <posemachine/pose/metrics/metrics.hpp>
#include <posemachine/training/people_digest.hpp>

#include <cstddef>
#include <string>
#include <utility>

namespace posemachine::inline POSEMACHINE_BUILD::detail {

POSEMACHINE_INLINE TrainOptions resolved(const Model& model, TrainOptions options) {
  if (options.slice == 0) options.slice = default_slice(model.graph(), options.batch);
  return options;
}

POSEMACHINE_INLINE Graph supervised_graph(const Model& model, const Supervision& supervision) {
  const std::vector<std::size_t> logits = supervision.logits();
  return logits.empty() ? model.graph() : with_logits(model.graph(), logits);
}

POSEMACHINE_INLINE BatchGradientsOptions gradient_options(const Model& model, const TrainOptions& options,
                                                          const std::shared_ptr<Ranks>& ranks) {
  BatchGradientsOptions gradients;
  gradients.batch = options.batch;
  gradients.slice = options.slice;
  gradients.workers = options.workers;
  gradients.image = {model.meaning().input_height, model.meaning().input_width};
  gradients.recompute = options.recompute;
  gradients.ranks = ranks;
  return gradients;
}

POSEMACHINE_INLINE LoaderOptions loader_options(const Model& model, const TrainOptions& options, const Share& slices,
                                                std::shared_ptr<DamagedImages> damaged,
                                                std::vector<OutputTargets> outputs) {
  const Meaning& meaning = model.meaning();
  LoaderOptions loader;
  loader.input = {meaning.input_height, meaning.input_width};
  loader.stride = stride_of(model.graph(), answer(model.graph())).ratio();
  loader.sigma_px = meaning.sigma_px;
  loader.mask_unlabelled = options.mask_unlabelled;
  loader.crop = meaning.crop;
  loader.normalisation = meaning.normalisation;
  loader.colour_order = meaning.colour_order;
  loader.bit_depth = meaning.bit_depth;
  loader.frames = meaning.frames;
  loader.augment = options.augment;
  loader.augmentation = options.augmentation;
  loader.outputs = std::move(outputs);
  loader.seed = options.seed;
  loader.batch = options.batch;
  loader.first = slices.first * options.slice;
  loader.count = slices.count * options.slice;
  loader.workers = options.loader_workers;
  loader.damaged = std::move(damaged);
  return loader;
}

POSEMACHINE_INLINE const Model& checked(const Checkpoint& from, const std::vector<Person>& people,
                                        const std::vector<Person>& validation, const TrainKinds& kinds) {
  check(from.options, kinds);
  const Graph& graph = from.model.graph();
  const Value last = answer(graph);
  for (const std::size_t i : heatmap_outputs(graph, from.model.meaning())) {
    if (stride_of(graph, {graph.outputs[i].value}) == stride_of(graph, last)) continue;
    fail<ModelError>({.where = "output " + output_name(graph, i),
                      .expected = "maps of the last output's stride: all stages share the targets",
                      .got = "another stride"});
  }
  const Supervision supervision = supervise(from.model, from.options, kinds);
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
  for (const InputMeaning& input : from.model.meaning().inputs) images += input.role == InputRole::image ? 1 : 0;
  if (images != 1) {
    fail<ModelError>({.where = "inputs", .expected = "one with the role image", .got = std::to_string(images)});
  }
  if (!validation.empty()) {
    const JointSet& joints = from.model.meaning().joints;
    (void)kinds.decoders.of(from.model.meaning());
    check_people(validation, joints);
    const std::vector<MeasuredPerson> measured = measured_people(validation);
    check_metrics(default_metrics(joints, measured), measured);
  }
  if (!from.people.empty() && from.people != people_digest(people)) {
    fail<UsageError>({.where = "training set",
                      .expected = "the people that the run was started with, in the same order",
                      .got = "others (" + std::to_string(people.size()) + " people)",
                      .remedy = "give the same data sets and labels, or start another run"});
  }
  return from.model;
}

}  // namespace posemachine::inline POSEMACHINE_BUILD::detail
