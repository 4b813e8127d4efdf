// Reads a model file without naming its type, says what it holds, and writes it again: the same bytes.
#include <posemachine/base/files.hpp>
#include <posemachine/graph/queries.hpp>
#include <posemachine/model/model.hpp>

#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>

namespace pm = posemachine;

int main(int argument_count, char** arguments) try {
  if (argument_count != 2) {
    std::fprintf(stderr, "usage: read_model FILE\n");
    return 2;
  }
  const std::filesystem::path path = arguments[1];
  const pm::Model model = pm::Model::load(path);
  const pm::Graph& graph = model.graph();
  double sum = 0;
  for (const pm::Tensor& tensor : model.parameters()) {
    for (const float value : tensor.values) sum += value;
  }
  std::printf("%s: %zu nodes, %lld parameters, sum %.6f, outputs", model.network().c_str(), graph.nodes.size(),
              static_cast<long long>(pm::count_parameters(graph)), sum);
  for (const std::string& name : model.spec().heatmaps) std::printf(" %s", name.c_str());
  std::printf("\n");
  if (model.to_bytes() == pm::read_file(path, std::uint64_t{1} << 30)) return 0;
  std::fprintf(stderr, "written again, the file has other bytes\n");
  return 1;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
