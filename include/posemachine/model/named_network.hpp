// The library's networks by name, with what their inputs and outputs mean.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/model/meaning.hpp>
#include <posemachine/model/network_description.hpp>
#include <posemachine/networks/registry.hpp>

namespace posemachine::inline POSEMACHINE_BUILD {

/// What the inputs and outputs of a network by name mean, before anybody chooses otherwise: the joints of LSP, the
/// network's own input size, its targets' sigma, and its centre map where it has one.
Meaning meaning_of(const NamedNetwork& network);

NetworkDescription description_of(const NamedNetwork& network);

}  // namespace posemachine::inline POSEMACHINE_BUILD

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/model/named_network.ipp>
#endif
