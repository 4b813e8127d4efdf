// A data set looked at: its faults in sentences, its contents in figures.
#pragma once

#include <posemachine/base/digest.hpp>
#include <posemachine/base/files.hpp>
#include <posemachine/base/parallel.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/core/image.hpp>
#include <posemachine/data/damaged_images.hpp>
#include <posemachine/data/data_set.hpp>
#include <posemachine/data/frames.hpp>
#include <posemachine/data/image_io.hpp>
#include <posemachine/data/person.hpp>
#include <posemachine/data/read_frames.hpp>
#include <posemachine/pose/joint_set.hpp>
#include <posemachine/pose/pose.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// An image of a data set, decoded once.
struct ImageFacts {
  int width = 0;
  int height = 0;
  int bit_depth = 8;      // of its samples: 8 or 16
  std::string problem{};  // why it cannot be used; empty: it can
  bool absent = false;    // there is no such file
  std::string digest{};   // of the file's bytes
};

/// How images are looked at.
struct InspectOptions {
  int threads = 1;
  ImageLimits limits{};
  // Called after every image, from any of the threads but one at a time. What it throws ends the inspection.
  std::function<void(int done, int count)> progress{};
};

/// Decodes every image of the people once.
inline std::map<std::filesystem::path, ImageFacts> inspect_images(std::span<const Person> people,
                                                                  const InspectOptions& options = {}) {
  std::map<std::filesystem::path, ImageFacts> images;
  for (const Person& person : people) images[person.image];
  std::vector<std::pair<const std::filesystem::path, ImageFacts>*> entries;
  for (auto& entry : images) entries.push_back(&entry);
  Workers workers(options.threads);
  std::mutex mutex;
  int done = 0;
  workers.for_each(static_cast<int>(entries.size()), [&](int index, int) {
    auto& [path, facts] = *entries[static_cast<std::size_t>(index)];
    try {
      const std::string bytes = read_file<DataError>(path, options.limits.max_file_bytes);
      Digest digest;
      digest.add(bytes);
      facts.digest = digest.text();
      const std::span<const std::byte> data = std::as_bytes(std::span(bytes.data(), bytes.size()));
      const Image image = decode_image(data, path.string(), options.limits);
      facts.width = image.width;
      facts.height = image.height;
      facts.bit_depth = image_header(data, path.string(), options.limits).bit_depth;
    } catch (const DataError& error) {
      facts.problem = error.what();
      facts.absent = is_absent(path);
    }
    const std::scoped_lock lock(mutex);
    ++done;
    if (options.progress) options.progress(done, static_cast<int>(entries.size()));
  });
  return images;
}

/// Something about a data set that is wrong, or looks so.
struct Finding {
  std::string kind;  // "absent image", "damaged image", "image twice", "mixed bit depths", "person twice", "no box",
                     // "joint outside", "box outside", "joints beyond box", "sides swapped", "left out",
                     // "no other frame", "damaged frame"
  std::string text;  // a sentence that names the image, or the entry of the annotation
  std::optional<std::size_t> person{};  // the first person concerned; none for what was left out
};

namespace detail {

// The vectors from right to left of a person's pairs; none where a joint is unlabelled, and where both are so near to
// each other that they lie anyhow, as seen from the side.
inline std::vector<std::optional<Point>> side_vectors(const JointSet& joints, const Person& person) {
  constexpr double apart = 0.08;  // of the larger side of the joints' box
  const std::optional<Box> box = labelled_joints_box(person.joints);
  std::vector<std::optional<Point>> vectors;
  for (const auto& [left, right] : joints.pairs) {
    const Joint& a = person.joints[static_cast<std::size_t>(left)];
    const Joint& b = person.joints[static_cast<std::size_t>(right)];
    const Point vector = a.position - b.position;
    const bool clear = box && a.is_labelled() && b.is_labelled() &&
                       std::hypot(vector.x, vector.y) >= apart * std::max(box->width, box->height);
    vectors.push_back(clear ? std::optional(vector) : std::nullopt);
  }
  return vectors;
}

// 1 where two vectors point alike, -1 where against each other, each within 60 degrees; else 0.
inline int agreement(const std::optional<Point>& a, const std::optional<Point>& b) {
  if (!a || !b) return 0;
  const double product = a->x * b->x + a->y * b->y;
  const double clear = 0.5 * std::hypot(a->x, a->y) * std::hypot(b->x, b->y);
  return product > clear ? 1 : product < -clear ? -1 : 0;
}

// Whether left and right of two pairs of joints usually lie alike: shoulders and hips of one person do.
class SideStatistics {
 public:
  SideStatistics(const JointSet& joints, std::span<const Person> people)
      : joints_(&joints),
        pair_count_(joints.pairs.size()),
        alike_(pair_count_ * pair_count_, 0),
        seen_(pair_count_ * pair_count_, 0) {
    for (const Person& person : people) {
      const std::vector<std::optional<Point>> vectors = side_vectors(joints, person);
      for (std::size_t p = 0; p < pair_count_; ++p) {
        for (std::size_t q = 0; vectors[p] && q < pair_count_; ++q) {
          const int sign = agreement(vectors[p], vectors[q]);
          seen_[p * pair_count_ + q] += sign != 0 ? 1 : 0;
          alike_[p * pair_count_ + q] += sign > 0 ? 1 : 0;
        }
      }
    }
  }

