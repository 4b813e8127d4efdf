// DataSetKinds: the data sets that are known by name, and KIND:PATH[:PART] read by them.
#pragma once

#include <posemachine/base/json.hpp>
#include <posemachine/base/named_rows.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/data/data_set.hpp>
#include <posemachine/data/lsp.hpp>
#include <posemachine/data/sets/coco.hpp>
#include <posemachine/data/sets/csv.hpp>
#include <posemachine/data/sets/labelme.hpp>
#include <posemachine/data/sets/mpii.hpp>
#include <posemachine/data/sets/yolo.hpp>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

template <std::vector<Person> (*read_people)(const std::filesystem::path&, const LspOptions&)>
Annotations read_lsp_source(const DataSource& source, const DataSetOptions& options) {
  const ImageRange numbers = source.part.empty() ? ImageRange{} : parse_split(source.part);
  return {lsp_joints(), read_people(source.path, {numbers, options.allow_missing})};
}

}  // namespace detail

/// Leeds Sports Pose as a row: PART is train, val, test or FIRST:LAST.
inline constexpr DataSetKind lsp_set{
    .name = "lsp",
    .path = "DIR",
    .parts = "train (images 1 to 900), val (901 to 1000), test (1001 and up) or FIRST:LAST",
    .does = "Leeds Sports Pose: joints.mat beside images/",
    .read = detail::read_lsp_source<read_lsp>,
    .joints = lsp_joints,
    .takes_images = false,
    .parts_are_images = true};

inline constexpr DataSetKind lspet_set{.name = "lspet",
                                       .path = "DIR",
                                       .parts = "FIRST:LAST",
                                       .does = "its extended training set: joints.mat beside images/",
                                       .read = detail::read_lsp_source<read_lspet>,
                                       .joints = lsp_joints,
                                       .takes_images = false,
                                       .parts_are_images = true};

/// Kinds by name. The default holds those of the library: DataSetKinds{my_kind} adds one's own.
class DataSetKinds : public NamedRows<DataSetKind> {
 public:
  DataSetKinds()
      : NamedRows("data set", ":", {lsp_set, lspet_set, coco_set, csv_set, yolo_set, mpii_set, labelme_set}) {}

  /// Errors: UsageError for a kind without a reader, or with a name that is empty, has a colon or is another's.
  DataSetKinds(std::initializer_list<DataSetKind> own) : DataSetKinds() {
    for (const DataSetKind& kind : own) add(kind, kind.read != nullptr, "a reader");
  }

  /// "lsp:DIR[:PART], coco:FILE.json[:PART]".
  std::string grammar() const {
    std::string text;
    for (const DataSetKind& kind : all()) {
      text += (text.empty() ? "" : ", ") + std::string(kind.name) + ":" + std::string(kind.path) +
              (kind.parts.empty() ? "" : "[:PART]");
    }
    return text;
  }

  /// KIND:PATH[:PART]. Names of files may have colons: PATH is the longest beginning that exists, all of it where
  /// nothing does. Errors: UsageError for another kind, no path, or a part where the kind has none.
  DataSource parse(const std::string& text) const {
    const std::size_t colon = text.find(':');
    const std::string name = text.substr(0, colon);
    const DataSetKind* const kind = find(name);
    if (kind == nullptr || colon == std::string::npos || colon + 1 == text.size()) {
      fail<UsageError>({.where = "data",
                        .expected = "one of " + grammar(),
                        .got = "\"" + detail::excerpt(text, 100) + "\"",
                        .remedy = kind == nullptr ? did_you_mean(name, names()) : ""});
    }
    const std::string rest = text.substr(colon + 1);
    std::error_code error;
    for (std::size_t end = rest.size(); end != std::string::npos && end > 0; end = rest.rfind(':', end - 1)) {
      const std::filesystem::path path = rest.substr(0, end);
      if (!std::filesystem::exists(path, error)) continue;
      DataSource source{name, path, end < rest.size() ? rest.substr(end + 1) : ""};
      if (!source.part.empty() && kind->parts.empty()) {
        fail<UsageError>({.where = "data",
                          .expected = name + ":" + std::string(kind->path),
                          .got = "the part \"" + detail::excerpt(source.part) + "\" of it"});
      }
      return source;
    }
    return {name, rest, ""};
  }

  /// The joints of a data set, read only where its kind does not say it. Errors: as read().
  JointSet joints(const DataSource& source, const DataSetOptions& options = {}) const {
    const DataSetKind* const kind = find(source.kind);
    return kind != nullptr && kind->joints != nullptr ? kind->joints() : read(source, options).joints;
  }

  /// Errors: DataError where there is nothing at the path; UsageError for a folder of images where the kind takes none;
  /// as the kind's reader.
  Annotations read(const DataSource& source, const DataSetOptions& options = {}) const {
    const DataSetKind* const kind = find(source.kind);
    if (kind == nullptr) {
      fail<UsageError>({.where = "data", .expected = "one of " + grammar(), .got = "\"" + source.kind + "\""});
    }
    if (!options.images.empty() && !kind->takes_images) refuse_images(source);
    std::error_code error;
    if (!std::filesystem::exists(source.path, error)) {
      fail<DataError>(
          {.where = "data " + to_string(source),
           .expected = std::string(kind->name) + ":" + std::string(kind->path) + (kind->parts.empty() ? "" : "[:PART]"),
           .got = "no such file or folder"});
    }
    Annotations read = kind->read(source, options);
    for (const Person& person : read.people) {  // readers of a user's own, too
      if (!read.joints.joints.empty() && person.joints.size() == read.joints.joints.size()) continue;
      fail<UsageError>({.where = "data " + to_string(source),
                        .expected = "people of the " + std::to_string(read.joints.joints.size()) + " joints of the set",
                        .got = std::to_string(person.joints.size()) + " in " + person.image.string()});
    }
    return read;
  }

 private:
  [[noreturn]] void refuse_images(const DataSource& source) const {
    std::string takers;
    for (const DataSetKind& kind : all()) {
      if (kind.takes_images) takers += (takers.empty() ? "" : ", ") + std::string(kind.name);
    }
    fail<UsageError>({.where = "--images",
                      .expected = "data of a kind whose images may lie anywhere: " + takers,
                      .got = to_string(source),
                      .remedy = "leave it out: these images are found from the data set itself"});
  }
};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
