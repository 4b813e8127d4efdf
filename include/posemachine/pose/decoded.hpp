// Decoded: what a decoder made of an output's maps, a value of any type.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>

#include <concepts>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <typeinfo>
#include <utility>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

// The name of a type, for messages, as the compiler spells it.
template <class T>
std::string_view type_text() {
  const std::string_view text = __PRETTY_FUNCTION__;  // "... [with T = int; ...]", of Clang "... [T = int]"
  const std::size_t begin = text.find("T = ") + 4;
  return text.substr(begin, text.find_first_of(";]", begin) - begin);
}

}  // namespace detail

/// A value of any type, shared by its copies and never changed.
class Decoded {
 public:
  Decoded() = default;  // nothing

  template <class T>
    requires(!std::same_as<std::remove_cvref_t<T>, Decoded>)
  Decoded(T&& value)
      : value_(std::make_shared<const std::remove_cvref_t<T>>(std::forward<T>(value))),
        type_(&typeid(std::remove_cvref_t<T>)),
        type_text_(detail::type_text<std::remove_cvref_t<T>>()) {}

  bool has_value() const { return value_ != nullptr; }

  /// The value, or null where it is of another type.
  template <class T>
  const T* find() const {
    return value_ && *type_ == typeid(T) ? static_cast<const T*>(value_.get()) : nullptr;
  }

  /// The name of the value's type, for people; "nothing" without one.
  std::string_view type() const { return type_text_; }

 private:
  std::shared_ptr<const void> value_;
  const std::type_info* type_ = nullptr;
  std::string_view type_text_ = "nothing";
};

/// What an output of one person was decoded to.
struct DecodedOutput {
  std::string name;     // of the output
  std::string decoder;  // a row of OutputDecoders, the library's or a user's own
  Decoded value{};

  /// Errors: UsageError naming the output, its decoder and both types where the value is of another one.
  template <class T>
  const T& as() const {
    if (const T* const found = value.find<T>()) return *found;
    fail<UsageError>({.where = "the output " + name + ", decoded by " + decoder,
                      .expected = std::string(detail::type_text<T>()),
                      .got = std::string(value.type())});
  }
};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
