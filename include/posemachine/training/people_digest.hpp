// A digest of a training set, so that a run goes on with the people it was started with.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/data/person.hpp>

#include <span>
#include <string>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// "14 people, 0123456789abcdef": tells training sets apart by who is in them, in which order and with which joints,
/// boxes and weights; where the files lie does not matter.
std::string people_digest(std::span<const Person> people);

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/training/people_digest.ipp>
#endif
