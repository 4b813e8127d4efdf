// The definitions of base/text.hpp.
#pragma once

#include <posemachine/base/text.hpp>

#include <algorithm>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

POSEMACHINE_INLINE std::string excerpt(std::string_view text, std::size_t most) {
  const auto continues = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; };  // inside a character
  std::size_t end = std::min(most, text.size());
  while (end > 0 && end < text.size() && continues(text[end])) --end;
  std::string quoted(text.substr(0, end));
  std::replace_if(quoted.begin(), quoted.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; }, '?');
  return end < text.size() ? quoted + "..." : quoted;
}

}  // namespace detail

POSEMACHINE_INLINE std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t k = 0; k < row.size(); ++k) row[k] = k;
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t k = 0; k < b.size(); ++k) {
      const std::size_t exchange = diagonal + (a[i] == b[k] ? 0 : 1);
      diagonal = row[k + 1];
      row[k + 1] = std::min({exchange, row[k] + 1, row[k + 1] + 1});
    }
  }
  return row.back();
}

POSEMACHINE_INLINE std::string did_you_mean(std::string_view word, const std::vector<std::string>& known) {
  if (word.size() > 64) return "";  // no slip of the pen, and the distance would cost word.size() steps a letter
  // The beginning of few, as a family's name is of its members.
  std::vector<std::string> members;
  for (const std::string& candidate : known) {
    if (word.size() >= 3 && candidate.size() > word.size() && candidate.starts_with(word)) members.push_back(candidate);
  }
  if (members.size() == 2) return "did you mean \"" + members[0] + "\" or \"" + members[1] + "\"?";
  if (members.size() == 1) return "did you mean \"" + members[0] + "\"?";
  std::string best;
  std::size_t least = 1 + std::max<std::size_t>(2, word.size() / 3);
  for (const std::string& candidate : known) {
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < least) {
      least = distance;
      best = candidate;
    }
  }
  return best.empty() ? "" : "did you mean \"" + best + "\"?";
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
