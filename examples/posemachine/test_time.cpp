// --flip, --scales and --second-pass.
#include "test_time.hpp"

#include <posemachine/core/error.hpp>
#include <posemachine/inference/estimator.hpp>
#include <posemachine/pose/model_spec.hpp>

#include <charconv>
#include <cmath>
#include <cstddef>
#include <string_view>
#include <system_error>
#include <vector>

namespace pm = posemachine;

namespace tool {

namespace {

[[noreturn]] void refuse_scales(const std::string& text) {
  pm::fail<pm::UsageError>({.where = "--scales",
                            .expected = "numbers with commas between them, or FIRST:STEP:LAST",
                            .got = "\"" + text.substr(0, 60) + "\"",
                            .remedy = "as in --scales 0.7:0.1:1.3"});
}

std::vector<double> parse_numbers(std::string_view text, char between, const std::string& whole) {
  std::vector<double> numbers;
  const char* at = text.data();
  const char* const end = at + text.size();
  for (;;) {
    double number = 0;
    const auto parsed = std::from_chars(at, end, number);
    if (parsed.ec != std::errc{} || !std::isfinite(number)) refuse_scales(whole);
    numbers.push_back(number);
    if (parsed.ptr == end) return numbers;
    if (*parsed.ptr != between) refuse_scales(whole);
    at = parsed.ptr + 1;
  }
}

std::vector<double> parse_scales(const std::string& text) {
  if (text.find(':') == std::string::npos) return parse_numbers(text, ',', text);
  const std::vector<double> range = parse_numbers(text, ':', text);
  if (range.size() != 3 || !(range[1] > 0) || range[2] < range[0] || (range[2] - range[0]) / range[1] > 1000) {
    refuse_scales(text);
  }
  std::vector<double> scales;
  // Rounded, so that 0.7 + 3 * 0.1 is 1 and 0.7:0.1:1.3 has its last scale.
  const auto steps = static_cast<int>(std::floor((range[2] - range[0]) / range[1] + 1e-6));
  for (int i = 0; i <= steps; ++i) scales.push_back(std::round((range[0] + i * range[1]) * 1e9) / 1e9);
  return scales;
}

}  // namespace

void add_test_time_options(CLI::App& command, TestTimeArguments& arguments) {
  command
      .add_option("--flip", arguments.flip,
                  "Average the maps with those of the mirrored photo, at twice the time; default: as the model says")
      ->check(CLI::IsMember({"on", "off"}));
  command
      .add_option("--scales", arguments.scales,
                  "Average the maps over people shown in several sizes, as in 0.7:0.1:1.3 or 0.8,1,1.2: the time of\n"
                  "one for each; default: 1, the size that the model was trained with")
      ->option_text("FIRST:STEP:LAST");
  command.add_flag("--second-pass", arguments.second_pass,
                   "Look again around the joints that were found, given boxes included, at twice the time; where\n"
                   "hardly any were found, the first look counts");
}

void apply(const TestTimeArguments& arguments, pm::EstimatorOptions& options) {
  if (!arguments.flip.empty()) options.flip_average = arguments.flip == "on";
  if (arguments.second_pass) options.second_pass = pm::SecondPass{};
  if (!arguments.scales.empty()) options.scales = parse_scales(arguments.scales);
  try {
    pm::check(options);
  } catch (const pm::UsageError& error) {
    throw pm::UsageError(std::string("--") + error.what());
  }
}

pm::Json test_time_to_json(const pm::EstimatorOptions& options) {
  pm::Json json = pm::Json::object();
  if (options.flip_average) json["flip_average"] = *options.flip_average;
  if (options.decoder) json["decoder"] = options.decoder->name;
  if (options.scales != std::vector<double>{1}) json["scales"] = options.scales;
  if (options.second_pass) {
    json["second_pass"] = {{"min_score", options.second_pass->min_score},
                           {"min_joints", options.second_pass->min_joints}};
  }
  return json;
}

}  // namespace tool
