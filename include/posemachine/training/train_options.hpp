// The options of a training run, and their JSON form.
#pragma once

#include <posemachine/base/json.hpp>
#include <posemachine/base/named_rows.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/data/augment.hpp>
#include <posemachine/training/optimizers/optimizer_kind.hpp>
#include <posemachine/training/parameter_groups.hpp>
#include <posemachine/training/train_kinds.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// What becomes of a step whose loss or gradient is not finite, or too large to be squared.
enum class NotFinite {
  stop,  // the run ends with an error
  skip,  // the step changes nothing; after FiniteGuard::most_skipped_in_a_row of them the run ends
  lower  // nor does it here, and all later rates are halved
};

/// How an output besides the heatmaps is trained.
struct OutputOptions {
  std::string output{};                // its name
  std::string loss = "squared_error";  // a row of LossKinds
  double weight = 1;                   // times its loss, beside the stages'; 0: it is not trained and needs no role
};

/// Everything that decides what a run computes, and how fast.
struct TrainOptions {
  std::uint64_t seed = 1;  // of weights, order, augmentation and dropout
  int epochs = 30;
  int batch = 32;                      // images a step
  int slice = 0;                       // images computed together; batch norm's statistics are those of a slice; 0:
                                       // default_micro_batch() of the network
  bool recompute = false;              // compute some maps twice instead of keeping them: less memory, more time
  int workers = 2;                     // threads that compute slices: the bytes do not depend on them
  int loader_workers = 1;              // threads that prepare batches ahead
  int cache_mb = 512;                  // 10^6 bytes of decoded photographs kept by each rank, see PictureCache; 0: none
  std::string loss = "squared_error";  // a row of LossKinds
  std::vector<OutputOptions> outputs{};  // those not named here are trained as OutputOptions has it
  OptimizerOptions optimizer;
  double rate = 2e-3;               // the base learning rate
  std::string schedule = "cosine";  // a row of RateSchedules
  int warmup_steps = 200;
  double final_fraction = 0.01;   // of the base rate, at the end: of a cosine, or of a constant rate's cool-down
  int cooldown_epochs = 0;        // constant schedule: the last epochs, in which the rate falls linearly
  int rate_step_epochs = 10;      // step schedule: every so many epochs ...
  double rate_step_factor = 0.1;  // ... times this; also what a plateau makes of the rate
  int plateau_epochs = 5;         // plateau schedule: the rate is lowered after so many epochs without a better one
  std::vector<ParameterGroup> groups{};       // parameters with rates of their own; the first that matches counts
  double clip_norm = 0;                       // longest gradient; longer ones are cut to it; 0: none is
  double average_decay = 0;                   // of the moving average of weights, as 0.999; 0: none is kept
  NotFinite on_not_finite = NotFinite::stop;  // what a loss or gradient that is not finite leads to
  bool augment = true;
  AugmentOptions augmentation;
  bool mask_unlabelled = true;  // unlabelled joints say nothing; false: zero targets, as CPM
  int checkpoint_steps = 500;   // steps between checkpoints; one is written at the end of each epoch too
  int validate_epochs = 1;      // epochs between validations; the last epoch is always validated
  int stop_epochs = 0;          // ends the run after so many epochs without a better one; 0: never
  int keep_checkpoints = 0;     // of the latest epochs, besides the last and the best
  int log_steps = 10;           // steps between numbers in TensorBoard's file; 0: no such file
  int pictures = 2;             // people drawn at each validation, in TensorBoard's file and pictures/
};