  /// A person's pairs that lie against two others or more, all that they usually lie as, while those lie alike.
  std::vector<std::size_t> swapped(const Person& person) const {
    const std::vector<std::optional<Point>> vectors = side_vectors(*joints_, person);
    std::vector<std::size_t> pairs;
    for (std::size_t p = 0; p < pair_count_; ++p) {
      int against = 0;
      bool alone = vectors[p].has_value();
      const std::optional<Point>* first = nullptr;
      for (std::size_t q = 0; alone && q < pair_count_; ++q) {
        const int sign = p == q || !usually_alike(p, q) ? 0 : agreement(vectors[p], vectors[q]);
        if (sign == 0) continue;
        if (first == nullptr) first = &vectors[q];
        alone = sign < 0 && agreement(*first, vectors[q]) >= 0;
        ++against;
      }
      if (alone && against >= 2) pairs.push_back(p);
    }
    return pairs;
  }

 private:
  bool usually_alike(std::size_t p, std::size_t q) const {
    constexpr int least_people = 20;
    constexpr double usual_share = 0.9;
    const int seen = seen_[p * pair_count_ + q];
    return seen >= least_people && alike_[p * pair_count_ + q] >= usual_share * seen;
  }

  const JointSet* joints_;
  std::size_t pair_count_;
  std::vector<int> alike_;  // (pairs, pairs): people in whom two pairs lie alike, of those in whom it can be said
  std::vector<int> seen_;
};

// Two people of the same labels have the same numbers.
inline std::vector<double> labels_of(const Person& person) {
  std::vector<double> labels;
  for (const Joint& joint : person.joints) {
    labels.push_back(joint.is_labelled() ? 1 : 0);
    if (joint.is_labelled()) labels.insert(labels.end(), {joint.position.x, joint.position.y});
  }
  return labels;
}

inline std::string list_of(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i)
    text += (i == 0 ? "" : i + 1 == names.size() ? " and " : ", ") + names[i];
  return text;
}

// Images of one bit depth among others: a model takes the one or the other.
inline void find_mixed_bit_depths(const Annotations& annotations,
                                  const std::map<std::filesystem::path, ImageFacts>& images,
                                  std::vector<Finding>& findings) {
  std::map<int, std::size_t> counts;
  for (const auto& [path, image] : images) counts[image.bit_depth] += image.problem.empty() ? 1 : 0;
  const std::size_t of_8 = counts[8], of_16 = counts[16];
  if (of_8 == 0 || of_16 == 0) return;
  const int rare = of_8 < of_16 ? 8 : 16;
  for (std::size_t i = 0; i < annotations.people.size(); ++i) {
    const std::filesystem::path& path = annotations.people[i].image;
    if (images.at(path).bit_depth != rare || !images.at(path).problem.empty()) continue;
    findings.push_back({"mixed bit depths",
                        path.string() + ": samples of " + std::to_string(rare) + " bits; of all images " +
                            std::to_string(of_8) + " have 8 bits and " + std::to_string(of_16) + " have 16",
                        i});
    return;
  }
}

