// LayerSet: the layers a network description may name, the library's and a user's.
#pragma once

#include <posemachine/base/json.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/layers/layer.hpp>
#include <posemachine/model/layer_fields.hpp>

#include <functional>
#include <initializer_list>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// Layers by name, with the fields of their options; empty at first. library_layers() has those of the library, add()
/// puts one's own beside them.
class LayerSet {
 public:
  /// A layer of the set: how a description's value becomes a function that adds the layer.
  struct Word {
    bool block = true;                // opens a block of its name
    std::vector<std::string> fields;  // names of its options
    /// `options` is null where the description gives none. Errors: ModelError naming `where` and the field.
    std::function<LayerFunction(const Json* options, const std::string& where, LayerParser&)> parse;
  };

  /// A layer with options: `lower(graph, src, options)` adds it, in a block of its name. The first field is the one
  /// that a bare value gives: {"SEGate": 16}. Errors: UsageError for a name that is no identifier, or is taken.
  template <class OptionStruct, class Lower>
  LayerSet& add(const std::string& name, std::initializer_list<LayerField<OptionStruct>> fields, Lower lower) {
    return put(name, {true, names_of<OptionStruct>(fields), parse_with(std::vector(fields), std::move(lower))});
  }

  /// The same without a block: its parameters belong to the block around it.
  template <class OptionStruct, class Lower>
  LayerSet& add_unscoped(const std::string& name, std::initializer_list<LayerField<OptionStruct>> fields, Lower lower) {
    return put(name, {false, names_of<OptionStruct>(fields), parse_with(std::vector(fields), std::move(lower))});
  }

  /// A layer type, under its own name and without options: add<MyModule>().
  template <class L>
  LayerSet& add() {
    const auto lower = [](Graph& graph, Value src, const NoOptions&) { return L::lower(graph, src); };
    const std::vector<LayerField<NoOptions>> none;
    return put(std::string(identifier<L>), {!detail::adds_no_scope<L>(), {}, parse_with(none, lower)});
  }

  /// The layer, or null.
  const Word* find(const std::string& name) const;
  std::vector<std::string> names() const;

 private:
  struct NoOptions {};

  LayerSet& put(const std::string& name, Word word);

  template <class OptionStruct>
  static std::vector<std::string> names_of(std::span<const LayerField<OptionStruct>> fields) {
    std::vector<std::string> names;
    for (const LayerField<OptionStruct>& field : fields) names.push_back(field.name);
    return names;
  }

  template <class OptionStruct, class Lower>
  static auto parse_with(std::vector<LayerField<OptionStruct>> fields, Lower lower) {
    return [fields = std::move(fields), lower = std::move(lower)](const Json* given, const std::string& where,
                                                                  LayerParser& parser) -> LayerFunction {
      OptionStruct options{};
      read(options, fields, given, where, parser);
      return [lower, options = std::move(options)](Graph& graph, Value src) { return lower(graph, src, options); };
    };
  }

  template <class OptionStruct>
  static void read(OptionStruct& options, const std::vector<LayerField<OptionStruct>>& fields, const Json* given,
                   const std::string& where, LayerParser& parser) {
    const bool bare = given != nullptr && !given->is_object();
    const std::vector<std::string> keys = names_of<OptionStruct>(fields);
    if (bare && fields.empty()) {
      fail<ModelError>({.where = where, .expected = "no options", .got = detail::json_excerpt(*given)});
    }
    if (given != nullptr && !bare && given->size() == 1) {
      const std::string key = given->begin().key();
      if (!key.empty() && key[0] >= 'A' && key[0] <= 'Z') {
        fail<ModelError>({.where = detail::field(where, key),
                          .expected = "an option",
                          .got = "what looks like a layer",
                          .remedy = "a layer inside another one stands in a list"});
      }
    }
    if (given != nullptr && !bare) reject_unknown_keys<ModelError>(*given, keys, where);
    for (const LayerField<OptionStruct>& field : fields) {
      if (bare && &field == &fields.front()) {
        field.read(options, *given, where + "." + field.name, parser);
      } else if (!bare && given != nullptr && given->contains(field.name)) {
        field.read(options, (*given)[field.name], where + "." + field.name, parser);
      } else if (field.required) {
        fail<ModelError>({.where = where + "." + field.name, .expected = "a value", .got = "none"});
      }
    }
  }

  std::map<std::string, Word> words_;
};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/model/layer_set.ipp>
#endif
