// MPII Human Pose: its own file, or the JSON form that HRNet and MMPose read it in.
#pragma once

#include <posemachine/base/json.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/core/image.hpp>
#include <posemachine/data/annotation_json.hpp>
#include <posemachine/data/data_set.hpp>
#include <posemachine/data/mat_file.hpp>
#include <posemachine/data/person.hpp>
#include <posemachine/data/sets/mpii_mat.hpp>
#include <posemachine/pose/joint_set.hpp>
#include <posemachine/pose/known_joint_sets.hpp>
#include <posemachine/pose/pose.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

/// A part's files below the folder of the data set, as HRNet's and MMPose's documentation lay them out.
struct MpiiPart {
  const char* name;
  std::array<const char*, 2> people;
  std::array<const char*, 2> heads;  // null where there are none
};
inline constexpr std::array<MpiiPart, 3> mpii_parts{
    {{"train", {"annot/train.json", "annotations/mpii_train.json"}, {nullptr, nullptr}},
     {"val", {"annot/valid.json", "annotations/mpii_val.json"}, {"annot/gt_valid.mat", "annotations/mpii_gt_val.mat"}},
     {"trainval", {"annot/trainval.json", "annotations/mpii_trainval.json"}, {nullptr, nullptr}}}};

class MpiiReader {
 public:
  MpiiReader(const std::filesystem::path& dir, const std::string& part, const DataSetOptions& options)
      : images_(options.images.empty() ? dir / "images" : options.images) {
    const MpiiPart& wanted = part_of(dir, part);
    std::error_code error;
    for (std::size_t i = 0; i < wanted.people.size() && file_.empty(); ++i) {
      if (!std::filesystem::exists(dir / wanted.people[i], error)) continue;
      file_ = dir / wanted.people[i];
      if (wanted.heads[i] != nullptr && std::filesystem::exists(dir / wanted.heads[i], error)) {
        heads_ = dir / wanted.heads[i];
      }
    }
    if (file_.empty()) refuse_folder(dir, wanted);
  }

  Annotations read(const DataSetOptions& options) const {
    const Json json = read_annotation_json(file_);
    if (!json.is_array()) refuse(file_.string(), "a list of people", json);
    const std::vector<double> head_lengths = heads_.empty() ? std::vector<double>() : read_heads(json.size());
    Annotations read{mpii_joints(), {}};
    std::map<std::string, int> numbers;  // of images, in the order in which they come
    for (std::size_t i = 0; i < json.size(); ++i) {
      const std::string where = file_.string() + ": [" + std::to_string(i) + "]";
      const std::string image = string_member<DataError>(json[i], "image", where);
      const int number = numbers.try_emplace(image, static_cast<int>(numbers.size()) + 1).first->second;
      Person person{images_ / image, "mpii", number, {}, Framing::box};
      if (!read_joints(json[i], where, person)) {
        read.leave_out("people without a labelled joint");
        continue;
      }
      read_box(json[i], where, person);
      if (!head_lengths.empty() && head_lengths[i] > 0) person.head_length = head_lengths[i];
      read.people.push_back(std::move(person));
    }
    finish_people(read.people, file_.string(), options);
    return read;
  }

 private:
  [[noreturn]] static void refuse(const std::string& where, const std::string& expected, const Json& got) {
    fail<DataError>({.where = where, .expected = expected, .got = json_excerpt(got)});
  }

  static const MpiiPart& part_of(const std::filesystem::path& dir, const std::string& part) {
    for (const MpiiPart& each : mpii_parts) {
      if (each.name == (part.empty() ? "train" : part)) return each;
    }
    fail<UsageError>({.where = "mpii:" + dir.string(),
                      .expected = "the part train, val or trainval",
                      .got = "\"" + excerpt(part) + "\""});
  }

  [[noreturn]] static void refuse_folder(const std::filesystem::path& dir, const MpiiPart& wanted) {
    const std::filesystem::path own = own_file_in(dir);
    fail<DataError>({.where = dir.string(),
                     .expected = std::string(wanted.people[0]) + " or " + wanted.people[1],
                     .got = own.empty() ? "neither" : "MPII's own file",
                     .remedy = own.empty() ? "the repositories of HRNet and MMPose say where these conversions of "
                                             "MPII's annotation are to be had"
                                           : "name the file itself: mpii:" + own.string()});
  }

  // Empty where there is none.
  static std::filesystem::path own_file_in(const std::filesystem::path& dir) {
    std::error_code error;
    for (const char* folder : {".", "annot", "annotations", "mpii_human_pose_v1_u12_1", "mpii_human_pose_v1_u12_2"}) {
      std::filesystem::path file = (dir / folder / "mpii_human_pose_v1_u12_1.mat").lexically_normal();
      if (std::filesystem::exists(file, error)) return file;
    }
    return {};
  }

