// The length of a gradient, and cutting it.
#pragma once

#include <posemachine/base/parallel.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/core/tensor.hpp>

#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// The Euclidean length over those tensors that count: not finite where any number is not. The bytes do not depend on
/// the workers. Shapes: one entry of `counts` a tensor.
double gradient_norm(const std::vector<Tensor>& gradients, const std::vector<bool>& counts, Workers& workers);

/// Makes gradients of length `norm` at most `most` long, in their direction.
/// Source: Pascanu et al. 2013, On the difficulty of training recurrent neural networks.
void clip_gradients(std::vector<Tensor>& gradients, double norm, double most, Workers& workers);

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/training/gradient_norm.ipp>
#endif
