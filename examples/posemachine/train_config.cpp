// The configuration of a training run, and the data it names.
#include "train_config.hpp"

#include "job.hpp"
#include "joint_source.hpp"
#include "labels_source.hpp"
#include "left_out.hpp"
#include "network_source.hpp"
#include "tool.hpp"

#include <posemachine/base/files.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/data/data_set.hpp>
#include <posemachine/data/data_sets.hpp>
#include <posemachine/data/image_list.hpp>
#include <posemachine/data/labels.hpp>
#include <posemachine/data/lsp.hpp>
#include <posemachine/data/person.hpp>
#include <posemachine/data/sets/yolo.hpp>
#include <posemachine/engine/batch_gradients.hpp>
#include <posemachine/graph/difference.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/passes/heatmap_logits.hpp>
#include <posemachine/graph/passes/set_input_channels.hpp>
#include <posemachine/graph/passes/set_output_channels.hpp>
#include <posemachine/graph/sizes.hpp>
#include <posemachine/model/graph_json.hpp>
#include <posemachine/model/network_description.hpp>
#include <posemachine/model/network_json.hpp>
#include <posemachine/pose/joint_names.hpp>
#include <posemachine/pose/model_spec.hpp>
#include <posemachine/pose/model_spec_json.hpp>
#include <posemachine/training/checkpoint.hpp>
#include <posemachine/training/losses/cross_entropy.hpp>
#include <posemachine/training/train_options.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <filesystem>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace pm = posemachine;

