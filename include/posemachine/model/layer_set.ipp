// The definitions of model/layer_set.hpp.
#pragma once

#include <posemachine/model/layer_set.hpp>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

POSEMACHINE_INLINE const LayerSet::Word* LayerSet::find(const std::string& name) const {
  const auto found = words_.find(name);
  return found == words_.end() ? nullptr : &found->second;
}

POSEMACHINE_INLINE std::vector<std::string> LayerSet::names() const {
  std::vector<std::string> all;
  for (const auto& [name, word] : words_) all.push_back(name);
  return all;
}

POSEMACHINE_INLINE LayerSet& LayerSet::put(const std::string& name, Word word) {
  if (!detail::is_identifier(name)) {
    fail<UsageError>({.where = "layer name", .expected = "an identifier of 1 to 64 bytes", .got = name});
  }
  if (!words_.emplace(name, std::move(word)).second) {
    fail<UsageError>({.where = "layer " + name, .expected = "a name of its own", .got = "that of another layer"});
  }
  return *this;
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
