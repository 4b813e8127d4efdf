// new_model NETWORK MODEL [SEED [TYPE]]: a model file with first weights, of a network by name or a network file
// NET.json; TYPE: how convolutions' weights are stored, f32, bf16 or f16.
// new_model alone lists the names.
#include <posemachine/core/error.hpp>
#include <posemachine/model/model.hpp>
#include <posemachine/model/named_network.hpp>
#include <posemachine/model/network_json.hpp>
#include <posemachine/networks/registry.hpp>

#include <cstdint>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

namespace pm = posemachine;

namespace {

pm::NetworkDescription describe(const std::string& name) {
  if (name.ends_with(".json")) return pm::read_network(name);
  if (const pm::NamedNetwork* network = pm::find_network(name)) return pm::description_of(*network);
  pm::fail<pm::UsageError>({.where = "network",
                            .expected = "a network file NET.json or a name that new_model alone lists",
                            .got = "\"" + name + "\""});
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.empty()) {
    for (const pm::NamedNetwork& network : pm::networks) std::printf("%s\n", std::string(network.name).c_str());
    return 0;
  }
  if (words.size() < 2 || words.size() > 4) {
    std::fprintf(stderr, "usage: new_model NETWORK MODEL [SEED [TYPE]]\n");
    return 2;
  }
  try {
    const std::uint64_t seed = words.size() > 2 ? std::stoull(words[2]) : 1;
    const auto type = words.size() > 3 ? pm::data_type_of(words[3]) : pm::DataType::f32;
    if (!type) pm::fail<pm::UsageError>({.where = "type", .expected = "f32, bf16 or f16", .got = words[3]});
    const pm::Model model = pm::Model::random(describe(words[0]), seed).with_weights_stored_as(*type);
    model.save(words[1]);
    std::printf("%s: %s, %zu tensors\n", words[1].c_str(), model.network().c_str(), model.parameters().size());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "new_model: %s\n", error.what());
    return 1;
  }
}
