// A labels file beside a data set: other joints for its people, each with a weight.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/data/mat_file.hpp>
#include <posemachine/data/person.hpp>
#include <posemachine/pose/pose.hpp>

#include <cmath>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// Which array of a labels file to read, and as what.
struct LabelsOptions {
  std::string array = "joints";             // its name in the file
  std::optional<double> score_threshold{};  // 0 to 1; where set, the third field is a score: joints with at least this
                                            // one weigh 1, others are unlabelled
  int joint_count = 14;                     // of the data set's joint set, as LSP's and LSPET's
  int image_count = 0;                      // of the data set: more images are those of another; 0: not checked
};

/// Joints for the images of a data set. Shapes: joints in pixels of the original image, the centre of the first pixel
/// being (0, 0), visible with a weight above 0 up to 1, or unlabelled.
struct Labels {
  std::string where;                       // file and array, for messages
  std::vector<std::vector<Joint>> images;  // image number n at n - 1
};

/// Reads an array of a MATLAB v5 file. A joint of weight 0 becomes unlabelled, and its coordinates may be anything.
/// Shapes: double, (joint, field, image): joint_count x 3 x images; the fields are x and y in MATLAB's pixels, the
/// first pixel's centre being (1, 1), and the weight or score, 0 to 1.
/// Errors: UsageError for a threshold outside 0 to 1; DataError naming file, array, image and joint, both from 1: as
/// read_mat_array, and for another shape, no images, more images than the data set has, a weight or score outside 0 to
/// 1, or coordinates that are not finite where the weight is not 0.
inline Labels read_labels(const std::filesystem::path& path, const LabelsOptions& options = {}) {
  const bool scored = options.score_threshold.has_value();
  if (scored && !(*options.score_threshold >= 0 && *options.score_threshold <= 1)) {
    fail<UsageError>(
        {.where = "labels: score threshold", .expected = "0 to 1", .got = std::to_string(*options.score_threshold)});
  }
  Labels labels{path.string() + ": " + options.array, {}};
  const MatArray array = read_mat_array(path, options.array, 3);
  const std::size_t joint_count = static_cast<std::size_t>(options.joint_count), images = array.dims[2];
  if (array.dims[0] != joint_count || array.dims[1] != 3 || images == 0) {
    fail<DataError>({.where = labels.where,
                     .expected = mat_dims_text({joint_count, 3}) + " x images",
                     .got = mat_dims_text(array.dims)});
  }
  if (options.image_count > 0 && images > static_cast<std::size_t>(options.image_count)) {
    fail<DataError>({.where = labels.where,
                     .expected = "at most " + std::to_string(options.image_count) + " images, as the data set has",
                     .got = std::to_string(images),
                     .remedy = "are these the labels of another data set?"});
  }
  for (std::size_t n = 0; n < images; ++n) {
    std::vector<Joint>& joints = labels.images.emplace_back(joint_count);
    for (std::size_t j = 0; j < joint_count; ++j) {
      const double* const first = array.values.data() + j + 3 * joint_count * n;
      const double x = first[0], y = first[joint_count], third = first[2 * joint_count];
      const auto refuse = [&](const std::string& expected, const std::string& got) {
        fail<DataError>(
            {.where = labels.where + ", image " + std::to_string(n + 1) + ", joint " + std::to_string(j + 1),
             .expected = expected,
             .got = got});
      };
      if (!(third >= 0 && third <= 1)) {
        refuse(scored ? "a score of 0 to 1" : "a weight of 0 to 1", std::to_string(third));
      }
      const float weight = scored ? (third >= *options.score_threshold ? 1.0f : 0.0f) : static_cast<float>(third);
      if (weight == 0) continue;
      if (!std::isfinite(x) || !std::isfinite(y)) {
        refuse("finite x and y of a joint that counts", std::to_string(x) + ", " + std::to_string(y));
      }
      joints[j] = {{x - 1, y - 1}, JointState::visible, weight};  // MATLAB counts pixels from 1
    }
  }
  return labels;
}

/// Replaces the joints of all people by those of their image's number. Nobody is changed where it fails.
/// Errors: DataError for an image that the labels do not cover, or a person with another number of joints.
inline void apply_labels(std::span<Person> people, const Labels& labels) {
  for (const Person& person : people) {
    const auto index = static_cast<std::size_t>(person.number - 1);  // of number 0 and below: far too large
    if (index >= labels.images.size()) {
      fail<DataError>({.where = labels.where,
                       .expected = "labels for image " + std::to_string(person.number) + " of " + person.dataset,
                       .got = std::to_string(labels.images.size()) + " images"});
    }
    if (labels.images[index].size() != person.joints.size()) {
      fail<DataError>({.where = labels.where,
                       .expected = std::to_string(person.joints.size()) + " joints, as " + person.dataset + " has",
                       .got = std::to_string(labels.images[index].size())});
    }
  }
  for (Person& person : people) person.joints = labels.images[static_cast<std::size_t>(person.number - 1)];
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