// Joints beyond the image, and joints beyond the person's box grown by a fifth.
inline void find_misplaced(const Annotations& annotations, std::size_t index, const ImageFacts& image,
                           std::vector<Finding>& findings) {
  const Person& person = annotations.people[index];
  std::vector<std::string> outside, beyond;
  for (std::size_t j = 0; j < person.joints.size(); ++j) {
    if (!person.joints[j].is_labelled()) continue;
    const std::string& name = annotations.joints.joints[j];
    const Point at = person.joints[j].position;
    constexpr double rounding = 1;  // pixels: what is clipped to the edge lies on it, not beyond
    const bool inside = at.x >= -0.5 - rounding && at.x <= image.width - 0.5 + rounding && at.y >= -0.5 - rounding &&
                        at.y <= image.height - 0.5 + rounding;
    if (!inside) outside.push_back(name);
    if (!person.box) continue;
    const double margin = 0.2 * std::max(person.box->width, person.box->height);
    const bool within = at.x >= person.box->x - margin && at.x <= person.box->x + person.box->width + margin &&
                        at.y >= person.box->y - margin && at.y <= person.box->y + person.box->height + margin;
    if (!within) beyond.push_back(name);
  }
  const std::string where = person.image.string() + ": ";
  if (!outside.empty()) {
    findings.push_back({"joint outside",
                        where + list_of(outside) + (outside.size() == 1 ? " lies" : " lie") + " beyond its " +
                            std::to_string(image.width) + " x " + std::to_string(image.height) + " pixels",
                        index});
  }
  if (!beyond.empty()) {
    findings.push_back(
        {"joints beyond box",
         where + list_of(beyond) + (beyond.size() == 1 ? " lies" : " lie") + " far from the person's box", index});
  }
  if (person.box) {
    const Box& box = *person.box;
    const bool meets = box.x < image.width && box.y < image.height && box.x + box.width > 0 && box.y + box.height > 0;
    if (!meets) findings.push_back({"box outside", where + "the person's box lies beyond the image", index});
  }
}

}  // namespace detail

/// Faults of annotated people and their images, certain and likely: what the reader left out that is a fault; absent and
/// damaged images; files of equal bytes; images of 8 bits among such of 16, the first of the fewer being named; people
/// twice in one image; joints and boxes beyond the image; joints far from their box; people framed by boxes who have none and
/// cannot be given one; pairs of joints whose left and right lie against all others of the person, where in the data
/// set they lie alike. A person turned around as a whole is not found that way. Shapes: `images` of inspect_images().
inline std::vector<Finding> find_problems(const Annotations& annotations,
                                          const std::map<std::filesystem::path, ImageFacts>& images) {
  std::vector<Finding> findings;
  const std::vector<Person>& people = annotations.people;
  const detail::SideStatistics sides(annotations.joints, people);
  for (const LeftOut& each : annotations.left_out) {
    for (const std::string& place : each.places) findings.push_back({"left out", place + ": of the " + each.what});
  }
  detail::find_mixed_bit_depths(annotations, images, findings);
  std::map<std::string, std::filesystem::path> by_digest;
  std::map<std::filesystem::path, std::vector<std::size_t>> by_image;
  for (std::size_t i = 0; i < people.size(); ++i) by_image[people[i].image].push_back(i);
  for (const auto& [path, indices] : by_image) {
    const ImageFacts& image = images.at(path);
    const std::size_t first = indices.front();
    if (image.absent) {
      const std::string count = indices.size() == 1 ? "a person" : std::to_string(indices.size()) + " people";
      const std::filesystem::path similar = detail::similar_picture(path);
      findings.push_back({"absent image",
                          path.string() + ": absent, with " + count + " on it" +
                              (similar.empty() ? "" : "; " + similar.filename().string() + " is there"),
                          first});
      continue;
    }
    if (!image.problem.empty()) {
      findings.push_back({"damaged image", image.problem, first});
      continue;
    }
    const auto [same, is_new] = by_digest.emplace(image.digest, path);
    if (!is_new) {
      findings.push_back({"image twice", path.string() + ": the same file as " + same->second.string(), first});
    }
    std::set<std::vector<double>> seen;
    for (std::size_t k = 0; k < indices.size(); ++k) {
      const Person& person = people[indices[k]];
      if (!seen.insert(detail::labels_of(person)).second) {
        findings.push_back({"person twice", path.string() + ": two people with the same joints", indices[k]});
      }
      if (person.framing == Framing::box && !person_box(person, image.width, image.height)) {
        findings.push_back(
            {"no box", path.string() + ": a person without a box, and too few joints for one", indices[k]});
      }
      detail::find_misplaced(annotations, indices[k], image, findings);
      for (const std::size_t pair : sides.swapped(person)) {
        const auto [left, right] = annotations.joints.pairs[pair];
        const auto& names = annotations.joints.joints;
        findings.push_back({"sides swapped",
                            path.string() + ": " + names[static_cast<std::size_t>(left)] + " and " +
                                names[static_cast<std::size_t>(right)] + " look exchanged",
                            indices[k]});
      }
    }
  }
  return findings;
}

