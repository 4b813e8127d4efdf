// Joint sets as the command line names them.
#pragma once

#include <posemachine/base/json.hpp>

#include <string>

namespace tool {

/// What --joints takes: a joint set by its name, or a file with a list of names or an object, as JSON for
/// joint_set_from_some_json(). Errors: UsageError naming the file, or that there is none.
posemachine::Json joints_json(const std::string& name_or_file);

/// "lsp, mpii, coco, body_25".
std::string joint_set_names();

}  // namespace tool
