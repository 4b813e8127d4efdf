// The library's layers as words of a network description: the names of their types, the fields of their options.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/model/layer_set.hpp>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// The library's layers, each under the name of its type.
LayerSet library_layers();

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/model/layer_words.ipp>
#endif