namespace tool {

namespace {

using pm::Json;

constexpr std::string_view from_arguments = "configuration";

// Of a configuration.
const std::vector<std::string> known_keys{"network",       "data", "images", "validation", "joints", "labels",
                                          "allow_missing", "init", "from",   "model",      "train"};

// What changes how fast a run is, how often it saves and what it shows, and nothing that it computes.
constexpr std::array<std::string_view, 7> speed_keys{
    "workers", "loader_workers", "cache_mb", "checkpoint_steps", "keep_checkpoints", "log_steps", "pictures"};

// The member of that name; null where there is none.
const Json& member_or_null(const Json& object, const std::string& key) {
  static const Json null;
  const auto found = object.find(key);
  return found == object.end() ? null : *found;
}

// The first key under which two objects differ, one that only one of them has included.
std::optional<std::string> first_different_key(const Json& a, const Json& b) {
  for (const auto& [key, value] : a.items()) {
    if (member_or_null(b, key) != value) return key;
  }
  for (const auto& [key, value] : b.items()) {
    if (!a.contains(key)) return key;
  }
  return std::nullopt;
}

// For messages.
std::string value_text(const Json& value) { return value.is_null() ? "none" : value.dump().substr(0, 100); }

// All options of a model. The decoder has two spellings: quarter_offset, true or false, and its name, which alone can
// say the other kinds.
Json all_model_options(const pm::ModelSpec& spec) {
  const std::string& kind = spec.decoder.kind;
  const bool by_name = kind != "arg_max" && kind != "quarter_offset";
  Json options{{"input_height", spec.input_height},
               {"input_width", spec.input_width},
               {"sigma_px", spec.sigma_px},
               {"colour_order", spec.colour_order},
               {"image_scale", spec.crop.image_scale},
               {"box_context", spec.crop.box_context},
               by_name ? Json{"decoder", kind} : Json{"quarter_offset", kind == "quarter_offset"},
               {"flip_average", spec.decoder.flip_average},
               {"bit_depth", spec.bit_depth},
               {"frames", spec.frames}};
  options.update(pm::normalisation_to_json(spec));
  return options;
}

// As a configuration has them, which is read over the meaning of its network alone. Bit depth, frames and normalisation
// are left out where they are the usual ones, of that network too: such runs have the config.json that they always had.
Json spec_to_options(const pm::ModelSpec& spec, const pm::ModelSpec& network) {
  Json options = all_model_options(spec);
  if (spec.bit_depth == 8 && network.bit_depth == 8) options.erase("bit_depth");
  if (spec.frames == std::vector{0} && network.frames == std::vector{0}) options.erase("frames");
  if (spec.normalisation == pm::default_normalisation(spec.bit_depth) && spec.normalisation == network.normalisation) {
    for (const char* key : {"mean", "scale"}) options.erase(key);
  }
  return options;
}

std::vector<std::string> known_model_options() {
  std::vector<std::string> known{"decoder"};
  const Json options = all_model_options({});
  for (const auto& [key, value] : options.items()) known.push_back(key);
  return known;
}

[[noreturn]] void fail_two_decoders(const Json& given, const std::string& name, const std::string& where) {
  pm::fail<pm::UsageError>({.where = where,
                            .expected = "one decoder",
                            .got = "decoder " + name + " and quarter_offset " + given["quarter_offset"].dump(),
                            .remedy = "leave quarter_offset out"});
}

// The decoder that options ask for by either spelling; what it was where they ask for none.
std::string decoder_from_options(const Json& given, const std::string& where, std::string kind,
                                 const Context& context) {
  if (given.contains("quarter_offset")) {
    kind = pm::boolean_member<pm::UsageError>(given, "quarter_offset", where) ? "quarter_offset" : "arg_max";
  }
  if (given.contains("decoder")) {
    const std::string name = pm::string_member<pm::UsageError>(given, "decoder", where);
    context.train_kinds.decoders.get(name, where + ".decoder");
    if (!given.contains("quarter_offset") || name == kind) return name;
    fail_two_decoders(given, name, where);
  }
  context.train_kinds.decoders.get(kind, where + ".decoder");  // of a network file
  return kind;
}

// The order of colours and the bit depth; another bit depth has another normalisation, unless one is asked for.
void read_pixels(const Json& json, const std::string& where, pm::ModelSpec& spec) {
  spec.colour_order = pm::string_member<pm::UsageError>(json, "colour_order", where);
  const auto bits = static_cast<int>(pm::integer_member<pm::UsageError>(json, "bit_depth", where, 8, 16));
  pm::check_pixels<pm::UsageError>(spec.colour_order, bits, where);
  if (bits != spec.bit_depth) spec.normalisation = pm::default_normalisation(bits);
  spec.bit_depth = bits;
}

// A number for all channels, or a list with one for each.
std::array<double, 3> read_channels(const Json& given, const std::string& key, const std::string& where,
                                    const pm::ModelSpec& spec, pm::NumberRange range) {
  const auto count = static_cast<std::size_t>(pm::image_channels(spec));
  const Json& value = given[key];
  if (value.is_array() && value.size() != count) {
    pm::fail<pm::UsageError>({.where = where + "." + key,
                              .expected = "a number, or a list of " + std::to_string(count),
                              .got = value.dump().substr(0, 60)});
  }
  std::array<double, 3> numbers{};
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    Json number = Json::object();
    number[key] = value.is_array() ? value[std::min(i, count - 1)] : value;
    numbers[i] = pm::number_member<pm::UsageError>(number, key, where, range.low, range.high);
  }
  return numbers;
}

// Options that are absent keep what `meaning` has.
pm::ModelSpec spec_from_options(const Json& given, const std::string& where, pm::ModelSpec spec,
                                const Context& context) {
  pm::reject_unknown_keys<pm::UsageError>(given, known_model_options(), where);
  Json json = all_model_options(spec);
  json.update(given);
  using pm::UsageError;
  const auto pixels = [&](const char* key) {
    constexpr pm::NumberRange range = pm::ModelSpecRanges::input_pixels;
    return static_cast<int>(
        pm::integer_member<UsageError>(json, key, where, static_cast<int>(range.low), static_cast<int>(range.high)));
  };
  const auto number = [&](const char* key, pm::NumberRange range) {
    return pm::number_member<UsageError>(json, key, where, range.low, range.high);
  };
  spec.input_height = pixels("input_height");
  spec.input_width = pixels("input_width");
  spec.sigma_px = number("sigma_px", pm::ModelSpecRanges::sigma_px);
  read_pixels(json, where, spec);
  spec.frames = pm::frames_from_json<UsageError>(json["frames"], where + ".frames");
  pm::Normalisation& normalisation = spec.normalisation;
  if (given.contains("mean")) {
    normalisation.mean = read_channels(given, "mean", where, spec, pm::ModelSpecRanges::mean);
  }
  if (given.contains("scale")) {
    normalisation.scale = read_channels(given, "scale", where, spec, pm::ModelSpecRanges::scale);
  }
  spec.crop.image_scale = number("image_scale", pm::ModelSpecRanges::crop);
  spec.crop.box_context = number("box_context", pm::ModelSpecRanges::crop);
  spec.decoder.kind = decoder_from_options(given, where, spec.decoder.kind, context);
  spec.decoder.flip_average = pm::boolean_member<UsageError>(json, "flip_average", where);
  return spec;
}

std::string absolute_path(const std::string& path) {
  return path.empty() ? "" : std::filesystem::absolute(path).lexically_normal().string();
}

pm::DataSource absolute_source(const std::string& text, const Context& context) {
  pm::DataSource source = context.data_sets.parse(text);
  source.path = absolute_path(source.path.string());
  pm::write_json<pm::UsageError>(pm::to_string(source), "data");  // a configuration cannot hold other text
  return source;
}

std::vector<std::string> read_data(const Json& list, const std::string& where, const Context& context) {
  std::vector<std::string> data;
  bool fits = list.is_array() && !list.empty();
  for (std::size_t i = 0; fits && i < list.size(); ++i) {
    fits = list[i].is_string();
    if (fits) data.push_back(pm::to_string(absolute_source(list[i].get<std::string>(), context)));
  }
  if (fits) return data;
  pm::fail<pm::UsageError>({.where = where + ".data",
                            .expected = "a list of at least one " + context.data_sets.grammar(),
                            .got = list.empty() ? "none" : list.dump().substr(0, 60),
                            .remedy = "give --data KIND:PATH"});
}

[[noreturn]] void refuse_validation(const std::string& got, const std::string& remedy = "") {
  pm::fail<pm::UsageError>({.where = "--validation",
                            .expected =
                                "a share of the images from 0 to below 1, a data set KIND:PATH[:PART], a part of "
                                "the data (val), or a file with the name of an image per line",
                            .got = got,
                            .remedy = remedy});
}

// A share of the images, if that is what the text says.
std::optional<double> share_of_images(const std::string& text) {
  double share = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), share);
  if (read.ec != std::errc{} || read.ptr != text.data() + text.size()) return std::nullopt;
  if (share >= 0 && share < 1) return share;
  refuse_validation(text);
}

