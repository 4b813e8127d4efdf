// What the tool finds around it, and what its main() calls: light, because each is a unit of its own.
#pragma once

#include <filesystem>
#include <string>

namespace tool {

/// The model to use without --model. Errors: ModelError saying where it was looked for.
std::filesystem::path bundled_model();

/// The versions of this program and what it runs on.
std::string version_text();

/// As many as there are processors.
int default_threads();

/// Runs the tool with the library's operations and layers, as run() of tool.hpp.
int run_main(int argc, char** argv);

}  // namespace tool
