// The definitions of training/train_options.hpp.
#pragma once

#include <posemachine/training/train_options.hpp>

#include <posemachine/training/schedules/rate_schedule.hpp>

#include <utility>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

POSEMACHINE_INLINE void TrainOptionsWriter::outputs(const char* key, const std::vector<OutputOptions>& outputs) {
  for (const OutputOptions& each : outputs) {
    json[key].push_back({{"output", each.output}, {"loss", each.loss}, {"weight", each.weight}});
  }
}

POSEMACHINE_INLINE void TrainOptionsWriter::groups(const char* key, const std::vector<ParameterGroup>& groups) {
  json[key] = Json::array();
  for (const ParameterGroup& group : groups) {
    Json entry = {{"match", group.match}, {"rate", group.rate}};
    if (group.weight_decay != -1) entry["weight_decay"] = group.weight_decay;
    json[key].push_back(std::move(entry));
  }
}

POSEMACHINE_INLINE bool TrainOptionsReader::has(const char* key) {
  known.emplace_back(key);
  return json.contains(key);
}

POSEMACHINE_INLINE void TrainOptionsReader::flag(const char* key, bool& value) {
  if (has(key)) value = boolean_member<UsageError>(json, key, where);
}

POSEMACHINE_INLINE void TrainOptionsReader::row(const char* key, std::string& name) {
  if (has(key)) name = string_member<UsageError>(json, key, where);
}

POSEMACHINE_INLINE void TrainOptionsReader::outputs(const char* key, std::vector<OutputOptions>& outputs) {
  if (!has(key)) return;
  outputs.clear();
  for (const Json& entry : array_member<UsageError>(json, key, where)) {
    const std::string at = where + "." + key + "[" + std::to_string(outputs.size()) + "]";
    if (!entry.is_object()) {
      fail<UsageError>(
          {.where = at, .expected = R"(an object, as {"output": "mask", "weight": 0.5})", .got = entry.type_name()});
    }
    reject_unknown_keys<UsageError>(entry, {"output", "loss", "weight"}, at);
    OutputOptions output{.output = string_member<UsageError>(entry, "output", at)};
    if (entry.contains("loss")) output.loss = string_member<UsageError>(entry, "loss", at);
    if (entry.contains("weight")) output.weight = number_member<UsageError>(entry, "weight", at, 0, 1e6);
    outputs.push_back(std::move(output));
  }
}

POSEMACHINE_INLINE void TrainOptionsReader::groups(const char* key, std::vector<ParameterGroup>& groups) {
  if (!has(key)) return;
  groups.clear();
  for (const Json& entry : array_member<UsageError>(json, key, where)) {
    const std::string at = where + "." + key + "[" + std::to_string(groups.size()) + "]";
    if (!entry.is_object()) {
      fail<UsageError>(
          {.where = at, .expected = R"(an object, as {"match": "*.bias", "rate": 2})", .got = entry.type_name()});
    }
    reject_unknown_keys<UsageError>(entry, {"match", "rate", "weight_decay"}, at);
    ParameterGroup group{.match = string_member<UsageError>(entry, "match", at)};
    if (entry.contains("rate")) group.rate = number_member<UsageError>(entry, "rate", at, 0, 1e6);
    if (entry.contains("weight_decay")) {
      group.weight_decay = number_member<UsageError>(entry, "weight_decay", at, 0, 1);
    }
    groups.push_back(std::move(group));
  }
}

POSEMACHINE_INLINE TrainOptions read_train_options(const Json& json, const std::string& where, TrainOptions options) {
  if (!json.is_object()) fail<UsageError>({.where = where, .expected = "an object", .got = json.type_name()});
  TrainOptionsReader reader{json, where};
  visit_train_options(options, reader);
  reject_unknown_keys<UsageError>(json, reader.known, where);
  if (options.slice > 0 && options.batch % options.slice != 0) {
    fail<UsageError>({.where = where + ".batch",
                      .expected = "a multiple of the slice, " + std::to_string(options.slice),
                      .got = std::to_string(options.batch)});
  }
  if (options.augmentation.scale_min > options.augmentation.scale_max) {
    fail<UsageError>({.where = where + ".scale_min",
                      .expected = "at most scale_max, " + Json(options.augmentation.scale_max).dump(),
                      .got = Json(options.augmentation.scale_min).dump()});
  }
  return options;
}

}  // namespace detail

POSEMACHINE_INLINE Json train_options_to_json(const TrainOptions& options) {
  detail::TrainOptionsWriter writer;
  detail::visit_train_options(options, writer);
  return writer.json;
}

POSEMACHINE_INLINE std::vector<std::string> train_option_names() {
  const Json none = Json::object();
  TrainOptions options;
  detail::TrainOptionsReader reader{none, ""};
  detail::visit_train_options(options, reader);
  return reader.known;
}

POSEMACHINE_INLINE void check_names(const TrainOptions& options, const TrainKinds& kinds, const std::string& where) {
  kinds.losses.get(options.loss, where + ".loss", detail::own_rows_remedy);
  for (std::size_t i = 0; i < options.outputs.size(); ++i) {
    kinds.losses.get(options.outputs[i].loss, where + ".outputs[" + std::to_string(i) + "].loss",
                     detail::own_rows_remedy);
  }
  kinds.optimizers.get(options.optimizer.kind, where + ".optimizer", detail::own_rows_remedy);
  const RateSchedule& schedule = kinds.schedules.get(options.schedule, where + ".schedule", detail::own_rows_remedy);
  if (options.cooldown_epochs == 0 || schedule.cools_down) return;
  std::string cooling;
  for (const RateSchedule& each : kinds.schedules.all()) {
    if (each.cools_down) cooling += (cooling.empty() ? "" : ", ") + std::string(each.name);
  }
  fail<UsageError>({.where = where + ".cooldown_epochs",
                    .expected = "0 but for the schedule " + cooling,
                    .got = std::to_string(options.cooldown_epochs)});
}

POSEMACHINE_INLINE TrainOptions train_options_from_json(const Json& json, const std::string& where,
                                                        TrainOptions options, const TrainKinds& kinds) {
  options = detail::read_train_options(json, where, std::move(options));
  check_names(options, kinds, where);
  return options;
}

POSEMACHINE_INLINE void check(const TrainOptions& options, const TrainKinds& kinds) {
  train_options_from_json(train_options_to_json(options), "options", {}, kinds);
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
