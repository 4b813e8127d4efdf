// What the tool finds around it: the bundled model, versions, processors.
#include "tool.hpp"

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/engine/dnnl_bridge.hpp>

#include <oneapi/tbb/version.h>

#include <sched.h>

#include <algorithm>
#include <string>
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
  return format("posemachine %d.%d.%d\noneDNN %s\noneTBB %s\ninstruction set: %s, as ONEDNN_MAX_CPU_ISA names it",
                POSEMACHINE_VERSION_MAJOR, POSEMACHINE_VERSION_MINOR, POSEMACHINE_VERSION_PATCH,
                pm::onednn_version().c_str(), TBB_runtime_version(), pm::instruction_set().c_str());
}

int default_threads() {
  cpu_set_t processors;  // those that taskset, Slurm or mpirun leave to this process
  CPU_ZERO(&processors);
  if (::sched_getaffinity(0, sizeof processors, &processors) == 0) return std::max(1, CPU_COUNT(&processors));
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

}  // namespace tool
