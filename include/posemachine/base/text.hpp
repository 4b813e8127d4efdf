// Words for messages: what may be quoted, and what was probably meant.
#pragma once

#include <posemachine/core/config.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

// What a message may quote: at most `most` bytes, whole characters, no control characters.
std::string excerpt(std::string_view text, std::size_t most = 60);

}  // namespace detail

/// How many letters must be inserted, deleted or exchanged to get from a to b. Source: Levenshtein 1966.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// "did you mean \"step\"?", or nothing where no known word is near.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& known);

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/base/text.ipp>
#endif
