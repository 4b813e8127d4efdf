// Where estimate's results go: a file, a folder with a file per image, or stdout.
#pragma once

#include "tool.hpp"

#include <posemachine/pose/joint_set.hpp>
#include <posemachine/pose/pose_format.hpp>

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tool {

/// An option that names a file, or a folder in which each image has its file.
class OutputPlace {
 public:
  /// No output.
  OutputPlace() = default;

  /// A folder for several images, for a path that ends in a slash, and where there is one; - is stdout.
  /// `file_name`: of an image's file in the folder. Errors: UsageError for an empty path, and for several images where
  /// the path is stdout or a file.
  OutputPlace(std::string option, std::string path, bool several,
              std::function<std::string(const std::filesystem::path& image)> file_name);

  bool wanted() const { return !path_.empty(); }
  bool on_stdout() const { return path_ == "-"; }
  bool is_folder() const { return folder_; }
  const std::string& option() const { return option_; }
  const std::string& path() const { return path_; }

  /// Of an image; not on stdout.
  std::filesystem::path file(const std::string& image) const;

  /// Makes the folder, if it is one.
  void prepare() const;

 private:
  std::string option_;
  std::string path_;
  bool folder_ = false;
  std::function<std::string(const std::filesystem::path& image)> file_name_;
};

/// The stem of an image's name; of standard input, "stdin".
std::string stem_of(const std::filesystem::path& image);

/// `inputs`: other files that are read; empty ones are none. Errors: UsageError where two results would be one file,
/// one of the images or an input.
void check_places(const std::vector<const OutputPlace*>& places, const std::vector<std::string>& images,
                  const std::vector<std::string>& inputs);

/// Writes poses in a format: to stdout as they come, to a file once all are there, or to a file per image.
class PoseOutput {
 public:
  PoseOutput(const posemachine::PoseFormat& format, posemachine::JointSet joints, const OutputPlace& place)
      : format_(format), joints_(std::move(joints)), place_(place), writer_(format_, joints_) {}

  void begin() { add(writer_.begin()); }
  /// Returns what was written.
  std::string next(const posemachine::ImagePoses& image);
  /// `last`: what else belongs to the output.
  void end(std::string_view last = {});

 private:
  void add(std::string_view text);

  posemachine::PoseFormat format_;
  posemachine::JointSet joints_;
  OutputPlace place_;
  posemachine::PoseWriter writer_;
  std::string text_;  // of a file
};

}  // namespace tool
