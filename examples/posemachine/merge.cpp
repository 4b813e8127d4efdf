// posemachine merge: the results of all shares of a run as the one result that the whole run gives.
#include "evaluation_report.hpp"
#include "evaluation_source.hpp"
#include "left_out.hpp"
#include "shard_record.hpp"
#include "tool.hpp"

#include <posemachine/base/digest.hpp>
#include <posemachine/base/files.hpp>
#include <posemachine/base/json.hpp>
#include <posemachine/base/shard.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/inference/evaluate.hpp>
#include <posemachine/pose/joint_set.hpp>
#include <posemachine/pose/model_spec_json.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace pm = posemachine;

namespace tool {

namespace {

struct MergeArguments {
  std::vector<std::string> files;
  std::string output = "-";
  bool json = false;
};

// 4 GiB: the lines of two million images. A file is held in memory.
constexpr std::uint64_t max_file_bytes = std::uint64_t{1} << 32;

// Of a line: it tells of every image that could not be used.
constexpr pm::JsonLimits line_limits{.bytes = std::size_t{1} << 30, .values = 100'000'000};

// The result of one share. A file may hold several, one after the other.
struct Part {
  std::string where;  // for messages: the file
  ShardRecord record;
  std::vector<std::string_view> lines;          // of estimate: one an image, with their ends
  std::map<std::size_t, std::string> problems;  // of estimate: of images without a line, by position in the share
  pm::Json report;                              // of evaluate
};

std::string read_part_file(const std::string& path, const Context& context) {
  return path == "-" ? read_standard_input(context, max_file_bytes) : pm::read_file(path, max_file_bytes);
}

std::string lines_text(std::size_t count) { return std::to_string(count) + (count == 1 ? " line" : " lines"); }

// estimate's lines before the one that says which share they are.
void take_lines(Part& part, const pm::Json& shard, const std::string& where) {
  pm::Digest digest;
  for (const std::string_view line : part.lines) digest.add(line);
  const pm::Json& images = pm::member(pm::member(shard, "run", where), "images", where + ".run");
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
  const auto all = std::size_t(pm::integer_member(images, "count", where + ".run.images", 1, most));
  const std::size_t count = pm::share_size(part.record.shard, all);
  for (const pm::Json& problem : pm::array_member(shard, "problems", where)) {
    const std::string problem_where = where + ".problems[" + std::to_string(part.problems.size()) + "]";
    const auto last = static_cast<std::int64_t>(count) - 1;
    const auto position = std::size_t(pm::integer_member(problem, "position", problem_where, 0, last));
    part.problems[position] = pm::string_member(problem, "text", problem_where);
  }
  const std::size_t expected = count - part.problems.size();
  if (part.lines.size() == expected && digest.text() == pm::string_member(shard, "lines", where)) return;
  pm::fail<pm::DataError>({.where = part.where,
                           .expected = lines_text(expected) + " as shard " + to_string(part.record.shard) + " wrote",
                           .got = part.lines.size() == expected ? "others" : lines_text(part.lines.size()),
                           .remedy = "the file was changed, or two runs wrote to it: run this shard again"});
}

// The parts in a text, which must outlive them.
std::vector<Part> parts_in(std::string_view text, const std::string& where) {
  std::vector<Part> parts;
  std::vector<std::string_view> lines;
  const char* const remedy = "run the shard again if it was stopped; results without --shard are whole already";
  for (std::size_t begin = 0, number = 1; begin < text.size(); ++number) {
    const std::size_t end = std::min(text.find('\n', begin), text.size() - 1) + 1;
    const std::string_view line = text.substr(begin, end - begin);
    begin = end;
    if (line.starts_with("{\"image\":")) {
      lines.push_back(line);
      continue;
    }
    const std::string line_where = where + ", line " + std::to_string(number);
    pm::Json json = pm::parse_json(line, line_where, line_limits);
    if (!json.is_object() || !json.contains("shard")) {
      pm::fail<pm::DataError>(
          {.where = line_where, .expected = "the result of a shard", .got = "one without a shard", .remedy = remedy});
    }
    Part part{where, shard_record_from_json(json["shard"], line_where + ": shard"), std::exchange(lines, {}), {}, {}};
    const std::string command = part.record.run["command"].get<std::string>();
    if (command == "estimate") {
      take_lines(part, json["shard"], line_where + ": shard");
    } else if (command == "evaluate" && part.lines.empty()) {
      part.report = std::move(json);
    } else {
      pm::fail<pm::DataError>({.where = line_where + ": shard.run.command",
                               .expected = part.lines.empty() ? "estimate or evaluate" : "estimate",
                               .got = "\"" + command + "\""});
    }
    parts.push_back(std::move(part));
  }
  if (!lines.empty() || parts.empty()) {
    pm::fail<pm::DataError>({.where = where,
                             .expected = "a last line that says which shard it is",
                             .got = lines.empty() ? "an empty file" : lines_text(lines.size()) + " without one",
                             .remedy = remedy});
  }
  return parts;
}

// A value as a message quotes it, or nothing.
std::string value_text(const pm::Json& run, const std::string& key) {
  return run.contains(key) && (run[key].is_string() || run[key].is_number()) ? run[key].dump() : "";
}

// Brings the parts into order. Errors: DataError where they are not all the shares of one run, each once.
void check_parts(std::vector<Part>& parts) {
  const Part& first = parts.front();
  for (const Part& part : parts) {
    const std::string key = first_difference(first.record, part.record);
    if (!key.empty()) {
      const std::string expected = value_text(first.record.run, key);
      const std::string got = value_text(part.record.run, key);
      pm::fail<pm::DataError>(
          {.where = part.where + ": " + key,
           .expected = (expected.empty() ? "the same" : expected + ",") + " as " + first.where + " has",
           .got = got.empty() ? "another" : got,
           .remedy = "merge shards of one run"});
    }
    if (part.record.shard.count == first.record.shard.count) continue;
    pm::fail<pm::DataError>(
        {.where = part.where,
         .expected = "one of " + std::to_string(first.record.shard.count) + " shards, as " + first.where + " is",
         .got = "shard " + to_string(part.record.shard)});
  }
  const auto number = [](const Part& part) { return part.record.shard.number; };
  std::stable_sort(parts.begin(), parts.end(), [&](const Part& a, const Part& b) { return number(a) < number(b); });
  const int count = parts.front().record.shard.count;
  for (std::size_t i = 1; i < parts.size(); ++i) {
    if (number(parts[i]) != number(parts[i - 1])) continue;
    pm::fail<pm::DataError>(
        {.where = parts[i].where,
         .expected = "every shard once",
         .got = "shard " + to_string(parts[i].record.shard) + ", which " + parts[i - 1].where + " is too"});
  }
  std::string missing;
  std::size_t at = 0;
  int missing_count = 0;
  for (int wanted = 1; wanted <= count && missing_count < 10; ++wanted) {
    if (at < parts.size() && number(parts[at]) == wanted) {
      ++at;
      continue;
    }
    missing += (missing.empty() ? "" : ", ") + std::to_string(wanted);
    ++missing_count;
  }
  if (missing.empty()) return;
  const int all_missing = count - static_cast<int>(parts.size());
  if (all_missing > missing_count) missing += ", ...";
  pm::fail<pm::DataError>({.where = "merge",
                           .expected = "all " + std::to_string(count) + " shards of the run of " + first.where,
                           .got = std::to_string(parts.size()) + " of them, without " + missing,
                           .remedy = "run what is missing, or name its file"});
}

void write_result(const std::string& path, const std::string& text) {
  if (path == "-") {
    write_stdout(text);
  } else {
    pm::write_file_atomically(path, text);
  }
}

int merge_estimates(const std::vector<Part>& parts, const MergeArguments& arguments) {
  if (arguments.json) {
    pm::fail<pm::UsageError>({.where = "--json",
                              .expected = "results of evaluate",
                              .got = "results of estimate",
                              .remedy = "leave it out: they are lines of JSON"});
  }
  std::vector<std::size_t> taken(parts.size(), 0);  // lines of each part
  const std::size_t count = parts.front().record.run["images"]["count"].get<std::size_t>();
  std::string text;
  int code = done;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t which = i % parts.size();
    const auto problem = parts[which].problems.find(i / parts.size());
    if (problem == parts[which].problems.end()) {
      text += parts[which].lines[taken[which]++];
    } else {
      complain(problem->second);
      code = bad_data;
    }
  }
  write_result(arguments.output, text);
  return code;
}

int merge_evaluations(const std::vector<Part>& parts, const MergeArguments& arguments, const Context& context) {
  EvaluationReport report;
  try {
    const std::string where = parts.front().where + ": shard.run";
    const pm::Json& joint_set = pm::member(parts.front().record.run, "joint_set", where);
    const pm::JointSet joints = pm::joint_set_from_json(joint_set, where + ".joint_set");
    std::vector<pm::EvaluationResult> results;
    LeftOutImages left_out;
    for (const Part& part : parts) {
      EvaluationReport share = report_from_json(part.report, part.record.run, context.metrics, joints, part.where);
      results.push_back(share.result);
      left_out.merge(share.left_out);
      if (&part == &parts.front()) report = std::move(share);
    }
    report.result = pm::merge(results);
    report.left_out = std::move(left_out);
  } catch (const pm::UsageError& error) {
    throw pm::DataError(error.what());
  } catch (const pm::ModelError& error) {  // of the joint set, which stands in no model file here
    throw pm::DataError(error.what());
  }
  for (const auto& [image, problem] : report.left_out) context.warn("left out: " + problem);
  require_measured(report.result, report.left_out);
  write_result(arguments.output, arguments.json ? json_line(to_json(report)) : to_text(report));
  return done;
}

int merge(const MergeArguments& arguments, const Context& context) {
  if (arguments.output.empty()) {
    pm::fail<pm::UsageError>({.where = "--output", .expected = "a file's name, or -", .got = "\"\""});
  }
  for (const std::string& file : arguments.files) {
    std::error_code error;
    if (!std::filesystem::equivalent(file, arguments.output, error)) continue;
    pm::fail<pm::UsageError>(
        {.where = "--output", .expected = "another file than those that are read", .got = arguments.output});
  }
  if (std::count(arguments.files.begin(), arguments.files.end(), "-") > 1) {
    pm::fail<pm::UsageError>({.where = "FILE", .expected = "standard input (-) once", .got = "twice"});
  }
  std::vector<std::string> texts;
  for (const std::string& file : arguments.files) {
    context.stop_if_asked();
    texts.push_back(read_part_file(file, context));
  }
  std::vector<Part> parts;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const std::string& file = arguments.files[i];
    for (Part& part : parts_in(texts[i], file == "-" ? "standard input" : file)) parts.push_back(std::move(part));
  }
  check_parts(parts);
  const bool estimates = parts.front().record.run["command"] == "estimate";
  return estimates ? merge_estimates(parts, arguments) : merge_evaluations(parts, arguments, context);
}

}  // namespace

Command add_merge(CLI::App& app, const Context& context) {
  auto arguments = std::make_shared<MergeArguments>();
  CLI::App* command = app.add_subcommand("merge", "One result of the results of all shards of a run");
  command
      ->add_option("FILE", arguments->files,
                   "What estimate --ndjson or evaluate --json wrote with --shard, in any order, several to a file\n"
                   "or one; - is standard input")
      ->required();
  command->add_option("-o,--output", arguments->output, "Where the result goes, whole or not at all; - is stdout")
      ->option_text("FILE")
      ->capture_default_str();
  command->add_flag("--json", arguments->json, "Of evaluate: one JSON object instead of tables");
  command->footer(
      "The result is, byte for byte, what the command writes without --shard. All shards must be there,\n"
      "each once, of one run: same model, input and options. Images that could not be used are reported,\n"
      "with exit code 3, as by estimate itself.");
  return {command, [arguments, &context] { return merge(*arguments, context); }};
}

}  // namespace tool
