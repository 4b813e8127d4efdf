// Data sets as users name them, KIND:PATH[:PART], and what every reader of one returns.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/random.hpp>
#include <posemachine/data/person.hpp>
#include <posemachine/model/joint_set.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {

/// The annotated people of a data set, or of a part of one. Shapes: one joint of each person per joint of the set.
struct Annotations {
  JointSet joints;
  std::vector<Person> people;
};

/// The same people with the joints of `wanted`, in its order: found by their names; those that the data set does not
/// have are unlabelled. Errors: UsageError where it has none of them.
inline std::vector<Person> people_with_joints(const Annotations& annotations, const JointSet& wanted,
                                              const std::string& where) {
  if (annotations.joints.joints == wanted.joints || annotations.people.empty()) return annotations.people;
  std::vector<std::size_t> from;
  constexpr std::size_t none = static_cast<std::size_t>(-1);
  std::size_t found = 0;
  const std::vector<std::string>& names = annotations.joints.joints;
  for (const std::string& name : wanted.joints) {
    const auto at = std::find(names.begin(), names.end(), name);
    from.push_back(at == names.end() ? none : static_cast<std::size_t>(at - names.begin()));
    found += at == names.end() ? 0 : 1;
  }
  if (found == 0) {
    fail<UsageError>({.where = where,
                      .expected = "joints of the set " + wanted.name + ", such as " + wanted.joints.front(),
                      .got = names.front() + " and " + std::to_string(names.size() - 1) + " others"});
  }
  std::vector<Person> people;
  for (const Person& person : annotations.people) {
    Person changed = person;
    changed.joints.assign(wanted.joints.size(), Joint{});
    for (std::size_t j = 0; j < from.size(); ++j) {
      if (from[j] != none) changed.joints[j] = person.joints[from[j]];
    }
    people.push_back(std::move(changed));
  }
  return people;
}

/// Some of the people for validation: those of a share of the images, chosen by `seed`; people of one image stay
/// together. At least one image is on either side, unless there is only one: that is trained on.
struct PeopleSplit {
  std::vector<Person> train;
  std::vector<Person> validation;
};
inline PeopleSplit split_people(const std::vector<Person>& people, double validation_share, std::uint64_t seed = 1) {
  std::vector<std::filesystem::path> order;  // of the images, as they come: where they lie does not matter
  std::set<std::filesystem::path> seen;
  for (const Person& person : people) {
    if (seen.insert(person.image).second) order.push_back(person.image);
  }
  RandomStream stream(seed, Purpose::order, 0);
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[stream.below(i)]);
  const auto wanted = static_cast<std::size_t>(std::lround(validation_share * static_cast<double>(order.size())));
  const std::size_t most = order.empty() ? 0 : order.size() - 1;
  const std::size_t count = std::min(most, std::max<std::size_t>(validation_share > 0 ? 1 : 0, wanted));
  const std::set<std::filesystem::path> chosen(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count));
  PeopleSplit split;
  for (const Person& person : people)
    (chosen.contains(person.image) ? split.validation : split.train).push_back(person);
  return split;
}

/// A data set by its kind and place.
struct DataSource {
  std::string kind;            // "coco"
  std::filesystem::path path;  // a folder or file, as the kind has it
  std::string part;            // empty: all of it
};

/// "coco:people.json", "lsp:/data/lsp:train".
inline std::string to_string(const DataSource& source) {
  return source.kind + ":" + source.path.string() + (source.part.empty() ? "" : ":" + source.part);
}

/// How a data set is read.
struct DataSetOptions {
  std::filesystem::path images{};  // the folder of the images, where the annotation does not tell; empty: found from it
  bool allow_missing = false;      // leave out people whose image is absent, instead of failing
};

/// A kind of data set: a row of DataSetKinds.
struct DataSetKind {
  std::string_view name{};
  std::string_view path{};   // what PATH is: "FILE.json"
  std::string_view parts{};  // what PART may be; empty: there are none
  std::string_view does{};   // a line for people
  /// Errors: DataError for a data set that cannot be used; UsageError for a part that there is not.
  Annotations (*read)(const DataSource& source, const DataSetOptions& options) = nullptr;
  JointSet (*joints)() = nullptr;  // of every data set of the kind; null: the annotation says
  /// Errors: as the writer's. Null: the kind is only read.
  void (*write)(const Annotations& annotations, const std::filesystem::path& path) = nullptr;
};

/// The farthest from an image's left top corner that annotations may say, in pixels.
inline constexpr double farthest_annotation_px = 1e6;
/// The largest area that annotations may say, in square pixels.
inline constexpr double largest_annotation_area = farthest_annotation_px * farthest_annotation_px;

namespace detail {

inline bool is_near(double value) { return std::abs(value) <= farthest_annotation_px; }

// The file of an image, looked for in the folder that was given, or beside and around the annotation as people unpack
// it; where it is nowhere, where it was expected.
class ImageFinder {
 public:
  ImageFinder(const std::filesystem::path& annotation, const DataSetOptions& options) {
    if (!options.images.empty()) {
      folders_ = {options.images};
      return;
    }
    const std::filesystem::path beside = annotation.parent_path();
    folders_ = {beside / "images", beside, beside / ".." / "images", beside / ".."};
    // COCO's own: annotations/person_keypoints_train2017.json beside train2017/.
    const std::string stem = annotation.stem().string();
    const std::size_t part = stem.rfind('_');
    if (part != std::string::npos) {
      folders_.push_back(beside / ".." / stem.substr(part + 1));
      folders_.push_back(beside / ".." / "images" / stem.substr(part + 1));
    }
  }

  std::filesystem::path find(const std::filesystem::path& name) const {
    std::error_code error;
    if (name.is_absolute()) return name;
    for (const std::filesystem::path& folder : folders_) {
      if (std::filesystem::exists(folder / name, error)) return (folder / name).lexically_normal();
    }
    return (folders_.front() / name).lexically_normal();
  }

 private:
  std::vector<std::filesystem::path> folders_;
};

// The people of an annotation by the numbers of their images, without those whose image is absent where that is
// allowed.
// Errors: DataError naming the first of them otherwise, and where none is left.
inline void finish_people(std::vector<Person>& people, const std::string& where, const DataSetOptions& options) {
  std::stable_sort(people.begin(), people.end(), [](const Person& a, const Person& b) { return a.number < b.number; });
  std::vector<Person> present;
  std::size_t missing = 0;
  std::string first;
  for (Person& person : people) {
    std::error_code error;
    // People of one image stand together: it is looked for once.
    const bool known = !present.empty() && present.back().image == person.image;
    if (known || std::filesystem::exists(person.image, error)) {
      present.push_back(std::move(person));
    } else if (missing++ == 0) {
      first = person.image.string();
    }
  }
  if (missing > 0 && !options.allow_missing) {
    fail<DataError>({.where = first,
                     .expected = "the images of " + where,
                     .got = std::to_string(missing) + " of " + std::to_string(people.size()) +
                            " people without theirs, this one first",
                     .remedy = "say where the images are (--images DIR), or allow missing ones"});
  }
  if (present.empty()) {
    fail<DataError>({.where = where, .expected = "at least one annotated person with an image", .got = "none"});
  }
  people = std::move(present);
}

}  // namespace detail

}  // namespace posemachine::inline POSEMACHINE_BUILD
