// The definitions of engine/tuning_file.hpp.
#pragma once

#include <posemachine/engine/tuning_file.hpp>

#include <posemachine/base/files.hpp>
#include <posemachine/base/json.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/engine/processor.hpp>
#include <posemachine/graph/ops/convolution.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

namespace detail {

inline constexpr std::string_view tuning_format = "posemachine-tuning";

inline constexpr std::array<std::string_view, schedule::convolution_methods.size()> method_keys{
    "direct_ns", "winograd_ns", "channels_last_ns"};

// The members of a case, each with its name and range.
struct CaseField {
  std::string_view key;
  int schedule::ConvolutionCase::* member;
  int low;
  int high;
};

inline constexpr std::array case_fields{
    CaseField{"in", &schedule::ConvolutionCase::in, 1, 65536},
    CaseField{"out", &schedule::ConvolutionCase::out, 1, 65536},
    CaseField{"kernel", &schedule::ConvolutionCase::kernel, 1, 63},
    CaseField{"stride", &schedule::ConvolutionCase::stride, 1, 16},
    CaseField{"dilation", &schedule::ConvolutionCase::dilation, 1, 64},
    CaseField{"padding", &schedule::ConvolutionCase::padding, 0, 4096},
    CaseField{"groups", &schedule::ConvolutionCase::groups, 1, 65536},
    CaseField{"height", &schedule::ConvolutionCase::height, 1, 65536},
    CaseField{"width", &schedule::ConvolutionCase::width, 1, 65536},
};

POSEMACHINE_INLINE std::vector<std::string> entry_keys() {
  std::vector<std::string> keys{"threads"};
  for (const CaseField& field : case_fields) keys.emplace_back(field.key);
  keys.insert(keys.end(), method_keys.begin(), method_keys.end());
  return keys;
}

// What times depend on, besides the work itself.
POSEMACHINE_INLINE Json measured_on() {
  Json json;
  json["instructions"] = instruction_set();
  json["onednn"] = onednn_version();
  return json;
}

}  // namespace detail

POSEMACHINE_INLINE std::string tuning_text(const schedule::CostModel& costs) {
  Json json;
  json["format"] = detail::tuning_format;
  json["version"] = 1;
  json["measured_on"] = detail::measured_on();
  json["convolutions"] = Json::array();
  for (const auto& [key, times] : costs.measured()) {
    Json entry;
    entry["threads"] = key.threads;
    for (const detail::CaseField& field : detail::case_fields) entry[std::string(field.key)] = key.which.*field.member;
    for (std::size_t i = 0; i < times.size(); ++i) {
      entry[std::string(detail::method_keys[i])] = std::isfinite(times[i]) ? Json(std::round(times[i])) : Json();
    }
    json["convolutions"].push_back(std::move(entry));
  }
  return write_json(json, "tuning", 1) + "\n";
}

POSEMACHINE_INLINE schedule::CostModel parse_tuning(std::string_view text, const std::string& where) {
  const Json json = parse_json(text, where);
  if (!json.is_object() || !json.contains("format") || json["format"] != detail::tuning_format) {
    fail<DataError>({.where = where,
                     .expected = "a tuning file (format \"" + std::string(detail::tuning_format) + "\")",
                     .got = posemachine::detail::json_excerpt(json),
                     .remedy = "posemachine tune writes them"});
  }
  reject_unknown_keys(json, {"format", "version", "measured_on", "convolutions"}, where);
  integer_member(json, "version", where, 1, 1);
  if (const Json& measured = member(json, "measured_on", where); measured != detail::measured_on()) {
    fail<DataError>(
        {.where = where,
         .expected = "times measured on " + posemachine::detail::json_excerpt(detail::measured_on()) + ", as here",
         .got = posemachine::detail::json_excerpt(measured),
         .remedy = "measure here, into another file: posemachine tune NET -o FILE"});
  }
  schedule::CostModel costs;
  const Json& list = array_member(json, "convolutions", where);
  for (std::size_t n = 0; n < list.size(); ++n) {
    const std::string place = where + ".convolutions[" + std::to_string(n) + "]";
    reject_unknown_keys(list[n], detail::entry_keys(), place);
    schedule::ConvolutionCase which;
    for (const detail::CaseField& field : detail::case_fields) {
      which.*field.member = static_cast<int>(integer_member(list[n], field.key, place, field.low, field.high));
    }
    schedule::MethodTimes times{};
    for (std::size_t i = 0; i < times.size(); ++i) {
      const bool never = i > 0 && member(list[n], detail::method_keys[i], place).is_null();
      times[i] = never ? schedule::CostModel::never : number_member(list[n], detail::method_keys[i], place, 0, 1e15);
    }
    const auto threads = static_cast<int>(integer_member(list[n], "threads", place, 1, 1024));
    if (costs.measured().contains({which, threads})) {
      fail<DataError>({.where = place, .expected = "each convolution once", .got = "one that stands above"});
    }
    costs.set(which, threads, times);
  }
  return costs;
}

POSEMACHINE_INLINE schedule::CostModel read_tuning(const std::filesystem::path& path) {
  constexpr std::uint64_t most_bytes = std::uint64_t{16} << 20;
  return parse_tuning(read_file<DataError>(path, most_bytes), path.string());
}

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
