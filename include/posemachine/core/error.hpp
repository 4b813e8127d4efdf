// Exceptions: every message says where, what was expected, what came and what to do.
#pragma once

#include <posemachine/core/config.hpp>

#include <stdexcept>
#include <string>
#include <string_view>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// The base of everything the library throws on purpose.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A wrong argument, option or configuration. The tool exits with 2.
class UsageError : public Error {
 public:
  using Error::Error;
};

/// Input data that cannot be used: an image, an annotation file, a data set. The tool exits with 3.
class DataError : public Error {
 public:
  using Error::Error;
};

/// A network or a model file that cannot be used: broken rules, wrong structure, wrong tensors. The tool exits with 4.
class ModelError : public Error {
 public:
  using Error::Error;
};

/// A failure outside anyone's input: a full disk, a primitive that cannot be made. The tool exits with 1.
class RuntimeFailure : public Error {
 public:
  using Error::Error;
};

/// The parts of a message. Empty parts are left out of the text.
struct Problem {
  std::string where{};     // file and field, or node, or option
  std::string expected{};  // what would have been right
  std::string got{};       // what came
  std::string remedy{};    // what to do about it
};

/// "where: expected E, got G; remedy".
inline std::string to_string(const Problem& problem) {
  std::string text = problem.where;
  const auto append = [&text](std::string_view separator, std::string_view part) {
    if (part.empty()) return;
    if (!text.empty()) text += separator;
    text += part;
  };
  if (!problem.expected.empty()) append(": ", "expected " + problem.expected);
  if (!problem.got.empty()) append(problem.expected.empty() ? ": " : ", ", "got " + problem.got);
  append("; ", problem.remedy);
  return text;
}

/// Throws E with the problem's text.
template <class E>
[[noreturn]] void fail(const Problem& problem) {
  throw E(to_string(problem));
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