bool names_kind(const std::string& text, const Context& context) {
  return text.find(':') != std::string::npos && context.data_sets.find(text.substr(0, text.find(':'))) != nullptr;
}

// A list of images: neither of the other forms of a validation that was read.
bool is_list_of_images(const std::string& validation, const Context& context) {
  return !validation.empty() && !share_of_images(validation) && !names_kind(validation, context);
}

// The only data set, where PART says some of its images; nothing where there are several, or it has no such parts.
std::optional<pm::DataSource> only_source(const std::vector<std::string>& data, const Context& context) {
  std::optional<pm::DataSource> only;
  for (const std::string& each : data) {
    const pm::DataSource source = absolute_source(each, context);
    if (only && (only->kind != source.kind || only->path != source.path)) return std::nullopt;
    if (!context.data_sets.find(source.kind)->parts_are_images) return std::nullopt;
    only = source;
  }
  return only;
}

// As a configuration keeps it: a share, a data set with its part, or the path of a list of images. `data`: of which a
// part may be named alone.
std::string read_validation(const Json& json, const std::string& where, const std::vector<std::string>& data,
                            const Context& context) {
  const bool is_number = json["validation"].is_number();
  const std::string text =
      is_number ? json["validation"].dump() : pm::string_member<pm::UsageError>(json, "validation", where);
  if (text.empty() || share_of_images(text)) return text;
  if (names_kind(text, context)) return pm::to_string(absolute_source(text, context));
  std::error_code error;
  if (std::filesystem::is_regular_file(text, error)) {
    std::string list = absolute_path(text);
    pm::write_json<pm::UsageError>(list, "--validation");  // a configuration cannot hold other text
    return list;
  }
  const std::string got = "\"" + text.substr(0, 100) + "\"";
  if (text.find('/') != std::string::npos) refuse_validation(got, "there is no such file");
  std::optional<pm::DataSource> source = only_source(data, context);
  if (!source)
    refuse_validation(got, "a part alone needs one data set whose parts are images: lsp, lspet, yolo or mpii");
  source->part = text;
  return pm::to_string(*source);
}

// The part that a data set has for validation, for where nobody names another.
std::string usual_validation(const std::vector<std::string>& data, const Context& context) {
  std::optional<pm::DataSource> source = only_source(data, context);
  const bool trains = source && source->kind == pm::yolo_set.name && (source->part.empty() || source->part == "train");
  if (!trains || !pm::has_yolo_validation(source->path)) return "";
  source->part = "val";
  return pm::to_string(*source);
}

// How a data set of the configuration is read. A folder of images is for those of the kinds that take one; where none
// is, it is refused.
pm::DataSetOptions options_of(const TrainConfig& config, const pm::DataSource& source, const Context& context) {
  const auto takes_images = [&](const std::string& text) {
    const pm::DataSetKind* const kind = context.data_sets.find(text.substr(0, text.find(':')));
    return kind != nullptr && kind->takes_images;
  };
  const bool any = takes_images(config.validation) || std::any_of(config.data.begin(), config.data.end(), takes_images);
  return {.images = !any || takes_images(source.kind) ? config.images : "", .allow_missing = config.allow_missing};
}

// The joint set that the data has, where the network leaves it open and has another. One annotation says it: the first.
Json joints_of_data(const TrainConfig& config, const Context& context) {
  if (pm::says_joint_set(config.network_source)) return {};
  const pm::DataSource source = absolute_source(config.data.front(), context);
  const pm::JointSet joints = context.data_sets.joints(source, options_of(config, source, context));
  if (joints.joints == config.network.spec.joints.joints) return {};
  return pm::joint_set_to_json(joints);
}

// The joint set of the checkpoint that a run goes on from, where it is not the network's own.
Json joints_of_checkpoint(const TrainConfig& config, const Context& context) {
  const pm::JointSet joints = pm::load_checkpoint(config.from, context.ops).model.spec().joints;
  if (joints.joints == config.network.spec.joints.joints) return {};
  return pm::joint_set_to_json(joints);
}

// Other joints than those that the network was described for: named networks' outputs follow their number.
void adopt_joints(TrainConfig& config, const std::string& where) {
  config.network.spec.joints = pm::joint_set_from_json(config.joints, where + ".joints");
  const int maps = static_cast<int>(config.network.spec.joints.joints.size()) + 1;
  if (config.network_source.is_string()) pm::set_output_channels(config.network.graph, maps);
}

// A network file says its maps itself: they must be for the joints of the data.
void check_maps(const TrainConfig& config, const std::string& where) {
  if (!config.network_source.is_object() || pm::says_joint_set(config.network_source)) return;
  const pm::Graph& graph = config.network.graph;
  const pm::JointSet& joints = config.network.spec.joints;
  const int wanted = static_cast<int>(joints.joints.size()) + 1;
  for (const std::size_t place : pm::heatmap_outputs(graph, config.network.spec)) {
    const int has = pm::channels(graph, {graph.outputs[place].value});
    if (has == wanted) continue;
    pm::fail<pm::UsageError>(
        {.where = where + ".network: output " + std::string(pm::name_text(graph, graph.outputs[place].name)),
         .expected = std::to_string(wanted) + " maps, for the " + std::to_string(wanted - 1) + " joints of the set " +
                     joints.name + " and the background",
         .got = std::to_string(has),
         .remedy = "choose " + std::to_string(has - 1) + " joints (--joints), or give its last layer " +
                   std::to_string(wanted) + " channels"});
  }
}