namespace detail {

inline constexpr std::array<std::string_view, 3> not_finite_names{"stop", "skip", "lower"};

// One description of all options: number(key, value, low, high), flag(key, value), choice(key, value, names) for words,
// row(key, value) for the names of rows, groups(key, value), outputs(key, value).
template <class Options, class Visitor>
void visit_train_options(Options& o, Visitor&& v) {
  v.number("seed", o.seed, 0, 9e15);
  v.number("epochs", o.epochs, 1, 100000);
  v.number("batch", o.batch, 1, 4096);
  v.number("slice", o.slice, 0, 4096);
  v.flag("recompute", o.recompute);
  v.number("workers", o.workers, 1, 256);
  v.number("loader_workers", o.loader_workers, 1, 256);
  v.number("cache_mb", o.cache_mb, 0, 1e6);
  v.row("loss", o.loss);
  v.outputs("outputs", o.outputs);
  v.row("optimizer", o.optimizer.kind);
  v.number("weight_decay", o.optimizer.weight_decay, 0, 1);
  v.flag("decay_vectors", o.optimizer.decay_vectors);
  v.number("momentum", o.optimizer.momentum, 0, 0.9999);
  v.number("rho", o.optimizer.rho, 0, 0.999999);
  v.number("beta1", o.optimizer.beta1, 0, 0.999999);
  v.number("beta2", o.optimizer.beta2, 0, 0.999999);
  v.number("epsilon", o.optimizer.epsilon, 1e-12, 1);
  v.number("rate", o.rate, 0, 100);
  v.row("schedule", o.schedule);
  v.number("warmup_steps", o.warmup_steps, 0, 1e7);
  v.number("final_fraction", o.final_fraction, 0, 1);
  v.number("cooldown_epochs", o.cooldown_epochs, 0, 100000);
  v.number("rate_step_epochs", o.rate_step_epochs, 1, 1e6);
  v.number("rate_step_factor", o.rate_step_factor, 0, 1);
  v.number("plateau_epochs", o.plateau_epochs, 1, 100000);
  v.groups("groups", o.groups);
  v.number("clip_norm", o.clip_norm, 0, 1e30);
  v.number("average_decay", o.average_decay, 0, 0.999999);
  v.choice("on_not_finite", o.on_not_finite, not_finite_names);
  v.flag("augment", o.augment);
  v.number("rotation_deg", o.augmentation.rotation_deg, 0, 180);
  v.number("scale_min", o.augmentation.scale_min, 0.05, 20);
  v.number("scale_max", o.augmentation.scale_max, 0.05, 20);
  v.number("flip", o.augmentation.flip_probability, 0, 1);
  v.number("shift", o.augmentation.shift, 0, 1);
  v.number("brightness", o.augmentation.brightness, 0, 1);
  v.number("contrast", o.augmentation.contrast, 0, 1);
  v.number("colour", o.augmentation.colour, 0, 1);
  v.number("turn", o.augmentation.turn_probability, 0, 1);
  v.number("close_up", o.augmentation.close_up_probability, 0, 1);
  v.number("cutout", o.augmentation.cutout_probability, 0, 1);
  v.flag("mask_unlabelled", o.mask_unlabelled);
  v.number("checkpoint_steps", o.checkpoint_steps, 1, 1e9);
  v.number("validate_epochs", o.validate_epochs, 1, 100000);
  v.number("stop_epochs", o.stop_epochs, 0, 100000);
  v.number("keep_checkpoints", o.keep_checkpoints, 0, 100000);
  v.number("log_steps", o.log_steps, 0, 1e9);
  v.number("pictures", o.pictures, 0, 1000);
}

struct TrainOptionsWriter {
  Json json = Json::object();
  template <class T>
  void number(const char* key, const T& value, double, double) {
    json[key] = value;
  }
  void flag(const char* key, bool value) { json[key] = value; }
  template <class Enum, std::size_t N>
  void choice(const char* key, Enum value, const std::array<std::string_view, N>& names) {
    json[key] = names[static_cast<std::size_t>(value)];
  }
  void row(const char* key, const std::string& name) { json[key] = name; }
  // Only where there are any: most networks have heatmaps alone.
  void outputs(const char* key, const std::vector<OutputOptions>& outputs);
  void groups(const char* key, const std::vector<ParameterGroup>& groups);
};

struct TrainOptionsReader {
  const Json& json;
  std::string where;
  std::vector<std::string> known{};

  bool has(const char* key);
  template <class T>
  void number(const char* key, T& value, double low, double high) {
    if (!has(key)) return;
    if constexpr (std::is_floating_point_v<T>) {
      value = number_member<UsageError>(json, key, where, low, high);
    } else {
      value = static_cast<T>(integer_member<UsageError>(json, key, where, static_cast<std::int64_t>(low),
                                                        static_cast<std::int64_t>(high)));
    }
  }
  void flag(const char* key, bool& value);
  template <class Enum, std::size_t N>
  void choice(const char* key, Enum& value, const std::array<std::string_view, N>& names) {
    if (!has(key)) return;
    const std::string word = string_member<UsageError>(json, key, where);
    std::vector<std::string> words;
    for (std::size_t i = 0; i < N; ++i) {
      words.emplace_back(names[i]);
      if (names[i] == word) {
        value = static_cast<Enum>(i);
        return;
      }
    }
    std::string list;
    for (const std::string& each : words) list += (list.empty() ? "" : ", ") + each;
    fail<UsageError>({.where = where + "." + key,
                      .expected = "one of " + list,
                      .got = word.substr(0, 40),
                      .remedy = did_you_mean(word.substr(0, 40), words)});
  }
  void row(const char* key, std::string& name);
  void outputs(const char* key, std::vector<OutputOptions>& outputs);
  void groups(const char* key, std::vector<ParameterGroup>& groups);
};

// All but what the options name.
TrainOptions read_train_options(const Json& json, const std::string& where, TrainOptions options);

// For a name that no row has.
inline constexpr const char* own_rows_remedy = "a user's own is known only to a program that brings it (TrainKinds)";

}  // namespace detail

Json train_options_to_json(const TrainOptions& options);

/// The names of all options in their JSON form, those included that are not written while they are empty.
std::vector<std::string> train_option_names();

/// Errors: UsageError for a loss, optimiser or schedule that is none of `kinds`, and for a cool-down that the schedule
/// does not have.
void check_names(const TrainOptions& options, const TrainKinds& kinds, const std::string& where);

/// Options from a JSON object; keys that are absent keep the values of `options`.
/// Errors: UsageError naming the key, for unknown keys ("did you mean"), values out of range and pairs that do not fit;
/// as check_names.
TrainOptions train_options_from_json(const Json& json, const std::string& where, TrainOptions options = {},
                                     const TrainKinds& kinds = {});

/// Errors: UsageError naming the option, as train_options_from_json.
void check(const TrainOptions& options, const TrainKinds& kinds = {});

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/training/train_options.ipp>
#endif
