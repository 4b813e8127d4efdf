// Choices made when a model is used, as options of the command line.
#pragma once

#include "tool.hpp"

#include <posemachine/base/json.hpp>
#include <posemachine/inference/estimate.hpp>

#include <CLI/CLI.hpp>

#include <string>

namespace tool {

struct TestTimeArguments {
  std::string flip;
  std::string scales;
  bool second_pass = false;
};

/// Adds --flip, --scales and --second-pass.
void add_test_time_options(CLI::App& command, TestTimeArguments& arguments);

/// Sets what they say; what they do not name stays. Errors: UsageError naming the option.
void apply(const TestTimeArguments& arguments, posemachine::EstimatorOptions& options);

/// The members that differ from what a model does by itself; empty where none does.
posemachine::Json test_time_to_json(const posemachine::EstimatorOptions& options);

}  // namespace tool
