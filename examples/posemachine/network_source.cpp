// Networks by name, by description and by model file.
#include "network_source.hpp"

#include <posemachine/core/error.hpp>
#include <posemachine/graph/sizes.hpp>
#include <posemachine/model/named_network.hpp>
#include <posemachine/model/network_json.hpp>
#include <posemachine/networks/registry.hpp>
#include <posemachine/pose/model_spec_json.hpp>
#include <posemachine/training/checkpoint.hpp>

#include <charconv>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace pm = posemachine;

namespace tool {

namespace {

pm::Size parse_size(const std::string& text) {
  pm::Size size;
  const char* const end = text.data() + text.size();
  auto parsed = std::from_chars(text.data(), end, size.height);
  size.width = size.height;
  if (parsed.ec == std::errc{} && parsed.ptr != end && *parsed.ptr == 'x') {
    parsed = std::from_chars(parsed.ptr + 1, end, size.width);
  }
  const auto fits = [](int extent) { return extent >= 1 && extent <= 2048; };
  if (parsed.ec == std::errc{} && parsed.ptr == end && fits(size.height) && fits(size.width)) return size;
  pm::fail<pm::UsageError>(
      {.where = "--size", .expected = "HEIGHTxWIDTH or one number, each 1 to 2048 pixels", .got = "\"" + text + "\""});
}

bool is_description_file(std::string_view name) { return name.ends_with(".json"); }

[[noreturn]] void no_such_network(const std::string& what, const std::string& where, const std::string& expected) {
  std::vector<std::string> names;
  for (const pm::NamedNetwork& network : pm::networks) names.emplace_back(network.name);
  pm::fail<pm::UsageError>({.where = where,
                            .expected = expected + network_names(),
                            .got = what.empty() ? "none" : "\"" + what + "\"",
                            .remedy = pm::did_you_mean(what, names)});
}

}  // namespace

std::string network_names() {
  std::string names;
  for (const pm::NamedNetwork& network : pm::networks) names += (names.empty() ? "" : ", ") + std::string(network.name);
  return names;
}

pm::Json whole_network(const pm::Json& network, const std::filesystem::path& folder, const Context& context) {
  if (!network.is_string() || !is_description_file(network.get_ref<const std::string&>())) return network;
  const std::filesystem::path path = folder / network.get<std::string>();
  pm::Json json = pm::read_network_json(path);
  // Read once here, where the file's name is known.
  static_cast<void>(pm::open_network_from_json(json, path.string(), context.layers, context.ops));
  return json;
}

pm::NetworkDescription find_network(const pm::Json& network, const std::string& where, const Context& context) {
  if (network.is_object()) return pm::open_network_from_json(network, where, context.layers, context.ops);
  const std::string name = network.is_string() ? network.get<std::string>() : network.is_null() ? "" : network.dump();
  if (const pm::NamedNetwork* named = pm::find_network(name)) return pm::description_of(*named);
  no_such_network(name, where, "a network file NET.json or one of ");
}

pm::Model find_model(const std::string& what, const Context& context) {
  if (is_description_file(what)) {
    return pm::Model::random(pm::read_network(what, context.layers, context.ops.with_unknown()), /*seed=*/1);
  }
  std::error_code error;
  const bool path = what.find('/') != std::string::npos || what.ends_with(".safetensors");
  if (path || std::filesystem::exists(what, error)) return pm::load_trained(what, context.ops.with_unknown());
  if (const pm::NamedNetwork* named = pm::find_network(what)) {
    return pm::Model::random(pm::description_of(*named), /*seed=*/1);
  }
  no_such_network(what, "network", "a model file, a network file NET.json or one of ");
}

void add_decoder_option(CLI::App& command, std::string& decoder) {
  command.add_option("--decoder", decoder, "How heatmaps become joints; default: as the model says")
      ->check(CLI::IsMember(pm::DecoderKinds().names()));
}

pm::Model with_decoder(const pm::Model& model, const std::string& decoder) {
  if (decoder.empty()) return model;
  pm::ModelSpec spec = model.spec();
  spec.decoder.kind = pm::DecoderKinds().get(decoder, "--decoder").name;
  return model.with_spec(std::move(spec));
}

pm::Size input_size(const pm::Model& model, const std::string& text) {
  if (text.empty()) return {model.spec().input_height, model.spec().input_width};
  const pm::Size size = parse_size(text);
  try {
    pm::infer_sizes(model.graph(), size);
  } catch (const pm::ModelError& error) {  // the network is right, the option is not
    throw pm::UsageError(std::string("--size: ") + error.what());
  }
  return size;
}

}  // namespace tool