// Named networks' images follow the order of colours and the frames; a network file says its channels itself.
void adopt_channels(TrainConfig& config, const std::string& where) {
  const pm::ModelSpec& spec = config.network.spec;
  pm::Graph& graph = config.network.graph;
  const int wanted = pm::input_channels(spec);
  for (const pm::Port& port : std::vector<pm::Port>(graph.inputs)) {
    const std::string name(pm::name_text(graph, port.name));
    const auto is_image = [&](const pm::InputSpec& input) {
      return input.name == name && input.role == pm::InputRole::image;
    };
    const int has = pm::channels(graph, {port.value});
    if (has == wanted || std::none_of(spec.inputs.begin(), spec.inputs.end(), is_image)) continue;
    if (!config.network_source.is_string()) {
      const bool other_frames = spec.frames != config.network_spec.frames;
      pm::fail<pm::UsageError>({.where = where + (other_frames ? ".model.frames" : ".model.colour_order"),
                                .expected = (other_frames ? "frames of " : "an order of ") + std::to_string(has) +
                                            (has == 1 ? " channel" : " channels") + ", as the network's input has",
                                .got = other_frames ? pm::frames_text(spec.frames) : spec.colour_order,
                                .remedy = "say \"channels\": " + std::to_string(wanted) + " in its Input"});
    }
    pm::set_input_channels(graph, name, wanted);
  }
}

bool says_flip_average(const Json& network) {
  return network.is_object() && network.contains("meaning") && network["meaning"].contains("decoder") &&
         network["meaning"]["decoder"].contains("flip_average");
}

// `knows_joints`: false where the joints of a network that leaves them open are yet to be asked of the data.
TrainConfig read_config(const Json& json, const std::string& where, const Context& context, bool knows_joints = true) {
  pm::reject_unknown_keys<pm::UsageError>(json, known_keys, where);
  TrainConfig config;
  if (json.contains("init")) {
    const std::string init = pm::string_member<pm::UsageError>(json, "init", where);
    if (!init.empty()) config.init = std::filesystem::absolute(init).lexically_normal().string();
  }
  if (json.contains("from")) {
    const std::string from = pm::string_member<pm::UsageError>(json, "from", where);
    if (!from.empty()) config.from = std::filesystem::absolute(from).lexically_normal().string();
    if (!from.empty() && !config.init.empty()) {
      pm::fail<pm::UsageError>({.where = where + ".from",
                                .expected = "either init or from",
                                .got = "both",
                                .remedy = "from has all weights; init takes those that fit"});
    }
  }
  if (json.contains("network")) config.network_source = json["network"];
  config.network = find_network(config.network_source, where + ".network", context);
  config.network_spec = config.network.spec;
  const Json none = Json::object();
  const auto part = [&](const char* key) -> const Json& { return json.contains(key) ? json.at(key) : none; };
  config.data = read_data(part("data"), where, context);
  if (json.contains("images")) {
    config.images = absolute_path(pm::string_member<pm::UsageError>(json, "images", where));
    pm::write_json<pm::UsageError>(config.images, "images");
  }
  if (json.contains("validation")) config.validation = read_validation(json, where, config.data, context);
  if (json.contains("labels")) config.labels = read_labels_list(json.at("labels"), config.data, where);
  if (json.contains("allow_missing"))
    config.allow_missing = pm::boolean_member<pm::UsageError>(json, "allow_missing", where);
  if (json.contains("joints")) {
    config.joints = pm::joint_set_to_json(pm::joint_set_from_some_json(json["joints"], where + ".joints"));
    adopt_joints(config, where);
  }
  if (knows_joints) check_maps(config, where);
  pm::ModelSpec& spec = config.network.spec;
  // Training mirrors half of the images: the answer for the mirror image is as good.
  if (!says_flip_average(config.network_source)) spec.decoder.flip_average = true;
  spec = spec_from_options(part("model"), where + ".model", spec, context);
  adopt_channels(config, where);
  pm::TrainOptions options;
  options.workers = default_workers();
  const std::vector<std::size_t> heatmaps = pm::heatmap_outputs(config.network.graph, spec);
  if (pm::has_distributions(config.network.graph, heatmaps)) options.loss = pm::cross_entropy_loss.name;
  config.options = pm::train_options_from_json(part("train"), where + ".train", options, context.train_kinds);
  // A network of heatmaps that is to learn distributions gets them, with peaks of 1 where they equal the targets.
  if (context.train_kinds.losses.get(config.options.loss, where + ".train.loss").of_logits) {
    pm::add_distributions(config.network.graph, spec.sigma_px, heatmaps);
  }
  if (config.options.slice == 0) {  // a run's configuration says what it is
    config.options.slice = pm::engine::default_micro_batch(config.network.graph, config.options.batch);
  }
  try {
    pm::infer_sizes(config.network.graph, {spec.input_height, spec.input_width});
  } catch (const pm::ModelError& error) {  // the network is right, the option is not
    throw pm::UsageError(where + ".model.input_height, input_width: " + error.what());
  }
  return config;
}

