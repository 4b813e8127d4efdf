// The words of --labels, and the list of them in a configuration.
#include "labels_source.hpp"

#include <posemachine/core/error.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <set>
#include <string_view>
#include <system_error>

namespace pm = posemachine;

namespace tool {

LabelsSource parse_labels(const std::string& text) {
  const auto refuse = [&text](const std::string& remedy = "") {
    pm::fail<pm::UsageError>({.where = "labels",
                              .expected = "KIND:FILE.mat[:NAME][:score=T], KIND lsp or lspet, T from 0 to 1",
                              .got = "\"" + text + "\"",
                              .remedy = remedy});
  };
  LabelsSource source;
  const std::size_t colon = text.find(':');
  source.kind = text.substr(0, colon);
  if (colon == std::string::npos) refuse();
  if (source.kind != "lsp" && source.kind != "lspet") refuse(pm::did_you_mean(source.kind, {"lsp", "lspet"}));
  std::string rest = text.substr(colon + 1);
  const std::size_t score = rest.rfind(":score=");
  if (score != std::string::npos) {
    const std::string digits = rest.substr(score + 7);
    double threshold = -1;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), threshold);
    const bool whole = read.ec == std::errc{} && read.ptr == digits.data() + digits.size();
    if (!whole || !(threshold >= 0 && threshold <= 1)) refuse();
    source.options.score_threshold = threshold;
    rest.erase(score);
  }
  constexpr std::string_view ending = ".mat";
  const std::size_t named = rest.rfind(".mat:");
  if (named != std::string::npos) {
    source.options.array = rest.substr(named + ending.size() + 1);
    rest.erase(named + ending.size());
  }
  if (!rest.ends_with(ending) || source.options.array.empty()) refuse();
  source.file = std::filesystem::absolute(rest).lexically_normal().string();
  return source;
}

std::string labels_text(const LabelsSource& source) {
  const std::string text = source.kind + ":" + source.file + ":" + source.options.array;
  const std::optional<double>& score = source.options.score_threshold;
  return score ? text + ":score=" + pm::Json(*score).dump() : text;
}

std::vector<std::string> read_labels_list(const pm::Json& list, const std::vector<std::string>& data,
                                          const std::string& where) {
  std::vector<std::string> labels;
  std::set<std::string> kinds;
  if (!list.is_array()) {
    pm::fail<pm::UsageError>({.where = where + ".labels",
                              .expected = "a list of KIND:FILE.mat[:NAME][:score=T]",
                              .got = list.dump().substr(0, 60)});
  }
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string at = where + ".labels[" + std::to_string(i) + "]";
    if (!list[i].is_string()) {
      pm::fail<pm::UsageError>({.where = at, .expected = "a string", .got = list[i].type_name()});
    }
    const LabelsSource source = parse_labels(list[i].get<std::string>());
    if (!kinds.insert(source.kind).second) {
      pm::fail<pm::UsageError>(
          {.where = at, .expected = "labels of each kind once", .got = source.kind + " a second time"});
    }
    const bool has_data = std::any_of(data.begin(), data.end(),
                                      [&](const std::string& each) { return each.starts_with(source.kind + ":"); });
    if (!has_data) {
      pm::fail<pm::UsageError>({.where = at,
                                .expected = "labels of a data set that is trained on",
                                .got = source.kind + ", of which there is no data",
                                .remedy = "give --data " + source.kind + ":DIR too"});
    }
    labels.push_back(labels_text(source));
  }
  std::sort(labels.begin(), labels.end());  // kinds differ: their order
  return labels;
}

}  // namespace tool
