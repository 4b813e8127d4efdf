// Where a command may write a model.
#pragma once

#include <string>

namespace tool {

/// Refuses, before any work is done, a place for a model whose folder is not there, or a file that is no model: a run's
/// checkpoint, from which the run goes on, or anything else that has content. Devices and links to models are fine.
/// Errors: UsageError naming `option`.
void check_model_output(const std::string& option, const std::string& path);

}  // namespace tool
