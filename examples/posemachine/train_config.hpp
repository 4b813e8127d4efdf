// What a training run is made from: network, data, the model's meaning, options; from a file, --set and arguments.
#pragma once

#include "tool.hpp"

#include <posemachine/base/json.hpp>
#include <posemachine/data/person.hpp>
#include <posemachine/model/network_description.hpp>
#include <posemachine/pose/model_spec.hpp>
#include <posemachine/training/checkpoint.hpp>
#include <posemachine/training/train_options.hpp>

#include <string>
#include <vector>

namespace tool {

/// A resolved configuration. Its JSON form is config.json of a run, and can be given as --config of another.
struct TrainConfig {
  posemachine::Json network_source;         // a name of the library's, or a whole description
  posemachine::NetworkDescription network;  // with the meaning that its model will have
  posemachine::ModelSpec network_spec{};    // the network's own, before any option
  // "lsp:DIR", "coco:FILE.json:PART", absolute; one given twice is seen twice an epoch. "lsp:DIR" alone is images 1 to
  // 900, and 901 to 1000 for validation.
  std::vector<std::string> data;
  std::string images{};  // the folder of their images, where the annotation does not tell; absolute, or empty
  // Another data set, a share of the images, as in "0.1", or the path of a list of images; empty: what is usual.
  std::string validation{};
  posemachine::Json joints{};  // the joint set of the data, where it is not the network's own; null: it is
  // "lspet:FILE.mat:NAME" or "lspet:FILE.mat:NAME:score=T", absolute, one per kind at most, in the order of kinds: other
  // joints for that kind's training people.
  std::vector<std::string> labels{};
  bool allow_missing = false;
  std::string init;    // a model file or checkpoint whose matching tensors the run begins with; absolute
  std::string from{};  // a checkpoint that the run goes on from, in a folder of its own; absolute
  posemachine::TrainOptions options;
};

/// What was asked for on the command line.
struct TrainRequest {
  std::string network;  // a name or NET.json; empty: the file's, or the run's that is resumed
  std::vector<std::string> data;
  std::string images;
  std::string validation;
  std::string joints;  // a file
  std::vector<std::string> labels;
  std::string file;                   // of --config
  std::vector<std::string> settings;  // "train.rate=1e-3"
  std::string flip_test;              // "on", "off" or empty
  std::string init;                   // a model file or checkpoint, or empty
  std::string from{};                 // a checkpoint, or empty
  bool allow_missing = false;
};

posemachine::Json config_to_json(const TrainConfig& config);

/// All keys of --set and of --config's objects model and train, in lines for --help: those of train with the defaults,
/// as model's are the network's.
std::string describe_settings();

/// Errors: UsageError naming `where` and the key.
TrainConfig config_from_json(const posemachine::Json& json, const std::string& where, const Context& context);

/// A new run's configuration: defaults, or what the checkpoint has that it goes on from; then the file, then --set, then
/// the other arguments.
/// Errors: UsageError naming file or argument and key, ModelError for a network file.
TrainConfig new_config(const TrainRequest& request, const Context& context);

/// The configuration of a run that goes on. What is asked for must be what the run has, but for what changes its speed
/// alone. Errors: UsageError for a contradiction.
TrainConfig resumed_config(const TrainRequest& request, const posemachine::Json& stored, const std::string& where,
                           const posemachine::Checkpoint& checkpoint, const Context& context);

/// The people to train on and to validate with, with other labels where there are any. For validation: what
/// config.validation says (of YOLO's data by default the val of its own); otherwise LSP's images 901 to 1000 where it is
/// among the data, or a tenth of the images. Errors: DataError for data sets and labels that cannot be used.
struct TrainingSets {
  std::vector<posemachine::Person> train;
  std::vector<posemachine::Person> validation;
  std::vector<std::string> left_out;  // "coco:FILE.json: crowds (3)", of each data set of which something was left out
};
TrainingSets read_sets(const TrainConfig& config, const Context& context);

/// "labels of lspet: FILE.mat: NAME; of their joints 80.1 % weigh 1, 7.5 % less and 12.4 % nothing", for each of
/// config.labels.
std::vector<std::string> describe_labels(const TrainConfig& config, const TrainingSets& sets);

}  // namespace tool