  // 0.6 of each head box's diagonal, 0 where there is no box.
  std::vector<double> read_heads(std::size_t people) const {
    const MatArray boxes = read_mat_array(heads_, "headboxes_src", 3);
    const std::vector<std::size_t> wanted{2, 2, people};
    if (boxes.dims != wanted) {
      fail<DataError>({.where = heads_.string() + ": headboxes_src",
                       .expected = mat_dims_text(wanted) + ", two corners per person of " + file_.string(),
                       .got = mat_dims_text(boxes.dims)});
    }
    std::vector<double> lengths;
    for (std::size_t i = 0; i < people; ++i) {
      const double* const box = boxes.values.data() + 4 * i;  // x of both corners, then y
      const double length = mpii_head_length(box[1] - box[0], box[3] - box[2]);
      if (!is_near(length)) {
        fail<DataError>({.where = heads_.string() + ": headboxes_src, person " + std::to_string(i + 1),
                         .expected = "corners within a million pixels",
                         .got = std::to_string(length) + " for 0.6 of its diagonal"});
      }
      lengths.push_back(length);
    }
    return lengths;
  }

  static Point point(const Json& value, const std::string& where) {
    const bool fits = value.is_array() && value.size() == 2 && value[0].is_number() && value[1].is_number() &&
                      is_near(value[0].get<double>()) && is_near(value[1].get<double>());
    if (!fits) refuse(where, "x and y within a million pixels", value);
    return {value[0].get<double>(), value[1].get<double>()};
  }

  // False where no joint is labelled. MATLAB counts pixels from 1.
  static bool read_joints(const Json& entry, const std::string& where, Person& person) {
    constexpr std::size_t count = 16;
    const Json& joints = array_member<DataError>(entry, "joints", where);
    const Json& visible = array_member<DataError>(entry, "joints_vis", where);
    if (joints.size() != count) refuse(where + ".joints", "16 joints", joints.size());
    if (visible.size() != count) refuse(where + ".joints_vis", "16 flags", visible.size());
    bool labelled = false;
    for (std::size_t j = 0; j < count; ++j) {
      const std::string at = "[" + std::to_string(j) + "]";
      if (visible[j] != 0 && visible[j] != 1) refuse(where + ".joints_vis" + at, "0 or 1", visible[j]);
      const Point position = point(joints[j], where + ".joints" + at);
      Joint& joint = person.joints.emplace_back();
      if (visible[j] == 0) continue;
      joint.position = position - Point{1, 1};
      joint.state = JointState::visible;
      labelled = true;
    }
    return labelled;
  }

  static void read_box(const Json& entry, const std::string& where, Person& person) {
    const Point middle = point(member<DataError>(entry, "center", where), where + ".center");
    const double scale = number_member<DataError>(entry, "scale", where, -1, farthest_annotation_px / 200);
    if (middle.x == -1 || scale <= 0) return;  // as both write that there is none
    person.box = mpii_box(middle, scale);
  }

  std::filesystem::path file_;
  std::filesystem::path heads_;
  std::filesystem::path images_;
};

}  // namespace detail

/// People of MPII, of the part "train" (empty, too), "val" or "trainval": of a folder DIR, DIR/annot/train.json, valid.json,
/// trainval.json as HRNet has them, or DIR/annotations/mpii_train.json, mpii_val.json, mpii_trainval.json as MMPose has
/// them; images in DIR/images. Joints that are not there are unlabelled, all others visible: MPII's own flag is not in
/// these files. Head lengths are read from gt_valid.mat or mpii_gt_val.mat beside the people of val, where it is there.
/// The box is the square that these two libraries crop, before they enlarge it by 1.25, which is our box_context, too:
/// of side 200 * scale, MPII's estimate of the person's height, around a point 15 * scale below `center`. Of the 2,958
/// people of val, 95 in 100 have all of their joints in the crop of 1.25, 80 in one of 1.1.
/// A path that is a file is MPII's own one: as read_mpii_mat.
/// Shapes: pixels, counted from 1 in the files and from 0 here. Errors: UsageError for another part; DataError naming
/// file, person and field. Source: Andriluka et al., CVPR 2014; Sun et al., CVPR 2019 (HRNet).
inline Annotations read_mpii(const std::filesystem::path& path, const std::string& part = "",
                             const DataSetOptions& options = {}) {
  std::error_code error;
  if (std::filesystem::is_regular_file(path, error)) return read_mpii_mat(path, part, options);
  return detail::MpiiReader(path, part, options).read(options);
}

inline constexpr DataSetKind mpii_set{
    .name = "mpii",
    .path = "DIR|FILE.mat",
    .parts =
        "train (also without PART), val or trainval;\nof the file: train (also without PART), single or FIRST:LAST",
    .does = "MPII as HRNet and MMPose have it, or its own file",
    .read = [](const DataSource& source,
               const DataSetOptions& options) { return read_mpii(source.path, source.part, options); },
    .joints = mpii_joints,
    .parts_are_images = true};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
