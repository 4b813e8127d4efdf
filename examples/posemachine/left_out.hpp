// Photographs that could not be used, as every command that goes round them says it.
#pragma once

#include "tool.hpp"

#include <posemachine/base/json.hpp>
#include <posemachine/data/damaged_images.hpp>
#include <posemachine/data/data_set.hpp>
#include <posemachine/data/person.hpp>

#include <filesystem>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace tool {

/// Photographs, and the problem with each.
using LeftOutImages = std::map<std::filesystem::path, std::string>;

/// Warns of the people on absent images in one sentence, where there are any. Returns these images.
std::set<std::filesystem::path> warn_of_absent(std::span<const posemachine::Person> people, const Context& context);

/// Warns of every photograph that is not in `named`, and adds it there.
void warn_of_left_out(const posemachine::DamagedImages& damaged, std::set<std::filesystem::path>& named,
                      const Context& context);

/// "crowds (3), boxes of no area (1)"; empty where nothing was left out.
std::string left_out_words(const posemachine::Annotations& annotations);

/// {"crowds": 3, "boxes of no area": 1}.
posemachine::Json left_out_to_json(const posemachine::Annotations& annotations);

/// Adds left_out_images, [{"image": "a.jpg", "problem": "a.jpg: absent"}], where there are some.
void add_left_out(posemachine::Json& json, const LeftOutImages& images);

/// Errors: DataError naming `where` and the member.
LeftOutImages left_out_from_json(const posemachine::Json& json, const std::string& where);

/// ", 3 left out", or nothing where nobody is.
std::string left_out_text(int people);

}  // namespace tool