/// Images of which a model of several frames, as ModelSpec::frames has them, would see no other frame, or could not use
/// another one: a file that no decoder would take by its header, or of another size. Nothing is said of images that are
/// damaged themselves. Shapes: `images` of inspect_images(). Errors: DataError for a folder that cannot be listed.
inline std::vector<Finding> find_frame_problems(const Annotations& annotations,
                                                const std::map<std::filesystem::path, ImageFacts>& images,
                                                std::span<const int> frames, const ImageLimits& limits = {}) {
  std::vector<Finding> findings;
  FrameFinder find;
  std::set<std::filesystem::path> seen;
  for (std::size_t i = 0; i < annotations.people.size(); ++i) {
    const std::filesystem::path& image = annotations.people[i].image;
    const ImageFacts& facts = images.at(image);
    if (!facts.problem.empty() || !seen.insert(image).second) continue;
    const std::vector<std::filesystem::path> around = find(image, std::array{-1, 1});
    if (frames.size() > 1 && around[0] == image && around[1] == image) {
      findings.push_back({"no other frame", image.string() + ": no file beside it is another frame of its video", i});
    }
    const std::vector<std::filesystem::path> files = find(image, frames);
    for (std::size_t k = 0; k < files.size(); ++k) {
      if (files[k] == image) continue;
      std::string problem;
      try {
        const Size size = read_image_header(files[k], limits).size;
        const auto other_size =
            detail::frame_size_problem(image, {facts.height, facts.width}, frames[k], files[k], size);
        if (other_size) problem = to_string(*other_size);
      } catch (const DataError& error) {
        problem = detail::frame_of(image, frames[k]) + error.what();
      }
      if (problem.empty()) continue;
      findings.push_back({"damaged frame", problem, i});
      break;
    }
  }
  return findings;
}

/// Smallest, median and largest of something; zeros of nothing.
struct Spread {
  double least = 0;
  double median = 0;
  double most = 0;
};
inline Spread spread_of(std::vector<double> values) {
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  const double median = (values[(values.size() - 1) / 2] + values[values.size() / 2]) / 2;
  return {values.front(), median, values.back()};
}

/// How often a joint is labelled, and how.
struct JointStatistics {
  std::string name;
  int visible = 0;
  int occluded = 0;
  int outside = 0;
  int unlabelled = 0;
};

/// Counts and sizes of a data set. Lengths are in pixels of the original images.
struct DataSetStatistics {
  int images = 0;
  int damaged = 0;
  int absent = 0;
  int images_of_16_bits = 0;
  int people = 0;
  int boxes = 0;  // people whose annotation has one
  int head_lengths = 0;
  int areas = 0;
  std::vector<int> people_per_image;  // how many images have 1, 2, ... people
  Spread width, height, person_side;  // of the images; the larger side of the people's boxes
  Spread labelled;                    // joints per person
  std::vector<JointStatistics> joints;
};

/// Shapes: `images` of inspect_images().
inline DataSetStatistics statistics_of(const Annotations& annotations,
                                       const std::map<std::filesystem::path, ImageFacts>& images) {
  DataSetStatistics statistics;
  for (const std::string& name : annotations.joints.joints) statistics.joints.push_back({name, 0, 0, 0, 0});
  std::map<std::filesystem::path, std::size_t> counts;
  std::vector<double> widths, heights, sides, labelled;
  for (const auto& [path, image] : images) {
    ++statistics.images;
    if (!image.problem.empty()) {
      ++(image.absent ? statistics.absent : statistics.damaged);
      continue;
    }
    statistics.images_of_16_bits += image.bit_depth == 16 ? 1 : 0;
    widths.push_back(image.width);
    heights.push_back(image.height);
  }
  for (const Person& person : annotations.people) {
    ++statistics.people;
    ++counts[person.image];
    statistics.boxes += person.box ? 1 : 0;
    statistics.head_lengths += person.head_length ? 1 : 0;
    statistics.areas += person.area ? 1 : 0;
    const ImageFacts& image = images.at(person.image);
    std::vector<Joint> joints = person.joints;
    if (image.problem.empty()) {
      mark_outside(joints, image.width, image.height);
      if (const auto box = person_box(person, image.width, image.height)) {
        sides.push_back(std::max(box->width, box->height));
      }
    }
    int count = 0;
    for (std::size_t j = 0; j < joints.size(); ++j) {
      JointStatistics& joint = statistics.joints[j];
      const bool is_labelled = joints[j].is_labelled();
      count += is_labelled ? 1 : 0;
      int& number = !is_labelled                              ? joint.unlabelled
                    : joints[j].state == JointState::visible  ? joint.visible
                    : joints[j].state == JointState::occluded ? joint.occluded
                                                              : joint.outside;
      ++number;
    }
    labelled.push_back(count);
  }
  for (const auto& [path, count] : counts) {
    if (statistics.people_per_image.size() < count) statistics.people_per_image.resize(count, 0);
    ++statistics.people_per_image[count - 1];
  }
  statistics.width = spread_of(std::move(widths));
  statistics.height = spread_of(std::move(heights));
  statistics.person_side = spread_of(std::move(sides));
  statistics.labelled = spread_of(std::move(labelled));
  return statistics;
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
