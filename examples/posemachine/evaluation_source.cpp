// What a model is measured on: the options that evaluate and calibrate share.
#include "evaluation_source.hpp"
#include "tool.hpp"

#include <posemachine/core/error.hpp>
#include <posemachine/data/damaged_images.hpp>
#include <posemachine/data/data_set.hpp>
#include <posemachine/data/data_sets.hpp>
#include <posemachine/data/lsp.hpp>
#include <posemachine/data/person.hpp>
#include <posemachine/inference/evaluate.hpp>
#include <posemachine/pose/joint_set.hpp>

#include <filesystem>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace pm = posemachine;

namespace tool {

void add_source_options(CLI::App& command, EvaluationSource& source, const std::string& which_data) {
  command.add_option("--model", source.model, "Model file, or a checkpoint of a run; default: the bundled one");
  command.add_option("--data", source.data, "KIND:PATH[:PART], as in train" + which_data)->required();
  command.add_option("--images", source.images, "The folder of the images, as in train");
  command.add_flag("--allow-missing", source.allow_missing,
                   "Leave out people whose image is absent, instead of failing");
  command.add_option("--threads", source.threads, "Images at a time; the result is the same for any number")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
}

std::string model_path(const EvaluationSource& source) {
  return source.model.empty() ? bundled_model().string() : source.model;
}

pm::DataSource data_source(const EvaluationSource& source, const std::string& lsp_part, const Context& context) {
  pm::DataSource data = context.data_sets.parse(source.data);
  if (data.kind == "lsp" && data.part.empty() && pm::has_lsp_parts(data.path)) data.part = lsp_part;
  return data;
}

std::vector<pm::Person> read_people(const EvaluationSource& source, const pm::DataSource& data,
                                    const pm::JointSet& joints, const Context& context) {
  const pm::DataSetOptions options{.images = source.images, .allow_missing = source.allow_missing};
  return pm::people_with_joints(context.data_sets.read(data, options), joints, pm::to_string(data));
}

std::set<std::filesystem::path> warn_of_absent(const EvaluationSource& source, std::span<const pm::Person> people,
                                               const Context& context) {
  return source.allow_missing ? warn_of_absent(people, context) : std::set<std::filesystem::path>{};
}

void require_measured(const pm::EvaluationResult& result, const LeftOutImages& left_out) {
  if (result.left_out < result.people || result.people == 0) return;
  pm::fail<pm::DataError>({.where = "evaluation",
                           .expected = "images that can be used",
                           .got = format("none among those of %d people", result.people),
                           .remedy = left_out.empty() ? "" : left_out.begin()->second});
}

pm::EvaluateOptions evaluate_options(const EvaluationSource& source, Progress& progress, const Context& context) {
  pm::EvaluateOptions options;
  options.threads = source.threads;
  options.damaged = std::make_shared<pm::DamagedImages>();
  options.progress = [&progress, &context](int done_count, int count) {
    context.stop_if_asked();
    progress.update(done_count, count);
  };
  return options;
}

}  // namespace tool
