// Networks from JSON: in the words of the layer types, or as the graph itself.
#pragma once

#include <posemachine/base/json.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/model/layer_set.hpp>
#include <posemachine/model/layer_words.hpp>
#include <posemachine/model/network_description.hpp>
#include <posemachine/model/op_set.hpp>

#include <filesystem>
#include <string>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// A network from its JSON form: {"network": name, "layers": [...]} with "constants", "blocks" and "spec" where
/// wanted, or {"network": name, "graph": {...}, "spec": {...}}. See docs/reference/network_file.md.
/// Errors: ModelError naming `where` and the field, or the layer with node and figures.
NetworkDescription network_from_json(const Json& json, const std::string& where,
                                     const LayerSet& layers = library_layers(), const OpSet& ops = OpSet());

/// Whether the JSON form of a network says its joint set.
inline bool says_joint_set(const Json& json) {
  return json.is_object() && json.contains("meaning") && json["meaning"].is_object() &&
         json["meaning"].contains("joint_set");
}

/// As network_from_json, for a network whose joints are not known yet: where the description says no joint set, its maps
/// may be of any number of joints, and the spec's set is none of its own. check() again, once they are known.
NetworkDescription open_network_from_json(const Json& json, const std::string& where,
                                          const LayerSet& layers = library_layers(), const OpSet& ops = OpSet());

/// The JSON form with the graph itself: what network_from_json reads back as the same network. Without a calibration,
/// which belongs to weights.
Json network_to_json(const NetworkDescription& network);

/// The JSON of a network file; comments are allowed. Errors: ModelError naming file and line.
Json read_network_json(const std::filesystem::path& path);

/// A network from a file. Errors: as network_from_json.
NetworkDescription read_network(const std::filesystem::path& path, const LayerSet& layers = library_layers(),
                                const OpSet& ops = OpSet());

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/model/network_json.ipp>
#endif
