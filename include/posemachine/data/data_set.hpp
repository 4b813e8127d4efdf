// Data sets as users name them, KIND:PATH[:PART], and what every reader of one returns.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/random.hpp>
#include <posemachine/data/damaged_images.hpp>
#include <posemachine/data/image_folder.hpp>
#include <posemachine/data/person.hpp>
#include <posemachine/pose/joint_names.hpp>
#include <posemachine/pose/joint_set.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// Entries that a reader left out of an annotation, for one reason.
struct LeftOut {
  std::string what;       // "boxes of no area"
  std::size_t count = 0;  // of them
  // Where each of them stands, file and entry, if it is a fault of the annotation; empty for what data sets have as a
  // matter of course.
  std::vector<std::string> places{};
};

/// The annotated people of a data set, or of a part of one. Shapes: one joint of each person per joint of the set.
struct Annotations {
  JointSet joints;
  std::vector<Person> people;
  std::vector<LeftOut> left_out{};  // in the order in which it was met first

  /// Counts one more of what is left out. `place`: where it stands, if it is a fault.
  void leave_out(const std::string& what, const std::string& place = "") {
    auto entry = std::find_if(left_out.begin(), left_out.end(), [&](const LeftOut& each) { return each.what == what; });
    if (entry == left_out.end()) entry = left_out.insert(left_out.end(), {what, 0, {}});
    ++entry->count;
    if (!place.empty()) entry->places.push_back(place);
  }
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
  // Keep people whose image is absent, instead of failing: runs go round them as round damaged ones, see DamagedImages.
  bool allow_missing = false;
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
  bool takes_images = true;        // reads DataSetOptions::images
  bool parts_are_images = false;   // PART says some of the images, so that one may train and another validate
  /// Errors: as the writer's. Null: the kind is only read.
  void (*write)(const Annotations& annotations, const std::filesystem::path& path) = nullptr;
};

/// The farthest from an image's left top corner that annotations may say, in pixels.
inline constexpr double farthest_annotation_px = 1e6;
/// The largest area that annotations may say, in square pixels.
inline constexpr double largest_annotation_area = farthest_annotation_px * farthest_annotation_px;

/// An image that annotations name and that is not there.
struct AbsentImage {
  std::filesystem::path image;
  std::size_t people = 0;  // on it
};

/// The images of these people that are absent, in the order in which they come.
inline std::vector<AbsentImage> absent_images(std::span<const Person> people) {
  constexpr std::size_t present = static_cast<std::size_t>(-1);
  std::map<std::filesystem::path, std::size_t> seen;  // where each stands in the list
  std::vector<AbsentImage> absent;
  for (const Person& person : people) {
    const auto [entry, is_new] = seen.try_emplace(person.image, present);
    if (is_new && is_absent(person.image)) {
      entry->second = absent.size();
      absent.push_back({person.image, 0});
    }
    if (entry->second != present) ++absent[entry->second].people;
  }
  return absent;
}

namespace detail {

inline bool is_near(double value) { return std::abs(value) <= farthest_annotation_px; }

// A picture beside a path that names none, whose name differs in case or ending alone: B.JPG for b.jpg, b.jpg for b.png.
// Empty where there is none.
inline std::filesystem::path similar_picture(const std::filesystem::path& path) {
  const std::string wanted = lower_case(path.stem().string());
  std::vector<std::filesystem::path> found;
  std::error_code error;
  std::filesystem::directory_iterator entry(path.parent_path(), error);
  for (const std::filesystem::directory_iterator end; !error && entry != end; entry.increment(error)) {
    if (lower_case(entry->path().stem().string()) == wanted && is_picture_name(entry->path())) {
      found.push_back(entry->path());
    }
  }
  return found.empty() ? std::filesystem::path() : *std::min_element(found.begin(), found.end());
}

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

  // A picture that is there under almost the name of one that is nowhere, see similar_picture; empty where there is none.
  std::filesystem::path similar(const std::filesystem::path& expected) const {
    const std::filesystem::path name = expected.lexically_relative(folders_.front().lexically_normal());
    for (const std::filesystem::path& folder : folders_) {
      std::filesystem::path found = similar_picture((folder / name).lexically_normal());
      if (!found.empty()) return found;
    }
    return {};
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

// Brings the people of an annotation into the order of their images' numbers.
// Errors: DataError naming the first image that is absent, unless that is allowed, and where all are or nobody is left.
// `finder`: by which they were looked for, if it was one.
inline void finish_people(std::vector<Person>& people, const std::string& where, const DataSetOptions& options,
                          const ImageFinder* finder = nullptr) {
  if (people.empty()) {
    fail<DataError>({.where = where, .expected = "at least one annotated person with an image", .got = "none"});
  }
  std::stable_sort(people.begin(), people.end(), [](const Person& a, const Person& b) { return a.number < b.number; });
  const std::vector<AbsentImage> absent = absent_images(people);
  std::size_t missing = 0;
  for (const AbsentImage& image : absent) missing += image.people;
  if (missing == 0 || (options.allow_missing && missing < people.size())) return;
  std::string remedy = "say where the images are (--images DIR)";
  if (missing < people.size()) remedy += ", or allow missing ones (--allow-missing)";
  constexpr std::size_t most = 100;  // each of them costs a look at a folder
  for (std::size_t i = 0; i < std::min(most, absent.size()); ++i) {
    const std::filesystem::path& image = absent[i].image;
    const std::filesystem::path similar = finder != nullptr ? finder->similar(image) : similar_picture(image);
    if (similar.empty()) continue;
    remedy = similar.string() + " is there, " + image.filename().string() +
             " in another case or with another ending: correct the annotation or the file's name";
    break;
  }
  fail<DataError>({.where = absent.front().image.string(),
                   .expected = "the images of " + where,
                   .got = std::to_string(missing) + " of " + std::to_string(people.size()) +
                          " people without theirs, this one first",
                   .remedy = remedy});
}

}  // namespace detail

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
