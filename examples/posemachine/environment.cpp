// What the tool finds around it: the bundled model, versions, processors.
#include "environment.hpp"

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/engine/processor.hpp>

#include <oneapi/tbb/version.h>

#include <sched.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

namespace pm = posemachine;
namespace fs = std::filesystem;

namespace tool {

namespace {

constexpr std::string_view bundled_name = "scaling-dilation-fine-48.safetensors";

std::vector<fs::path> model_folders() {
  std::vector<fs::path> folders;
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (!error) folders.push_back(program.parent_path() / "models");
#if defined(POSEMACHINE_MODELS_DIR)
  folders.emplace_back(POSEMACHINE_MODELS_DIR);
#endif
#if defined(POSEMACHINE_INSTALLED_MODELS_DIR)
  folders.emplace_back(POSEMACHINE_INSTALLED_MODELS_DIR);
#endif
  if (!error) folders.push_back(program.parent_path());
  return folders;
}

}  // namespace

fs::path bundled_model() {
  std::string looked;
  for (const fs::path& folder : model_folders()) {
    std::error_code error;
    if (fs::exists(folder / bundled_name, error)) return folder / bundled_name;
    looked += (looked.empty() ? "" : ", ") + folder.string();
  }
  pm::fail<pm::ModelError>({.where = "bundled model",
                            .expected = std::string(bundled_name) + " in one of " + looked,
                            .got = "none",
                            .remedy = "give a model with --model"});
}

std::string version_text() {
  const auto number = [](int value) { return std::to_string(value); };
  return "posemachine " + number(POSEMACHINE_VERSION_MAJOR) + "." + number(POSEMACHINE_VERSION_MINOR) + "." +
         number(POSEMACHINE_VERSION_PATCH) + "\noneDNN " + pm::engine::onednn_version() + "\noneTBB " +
         TBB_runtime_version() + "\ninstruction set: " + pm::engine::instruction_set() +
         ", as ONEDNN_MAX_CPU_ISA names it";
}

int default_threads() {
  cpu_set_t processors;  // those that taskset, Slurm or mpirun leave to this process
  CPU_ZERO(&processors);
  if (::sched_getaffinity(0, sizeof processors, &processors) == 0) return std::max(1, CPU_COUNT(&processors));
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

}  // namespace tool
