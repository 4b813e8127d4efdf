// What a model is measured on: the options that evaluate and calibrate share.
#pragma once

#include "left_out.hpp"
#include "tool.hpp"

#include <posemachine/data/data_set.hpp>
#include <posemachine/data/person.hpp>
#include <posemachine/inference/evaluate.hpp>
#include <posemachine/pose/joint_set.hpp>

#include <filesystem>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace tool {

struct EvaluationSource {
  std::string model;
  std::string data;
  std::string images;
  bool allow_missing = false;
  int threads = default_threads();
};

/// Adds --model, --data, --images, --allow-missing and --threads. `which_data`: what --data should be, for help.
void add_source_options(CLI::App& command, EvaluationSource& source, const std::string& which_data);

/// --model, or the bundled one. Errors: ModelError where there is none.
std::string model_path(const EvaluationSource& source);

/// --data; of lsp:DIR this part unless it names another. Errors: UsageError.
posemachine::DataSource data_source(const EvaluationSource& source, const std::string& lsp_part,
                                    const Context& context);

/// Its people with a model's joints. Errors: as the data set's reader.
std::vector<posemachine::Person> read_people(const EvaluationSource& source, const posemachine::DataSource& data,
                                             const posemachine::JointSet& joints, const Context& context);

/// As warn_of_absent(people), where absent images are allowed.
std::set<std::filesystem::path> warn_of_absent(const EvaluationSource& source,
                                               std::span<const posemachine::Person> people, const Context& context);

/// Errors: DataError where there are people and all of them were left out.
void require_measured(const posemachine::EvaluationResult& result, const LeftOutImages& left_out);

/// --threads, with images that cannot be used left out and noted, and with a progress that ends where the tool
/// is asked to stop. The progress must outlive the options.
posemachine::EvaluateOptions evaluate_options(const EvaluationSource& source, Progress& progress,
                                              const Context& context);

}  // namespace tool