// Every key that can be set, in the form "train.rate": all that is read, whether or not it is written where it is empty.
std::vector<std::string> known_settings() {
  std::vector<std::string> known{"network", "data", "images", "validation", "labels", "allow_missing", "init", "from"};
  for (const std::string& key : known_model_options()) known.push_back("model." + key);
  for (const std::string& key : pm::train_option_names()) known.push_back("train." + key);
  return known;
}

void apply_setting(Json& json, const std::string& setting, const std::vector<std::string>& known) {
  const std::size_t equals = setting.find('=');
  const std::string key = setting.substr(0, equals);
  if (equals == std::string::npos) {
    pm::fail<pm::UsageError>(
        {.where = "--set", .expected = "KEY=VALUE, as in train.rate=1e-3", .got = "\"" + setting + "\""});
  }
  if (std::find(known.begin(), known.end(), key) == known.end()) {
    const auto ends =
        std::find_if(known.begin(), known.end(), [&](const std::string& each) { return each.ends_with("." + key); });
    pm::fail<pm::UsageError>(
        {.where = "--set",
         .expected = "a known key",
         .got = "\"" + key + "\"",
         .remedy = ends != known.end() ? "did you mean \"" + *ends + "\"?" : pm::did_you_mean(key, known)});
  }
  const std::string text = setting.substr(equals + 1);
  Json value;
  try {
    value = pm::parse_json<pm::UsageError>(text, "--set " + key);
  } catch (const pm::UsageError&) {
    value = text;  // a word needs no quotes
  }
  // The later spelling of the decoder replaces the earlier one.
  if (key == "model.decoder" && json.contains("model")) json["model"].erase("quarter_offset");
  if (key == "model.quarter_offset" && json.contains("model")) json["model"].erase("decoder");
  const std::size_t dot = key.find('.');
  (dot == std::string::npos ? json[key] : json[key.substr(0, dot)][key.substr(dot + 1)]) = std::move(value);
}

// Everything that was asked for, unresolved; also where it came from, for messages.
Json requested(const TrainRequest& request, std::string& where, const Context& context) {
  Json json = Json::object();
  if (!request.file.empty()) {
    where = request.file;
    pm::JsonLimits limits;
    limits.comments = true;
    limits.depth += 4;  // a network file may stand inside
    json = pm::parse_json<pm::UsageError>(pm::read_file<pm::UsageError>(request.file, 16 << 20), where, limits);
    pm::reject_unknown_keys<pm::UsageError>(json, known_keys, where);
    for (const char* section : {"model", "train"}) {
      if (!json.contains(section) || json[section].is_object()) continue;
      pm::fail<pm::UsageError>(
          {.where = where + "." + section, .expected = "an object", .got = json[section].type_name()});
    }
  }
  const Json in_file = json.contains("network") ? json["network"] : Json();
  const std::vector<std::string> known = known_settings();
  for (const std::string& setting : request.settings) apply_setting(json, setting, known);
  if (!request.network.empty()) json["network"] = request.network;
  if (json.contains("network")) {  // a network file's name is relative to the file that names it
    const bool from_file = json["network"] == in_file && !request.file.empty();
    const std::filesystem::path folder = from_file ? std::filesystem::path(request.file).parent_path() : "";
    json["network"] = whole_network(json["network"], folder, context);
  }
  if (!request.data.empty()) json["data"] = request.data;
  if (!request.images.empty()) json["images"] = request.images;
  if (!request.validation.empty()) json["validation"] = request.validation;
  if (!request.joints.empty()) json["joints"] = joints_json(request.joints);
  if (!request.labels.empty()) json["labels"] = request.labels;
  if (request.allow_missing) json["allow_missing"] = true;
  if (!request.init.empty()) json["init"] = request.init;
  if (json.contains("init") && json["init"].is_string() && !json["init"].get<std::string>().empty()) {
    json["init"] = std::filesystem::absolute(json["init"].get<std::string>()).lexically_normal().string();
  }
  if (!request.from.empty()) json["from"] = request.from;
  if (!request.flip_test.empty()) json["model"]["flip_average"] = request.flip_test == "on";
  return json;
}

std::string kinds_of(const std::vector<std::string>& sources) {
  std::string kinds;
  for (const std::string& each : sources) kinds += (kinds.empty() ? "" : ", ") + each.substr(0, each.find(':'));
  return kinds.empty() ? "none" : kinds;
}

[[noreturn]] void contradiction(const std::string& key, const std::string& has, const std::string& asked) {
  pm::fail<pm::UsageError>({.where = "--resume: " + key,
                            .expected = has + ", as the run has",
                            .got = asked,
                            .remedy = "leave it out, or start another run"});
}

// Networks are the same where names and graphs are, however they were described.
void require_same_network(const std::string& name, const pm::Graph& graph, const pm::NetworkDescription& asked) {
  if (asked.name != name) contradiction("network", name, asked.name);
  const std::string difference = pm::first_difference(graph, asked.graph);
  if (!difference.empty()) contradiction("network", "the graph of " + name, "another one (" + difference + ")");
}

