// LayerFields: how the options of a layer are read from a network description, field by field into an option struct.
#pragma once

#include <posemachine/base/json.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/op_info.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// Adds a layer to a graph and returns its dst: what apply<L> is for a layer that is a type.
using LayerFunction = std::function<Value(Graph&, Value)>;

/// What a field can ask of the description around it.
class LayerParser {
 public:
  virtual ~LayerParser() = default;

  /// The layer that the value describes. Errors: ModelError naming `where`.
  virtual LayerFunction layer(const Json& value, const std::string& where) = 0;

  /// An integer, or the name of one of the description's constants. Errors: ModelError naming `where`.
  virtual std::int32_t integer(const Json& value, const std::string& where, std::int32_t low, std::int32_t high) = 0;
};

/// A field of an option struct: its key, and how its value gets there.
template <class OptionStruct>
struct LayerField {
  std::string name;
  std::function<void(OptionStruct&, const Json&, const std::string& where, LayerParser&)> read;
  bool required = false;  // otherwise the struct's own value stays where the key is absent
};

/// A word of a description and the value it stands for.
template <class Enum>
using Choice = std::pair<std::string_view, Enum>;

/// Names that layers, values and ports can have: 1 to 200 bytes. Errors: ModelError naming `where`.
inline std::string read_layer_name(const Json& value, const std::string& where) {
  constexpr std::size_t most = 200;  // far more than anyone writes; names take room in every file
  if (value.is_string() && !value.get_ref<const std::string&>().empty() &&
      value.get_ref<const std::string&>().size() <= most) {
    return value.get<std::string>();
  }
  fail<ModelError>({.where = where, .expected = "a name of 1 to 200 bytes", .got = detail::json_excerpt(value)});
}

/// Makes the fields of one option struct. Members of a struct that it inherits from are its own as well.
template <class OptionStruct>
struct LayerFields {
  using Field = LayerField<OptionStruct>;

  /// Given in every description.
  static Field required(Field field) {
    field.required = true;
    return field;
  }

  /// An integer from low to high.
  static Field integer(std::string name, std::int32_t OptionStruct::* member, std::int32_t low, std::int32_t high) {
    return {std::move(name), [=](OptionStruct& options, const Json& value, const std::string& where,
                                 LayerParser& parser) { options.*member = parser.integer(value, where, low, high); }};
  }

  /// An integer in the range that an operation has for its option of that name.
  static Field integer(std::string name, std::int32_t OptionStruct::* member, std::span<const OptionInfo> options) {
    for (const OptionInfo& option : options) {
      if (option.name == name) return integer(std::move(name), member, option.low, option.high);
    }
    fail<UsageError>({.where = "layer field", .expected = "an option of the operation", .got = name});
  }

  /// true or false; the member may be a bool or an integer, which becomes 1 or 0.
  template <class Flag>
  static Field flag(std::string name, Flag OptionStruct::* member) {
    return {std::move(name), [=](OptionStruct& options, const Json& value, const std::string& where, LayerParser&) {
              if (!value.is_boolean()) {
                fail<ModelError>({.where = where, .expected = "true or false", .got = detail::json_excerpt(value)});
              }
              options.*member = value.get<bool>();
            }};
  }

  /// One of some words, each for a value; the member may be an enumeration or its number.
  template <class Member, class Enum>
  static Field choice(std::string name, Member OptionStruct::* member, std::initializer_list<Choice<Enum>> choices) {
    return {std::move(name), [member, words = std::vector(choices)](OptionStruct& options, const Json& value,
                                                                    const std::string& where, LayerParser&) {
              std::vector<std::string> known;
              std::string list;
              for (const auto& [word, meant] : words) {
                if (value.is_string() && value.get_ref<const std::string&>() == word) {
                  options.*member = static_cast<Member>(meant);
                  return;
                }
                known.emplace_back(word);
                list += (list.empty() ? "" : ", ") + known.back();
              }
              fail<ModelError>({.where = where,
                                .expected = "one of " + list,
                                .got = detail::json_excerpt(value),
                                .remedy = value.is_string() ? did_you_mean(value.get<std::string>(), known) : ""});
            }};
  }

  static Field name(std::string key, std::string OptionStruct::* member) {
    return {std::move(key), [=](OptionStruct& options, const Json& value, const std::string& where, LayerParser&) {
              options.*member = read_layer_name(value, where);
            }};
  }

  /// The name of a block: it heads parameters' names, in which dots part the blocks.
  static Field block_name(std::string key, std::string OptionStruct::* member) {
    return {std::move(key), [=](OptionStruct& options, const Json& value, const std::string& where, LayerParser&) {
              options.*member = read_layer_name(value, where);
              if ((options.*member).find('.') == std::string::npos) return;
              fail<ModelError>({.where = where, .expected = "a name without dots", .got = detail::json_excerpt(value)});
            }};
  }

  /// A list of 1 to `most` integers from low to high.
  static Field integers(std::string name, std::vector<std::int32_t> OptionStruct::* member, std::int32_t low,
                        std::int32_t high, std::size_t most) {
    return {std::move(name),
            [=](OptionStruct& options, const Json& value, const std::string& where, LayerParser& parser) {
              require_list(value, where, most);
              (options.*member).clear();
              for (std::size_t i = 0; i < value.size(); ++i) {
                const std::string at = where + "[" + std::to_string(i) + "]";
                (options.*member).push_back(parser.integer(value[i], at, low, high));
              }
            }};
  }

  /// A layer, or a list of layers one after another.
  static Field layer(std::string name, LayerFunction OptionStruct::* member) {
    return {std::move(name), [=](OptionStruct& options, const Json& value, const std::string& where,
                                 LayerParser& parser) { options.*member = parser.layer(value, where); }};
  }

  /// A list of layers that stand side by side; each may be a list itself.
  static Field branches(std::string name, std::vector<LayerFunction> OptionStruct::* member) {
    return {std::move(name),
            [=](OptionStruct& options, const Json& value, const std::string& where, LayerParser& parser) {
              require_list(value, where, 1000);
              (options.*member).clear();
              for (std::size_t i = 0; i < value.size(); ++i) {
                (options.*member).push_back(parser.layer(value[i], where + "[" + std::to_string(i) + "]"));
              }
            }};
  }

 private:
  static void require_list(const Json& value, const std::string& where, std::size_t most) {
    if (value.is_array() && !value.empty() && value.size() <= most) return;
    fail<ModelError>({.where = where,
                      .expected = "a list of 1 to " + std::to_string(most) + " members",
                      .got = value.is_array() ? std::to_string(value.size()) : value.type_name()});
  }
};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
