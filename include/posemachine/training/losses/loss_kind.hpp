// A loss: what training makes small, of the maps of one stage.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// What a loss sees: some images of a batch, for one stage.
struct LossInput {
  std::span<const float> maps;  // (images, channels, cells): the stage's output, or the logits in front of it
  // Like maps. Of heatmaps: Gaussians of height 1, the last channel the background between them; of another output:
  // what its role draws.
  std::span<const float> targets;
  std::span<const float> weights;  // (images, channels), 0 to 1; 0: the map says nothing
  std::size_t cells = 0;           // of one map
  int batch = 1;                   // images of the whole batch: losses and gradients are divided by it
};

/// A loss: a row of LossKinds. All stages have it, and the losses of stages are summed (intermediate supervision).
struct LossKind {
  std::string_view name{};
  std::string_view does{};  // a line for people
  bool of_logits = false;   // outputs are spatial softmaxes, and LossInput::maps what goes into these
  /// The sum of the images' losses over LossInput::batch, so that the parts of a batch add up; writes its derivative by
  /// every cell of the maps into `gradient`, whatever stood there. Several threads call it at once. A map that is not
  /// finite and has a weight gives a loss or gradient that is not.
  /// Shapes: gradient like maps.
  double (*compute)(const LossInput& of, std::span<float> gradient) = nullptr;
};

/// Errors: UsageError where the shapes of a loss do not fit.
inline void check_shapes(const LossInput& of, std::span<const float> gradient) {
  const std::size_t size = of.weights.size() * of.cells;
  if (of.maps.size() == size && of.targets.size() == size && gradient.size() == size && of.batch >= 1) return;
  fail<UsageError>(
      {.where = "heatmap loss",
       .expected = std::to_string(size) + " cells of maps, targets and gradient, and a batch of at least 1",
       .got = std::to_string(of.maps.size()) + ", " + std::to_string(of.targets.size()) + ", " +
              std::to_string(gradient.size()) + " and " + std::to_string(of.batch)});
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
