// first_difference: where two graphs are not the same.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/graph/graph.hpp>

#include <string>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// The first way in which two graphs differ, in words; empty where they have the same structure. How weights begin is
/// no difference: it says nothing about weights that have been trained.
std::string first_difference(const Graph& a, const Graph& b);

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/graph/difference.ipp>
#endif