// Whether a configuration's model is asked to see pictures of other channels or bits than `meaning` has.
bool asks_other_pixels(const Json& model, const pm::ModelSpec& spec) {
  const Json& bits = member_or_null(model, "bit_depth");
  const Json& order = member_or_null(model, "colour_order");
  return (!bits.is_null() && bits != spec.bit_depth) ||
         (!order.is_null() && (order == "grey") != (spec.colour_order == "grey"));
}

// Keeps what was not asked for as the run had it that left the checkpoint, but for how it was shared among threads. The
// network's own meaning may be another by now: the checkpoint's is written whole.
void inherit(Json& json, const pm::Checkpoint& checkpoint) {
  Json model = all_model_options(checkpoint.model.spec());
  Json train = pm::train_options_to_json(checkpoint.options);
  for (const char* key : {"workers", "loader_workers"}) train.erase(key);
  if (json.contains("model")) {
    const bool names_decoder = json["model"].contains("decoder") || json["model"].contains("quarter_offset");
    for (const char* key : {"decoder", "quarter_offset"}) {
      if (names_decoder) model.erase(key);  // two spellings of one option
    }
    if (asks_other_pixels(json["model"], checkpoint.model.spec())) {
      for (const char* key : {"mean", "scale"}) model.erase(key);  // other pictures have a normalisation of their own
    }
    model.update(json["model"]);
  }
  if (json.contains("train")) train.update(json["train"]);
  json["model"] = std::move(model);
  json["train"] = std::move(train);
}

// A model's options, all of them and in one spelling only, so that they can be compared.
Json comparable_options(const pm::ModelSpec& spec) {
  Json options = all_model_options(spec);
  options.erase("quarter_offset");
  options["decoder"] = spec.decoder.kind;
  return options;
}

// Refuses another meaning of the network, whatever it leaves to defaults.
void require_same_spec(const pm::ModelSpec& spec, const pm::ModelSpec& asked) {
  const auto comparable = [](const pm::ModelSpec& of) {
    Json json = pm::spec_to_json(of);
    json["bit_depth"] = of.bit_depth;
    json["frames"] = of.frames;
    return json;
  };
  const Json has = comparable(spec), wants = comparable(asked);
  const std::optional<std::string> key = first_different_key(has, wants);
  if (!key) return;
  contradiction("network.meaning." + *key, value_text(member_or_null(has, *key)),
                value_text(member_or_null(wants, *key)));
}

bool changes_speed_only(const std::string& key) {
  return std::find(speed_keys.begin(), speed_keys.end(), key) != speed_keys.end();
}

// People who validate and are trained on, too, say nothing of others.
void warn_of_overlap(const TrainingSets& sets, const Context& context) {
  std::set<std::filesystem::path> trained, both;
  for (const pm::Person& person : sets.train) trained.insert(person.image);
  for (const pm::Person& person : sets.validation) {
    if (trained.contains(person.image)) both.insert(person.image);
  }
  if (both.empty()) return;
  context.warn(format("%zu images of validation are trained on, too, %s first: its figures say little of other images",
                      both.size(), both.begin()->c_str()));
}

}  // namespace

std::string describe_settings() {
  std::string words =
      "Keys of --set, and of --config's objects model and train, with their defaults (model's: the network's):\n";
  std::string line;
  const auto add = [&](const std::string& word) {
    if (line.size() + word.size() > 108) {
      words += line + "\n";
      line.clear();
    }
    line += "  " + word;
  };
  for (const std::string& key : known_model_options()) add("model." + key);
  const Json defaults = pm::train_options_to_json({});
  for (const std::string& key : pm::train_option_names()) {
    const Json& value = member_or_null(defaults, key);
    const bool by_machine = key == "workers" || key == "slice" || key == "loss" || value.is_null();
    add("train." + key + (by_machine ? "" : "=" + (value.is_string() ? value.get<std::string>() : value.dump())));
  }
  return words + line + "\n\n";
}

Json config_to_json(const TrainConfig& config) {
  Json json{{"network", config.network_source},
            {"data", config.data},
            {"allow_missing", config.allow_missing},
            {"init", config.init},
            {"model", spec_to_options(config.network.spec, config.network_spec)},
            {"train", pm::train_options_to_json(config.options)}};
  if (!config.from.empty()) json["from"] = config.from;
  if (!config.images.empty()) json["images"] = config.images;
  if (!config.validation.empty()) json["validation"] = config.validation;
  if (!config.joints.is_null()) json["joints"] = config.joints;
  if (!config.labels.empty()) json["labels"] = config.labels;
  return json;
}

TrainConfig config_from_json(const Json& json, const std::string& where, const Context& context) {
  return read_config(json, where, context);
}

TrainConfig new_config(const TrainRequest& request, const Context& context) {
  std::string where(from_arguments);
  Json json = requested(request, where, context);
  if (json.contains("from") && json["from"].is_string() && !json["from"].get<std::string>().empty()) {
    inherit(json, pm::load_checkpoint(json["from"].get<std::string>(), context.ops));
  }
  TrainConfig config = read_config(json, where, context, json.contains("joints"));
  if (!json.contains("validation")) {
    config.validation = usual_validation(config.data, context);
    if (!config.validation.empty()) json["validation"] = config.validation;
  }
  if (json.contains("joints")) return config;
  const Json joints = config.from.empty() ? joints_of_data(config, context) : joints_of_checkpoint(config, context);
  if (!joints.is_null()) json["joints"] = joints;
  return read_config(json, where, context);
}

