// Where a command may write a model.
#include "model_output.hpp"

#include <posemachine/core/error.hpp>
#include <posemachine/model/safetensors.hpp>
#include <posemachine/training/checkpoint.hpp>

#include <filesystem>
#include <string>
#include <system_error>

namespace pm = posemachine;

namespace tool {

namespace {

bool holds_model(const pm::TensorFile& file) {
  return file.metadata.contains("posemachine.format") && !pm::is_checkpoint(file);
}

}  // namespace

void check_model_output(const std::string& option, const std::string& path) {
  const auto refuse = [&](const std::string& expected, const std::string& got, const std::string& remedy = "") {
    pm::fail<pm::UsageError>({.where = option, .expected = expected, .got = got, .remedy = remedy});
  };
  const std::filesystem::path file(path);
  std::error_code error;
  const std::filesystem::path folder = file.has_parent_path() ? file.parent_path() : ".";
  if (!std::filesystem::is_directory(folder, error)) refuse("a file in a folder that is there", path);
  if (!std::filesystem::is_regular_file(file, error) || std::filesystem::file_size(file, error) == 0) return;
  const std::string expected = "a new file, or a model's to be replaced";
  try {
    const pm::TensorFile there = pm::read_safetensors(file, {.skip_other_types = true});
    if (holds_model(there)) return;
    if (pm::is_checkpoint(there)) refuse(expected, path + ", a checkpoint", "a run goes on from it");
  } catch (const pm::ModelError&) {  // no safetensors file
  }
  refuse(expected, path + ", which holds no model");
}

}  // namespace tool
