// identifier<T>: the unqualified name of a type without template arguments, the same on every compiler.
#pragma once

#include <posemachine/core/config.hpp>

#include <array>
#include <cstddef>
#include <string_view>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

// No typedef in the signature and no return type that depends on T: the text then ends with
// "[with T = ...]" or "[T = ...]".
template <class T>
constexpr const char* printed() {
  return __PRETTY_FUNCTION__;
}

// Moves past a string or character literal that begins at `at`.
constexpr std::size_t skip_literal(std::string_view text, std::size_t at) {
  const char quote = text[at++];
  while (at < text.size() && text[at] != quote) at += text[at] == '\\' ? 2 : 1;
  return at;
}

// Moves to the bracket that closes the one at `at`, over nested brackets and literals.
constexpr std::size_t skip_brackets(std::string_view text, std::size_t at) {
  int depth = 0;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '"' || c == '\'') {
      at = skip_literal(text, at);
    } else if (c == '<' || c == '(' || c == '[' || c == '{') {
      ++depth;
    } else if (c == '>' || c == ')' || c == ']' || c == '}') {
      if (--depth == 0) return at;
    }
  }
  return at;
}

constexpr bool is_identifier_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// A name as C++ has them, of at most 64 bytes.
constexpr bool is_identifier(std::string_view text) {
  bool fits = !text.empty() && text.size() <= 64 && (text[0] < '0' || text[0] > '9');
  for (const char c : text) fits = fits && is_identifier_character(c);
  return fits;
}

// The last "::" segment of the printed type up to its '<'; empty for what has no name (lambdas, unnamed structs).
constexpr std::string_view cut_identifier(std::string_view text) {
  const std::string_view marker = "T = ";
  std::size_t at = text.find(marker);
  if (at == std::string_view::npos) return {};
  at += marker.size();
  std::size_t begin = at;
  std::size_t end = at;
  bool named = true;
  while (at < text.size() && text[at] != ';' && text[at] != ']') {
    const char c = text[at];
    if (c == ':' && at + 1 < text.size() && text[at + 1] == ':') {
      at += 2;
      begin = end = at;
      named = true;
    } else if (c == '<' || c == '(' || c == '[' || c == '{') {
      named = named && c == '<' && end > begin;  // "(lambda at ...)", "{anonymous}", "<lambda()>": no name so far
      at = skip_brackets(text, at) + 1;
    } else if (is_identifier_character(c) && end == at) {
      end = ++at;
    } else {
      named = named && is_identifier_character(c);
      ++at;
    }
  }
  return named ? text.substr(begin, end - begin) : std::string_view{};
}

template <class T>
struct Identifier {
  static constexpr std::string_view cut = cut_identifier(printed<T>());
  static constexpr auto characters = [] {  // a copy, so that the long printed name need not stay in the program
    std::array<char, cut.size() + 1> copy{};
    for (std::size_t i = 0; i < cut.size(); ++i) copy[i] = cut[i];
    return copy;
  }();
  static constexpr std::string_view text{characters.data(), cut.size()};
};

}  // namespace detail

/// "FireModule" for pm::FireModule<pm::FireOptions{.squeeze = 16}>. Errors: a type without a name does not compile.
template <class T>
inline constexpr std::string_view identifier = [] {
  static_assert(!detail::Identifier<T>::text.empty(), "give the block a name: its name heads its parameters' names");
  return detail::Identifier<T>::text;
}();

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
