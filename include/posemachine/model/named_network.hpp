// The library's networks by name, with what their inputs and outputs mean.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/model/network_description.hpp>
#include <posemachine/networks/registry.hpp>
#include <posemachine/pose/model_spec.hpp>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// What the inputs and outputs of a network by name mean, before anybody chooses otherwise: the joints of LSP, the
/// network's own input size, its targets' sigma, and its centre map where it has one.
ModelSpec spec_of(const NamedNetwork& network);

NetworkDescription description_of(const NamedNetwork& network);

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/model/named_network.ipp>
#endif
