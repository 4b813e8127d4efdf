// What an error says.
#pragma once

#include <posemachine/core/error.hpp>

#include <string>

namespace test_environment {

/// The message of the error that a call ends with; empty if it ends with none.
template <class Error = posemachine::Error, class Call>
std::string refusal(Call&& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

inline bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace test_environment
