// What a trainer is made from: options of its parts, and what is refused before the first step.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/data/loader.hpp>
#include <posemachine/data/output_targets.hpp>
#include <posemachine/data/person.hpp>
#include <posemachine/engine/batch_gradients.hpp>
#include <posemachine/engine/ranks.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/model/model.hpp>
#include <posemachine/training/checkpoint.hpp>
#include <posemachine/training/supervision.hpp>
#include <posemachine/training/train_kinds.hpp>
#include <posemachine/training/train_options.hpp>

#include <memory>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD::detail {

TrainOptions resolved(const Model& model, TrainOptions options);

// What the losses see as outputs.
Graph supervised_graph(const Model& model, const Supervision& supervision);

BatchGradientsOptions gradient_options(const Model& model, const TrainOptions& options,
                                       const std::shared_ptr<Ranks>& ranks);

LoaderOptions loader_options(const Model& model, const TrainOptions& options, const Share& slices,
                             std::shared_ptr<DamagedImages> damaged, std::vector<OutputTargets> outputs = {});

// What would otherwise be found after an hour, or read beyond its end.
const Model& checked(const Checkpoint& from, const std::vector<Person>& people, const std::vector<Person>& validation,
                     const TrainKinds& kinds);

}  // namespace posemachine::inline POSEMACHINE_BUILD::detail

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/training/trainer_setup.ipp>
#endif