TrainConfig resumed_config(const TrainRequest& request, const Json& stored, const std::string& where,
                           const pm::Checkpoint& checkpoint, const Context& context) {
  const TrainConfig run = read_config(stored, where, context);
  Json has = config_to_json(run);
  const auto require_kept = [&](const std::string& section, Json configured, Json kept) {
    for (const std::string_view key : speed_keys) {
      configured.erase(std::string(key));
      kept.erase(std::string(key));
    }
    const std::optional<std::string> key = first_different_key(kept, configured);
    if (!key) return;
    pm::fail<pm::UsageError>({.where = where + ": " + section + "." + *key,
                              .expected = value_text(member_or_null(kept, *key)) + ", as in the run's checkpoint",
                              .got = value_text(member_or_null(configured, *key)),
                              .remedy = "config.json of a run is not to be changed"});
  };
  require_kept("model", comparable_options(run.network.spec), comparable_options(checkpoint.model.spec()));
  require_kept("train", has["train"], pm::train_options_to_json(checkpoint.options));
  require_same_network(checkpoint.model.network(), checkpoint.model.graph(), run.network);

  std::string asked_where(from_arguments);
  const Json asked = requested(request, asked_where, context);
  for (const auto& [key, value] : asked.items()) {
    if (key == "network") {
      const pm::NetworkDescription described = find_network(run.network_source, where + ".network", context);
      const pm::NetworkDescription wanted = find_network(value, asked_where + ".network", context);
      require_same_network(described.name, described.graph, wanted);
      require_same_spec(described.spec, wanted.spec);
    } else if (key == "data") {  // the folders may have moved; the checkpoint knows the people
      const std::vector<std::string> data = read_data(value, asked_where, context);
      if (kinds_of(data) != kinds_of(run.data)) contradiction("data", kinds_of(run.data), kinds_of(data));
      has["data"] = data;
    } else if (key == "images" || key == "allow_missing") {  // as data; images may have vanished since
      has[key] = value;
    } else if (key == "validation") {
      const std::vector<std::string> data = has["data"].get<std::vector<std::string>>();
      const std::string asked_for = read_validation(asked, asked_where, data, context);
      const auto form_of = [&](const std::string& text) {
        return is_list_of_images(text, context) ? "a list of images" : kinds_of({text});
      };
      const bool has_share = !run.validation.empty() && share_of_images(run.validation);
      const bool asks_share = !asked_for.empty() && share_of_images(asked_for);
      const bool same = has_share && asks_share
                            ? share_of_images(run.validation) == share_of_images(asked_for)
                            : !has_share && !asks_share && form_of(run.validation) == form_of(asked_for);
      if (!same) contradiction(key, run.validation.empty() ? "none" : run.validation, asked_for);
      if (!asks_share) has["validation"] = asked_for;  // the folder may have moved
    } else if (key == "joints") {
      const Json has_joints = pm::joint_set_to_json(run.network.spec.joints);
      const Json asked_joints = pm::joint_set_to_json(pm::joint_set_from_some_json(value, asked_where + ".joints"));
      if (asked_joints != has_joints) {
        contradiction(key, has_joints["joints"].dump() + " with their pairs and limbs",
                      asked_joints["joints"].dump().substr(0, 100));
      }
    } else if (key == "labels") {  // as data
      const std::vector<std::string> labels = read_labels_list(value, run.data, asked_where);
      if (kinds_of(labels) != kinds_of(run.labels)) contradiction("labels", kinds_of(run.labels), kinds_of(labels));
      if (!labels.empty()) has["labels"] = labels;
    } else if (value.is_object() && key == "train") {
      // Compared as they are understood: in another order, with defaults left out, they are the same.
      Json merged = has[key];
      merged.update(value);
      pm::TrainOptions options = pm::train_options_from_json(merged, asked_where + ".train", {}, context.train_kinds);
      if (options.slice == 0) options.slice = run.options.slice;
      const Json resolved = pm::train_options_to_json(options);
      for (const auto& [option, wanted] : value.items()) {
        const Json& kept = member_or_null(has[key], option);
        if (!changes_speed_only(option) && kept != member_or_null(resolved, option)) {
          contradiction(key + "." + option, value_text(kept), wanted.dump());
        }
        if (resolved.contains(option)) has[key][option] = resolved[option];
      }
    } else if (value.is_object() && key == "model") {
      const std::string& kind = run.network.spec.decoder.kind;
      const std::string asked_kind = decoder_from_options(value, asked_where + ".model", kind, context);
      if (asked_kind != kind) contradiction("model.decoder", kind, asked_kind);
      const Json kept = comparable_options(run.network.spec);
      const Json resolved =
          comparable_options(spec_from_options(value, asked_where + ".model", run.network.spec, context));
      for (const auto& [option, wanted] : value.items()) {
        if (option == "decoder" || option == "quarter_offset") continue;
        const Json& kept_value = member_or_null(kept, option);
        if (member_or_null(resolved, option) != kept_value) {
          contradiction(key + "." + option, value_text(kept_value), wanted.dump());
        }
      }
    } else if (member_or_null(has, key) != value) {
      contradiction(key, value_text(member_or_null(has, key)), value.dump());
    }
  }
  return read_config(has, asked_where, context);
}

