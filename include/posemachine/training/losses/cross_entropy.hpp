// cross_entropy: of distributions over the cells of a map.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/training/losses/loss_kind.hpp>

#include <span>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// The cross-entropy between the target's share in every cell and the map's, softmax over its cells; maps are logits:
/// loss = sum over images and maps of weight * (- sum over cells of t * log softmax(map)) / batch, t = target / its sum.
/// A map whose target is empty says nothing: a joint that is not in the picture is nowhere, not somewhere else.
/// Shapes and errors: as check_shapes. Source: the negative log-likelihood of a distribution over cells, as Sun et al.
/// 2018 compare it (H1).
double heatmap_cross_entropy(const LossInput& of, std::span<float> gradient);

inline constexpr LossKind cross_entropy_loss{.name = "cross_entropy",
                                             .does = "cross-entropy of distributions over cells and Gaussians",
                                             .of_logits = true,
                                             .compute = heatmap_cross_entropy};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/training/losses/cross_entropy.ipp>
#endif