TrainingSets read_sets(const TrainConfig& config, const Context& context) {
  TrainingSets sets;
  const pm::JointSet& joints = config.network.spec.joints;
  const auto read_source = [&](const pm::DataSource& source) {
    pm::Annotations annotations = context.data_sets.read(source, options_of(config, source, context));
    const std::string words = left_out_words(annotations);
    if (!words.empty()) sets.left_out.push_back(pm::to_string(source) + ": " + words);
    return annotations;
  };
  // Validation keeps the data's own joints, whatever labels are trained on.
  struct People {
    std::vector<pm::Person> labelled;
    std::vector<pm::Person> own;
  };
  const auto read_both = [&](const pm::DataSource& source) {
    pm::Annotations annotations = read_source(source);
    People people;
    people.own = pm::people_with_joints(annotations, joints, pm::to_string(source));
    for (const std::string& labels : config.labels) {
      LabelsSource other = parse_labels(labels);
      if (other.kind != source.kind) continue;
      other.options.image_count =
          source.kind == "lsp" ? pm::lsp_image_count(source.path) : pm::lspet_image_count(source.path);
      pm::apply_labels(annotations.people, pm::read_labels(other.file, other.options));  // of the data set's joints
    }
    people.labelled = pm::people_with_joints(annotations, joints, pm::to_string(source));
    return people;
  };
  std::map<std::string, People> read;
  std::vector<pm::Person> own;          // sets.train's people with their own joints
  std::optional<pm::DataSource> usual;  // for validation
  bool lspet_alone = true;              // noisy: for training only
  for (const std::string& each : config.data) {
    if (!read.contains(each)) {
      pm::DataSource source = absolute_source(each, context);
      lspet_alone = lspet_alone && source.kind == "lspet";
      if (source.kind == "lsp" && source.part.empty() && pm::has_lsp_parts(source.path)) {
        source.part = "train";
        if (!usual) usual = pm::DataSource{source.kind, source.path, "val"};
      }
      read[each] = read_both(source);
    }
    const People& people = read[each];
    sets.train.insert(sets.train.end(), people.labelled.begin(), people.labelled.end());
    own.insert(own.end(), people.own.begin(), people.own.end());
  }
  const std::optional<double> share = config.validation.empty() ? std::nullopt : share_of_images(config.validation);
  if (is_list_of_images(config.validation, context)) {
    const pm::ListedImages listed = pm::read_image_list(config.validation, own);
    if (listed.images.empty()) {
      pm::fail<pm::DataError>(
          {.where = config.validation,
           .expected = "names of images of the data, one per line",
           .got = listed.unknown.empty() ? "none" : "\"" + listed.unknown.front() + "\" and no other"});
    }
    if (!listed.unknown.empty()) {
      context.warn(format("%s: %zu lines name no image of the data with people on it, \"%s\" first",
                          config.validation.c_str(), listed.unknown.size(), listed.unknown.front().c_str()));
    }
    const auto is_listed = [&](const pm::Person& person) { return listed.images.contains(person.image); };
    std::copy_if(own.begin(), own.end(), std::back_inserter(sets.validation), is_listed);
    std::erase_if(sets.train, is_listed);
  } else if (!config.validation.empty() && !share) {
    const pm::DataSource source = absolute_source(config.validation, context);
    sets.validation = pm::people_with_joints(read_source(source), joints, pm::to_string(source));
  } else if (!share && usual) {
    sets.validation = pm::people_with_joints(read_source(*usual), joints, pm::to_string(*usual));
  } else {
    constexpr double usual_share = 0.1;
    const double kept_back = share.value_or(lspet_alone ? 0 : usual_share);
    sets.train = pm::split_people(sets.train, kept_back).train;
    sets.validation = pm::split_people(own, kept_back).validation;  // of the same images
  }
  warn_of_overlap(sets, context);
  return sets;
}

std::vector<std::string> describe_labels(const TrainConfig& config, const TrainingSets& sets) {
  std::vector<std::string> lines;
  for (const std::string& labels : config.labels) {
    const LabelsSource source = parse_labels(labels);
    std::size_t whole = 0, less = 0, none = 0;
    for (const pm::Person& person : sets.train) {
      if (person.dataset != source.kind) continue;
      for (const pm::Joint& joint : person.joints) {
        ++(!joint.is_labelled() ? none : joint.weight < 1 ? less : whole);
      }
    }
    const double percent = 100.0 / static_cast<double>(std::max<std::size_t>(1, whole + less + none));
    lines.push_back(format("labels of %s: %s: %s; of their joints %.1f %% weigh 1, %.1f %% less and %.1f %% nothing",
                           source.kind.c_str(), source.file.c_str(), source.options.array.c_str(),
                           percent * static_cast<double>(whole), percent * static_cast<double>(less),
                           percent * static_cast<double>(none)));
  }
  return lines;
}

}  // namespace tool
