// Where estimate's results go: paths planned and checked before anything is read, written whole or not at all.
#include "estimate_outputs.hpp"

#include "tool.hpp"

#include <posemachine/base/files.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/pose/pose_format.hpp>

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace pm = posemachine;

namespace tool {

namespace {

// The same for every name of a file, there or not.
std::string identity_of(const std::filesystem::path& path) {
  std::error_code error;
  const std::filesystem::path whole = std::filesystem::weakly_canonical(std::filesystem::absolute(path, error), error);
  return (error ? path.lexically_normal() : whole).string();
}

}  // namespace

OutputPlace::OutputPlace(std::string option, std::string path, bool several,
                         std::function<std::string(const std::filesystem::path& image)> file_name)
    : option_(std::move(option)), path_(std::move(path)), file_name_(std::move(file_name)) {
  if (path_.empty()) pm::fail<pm::UsageError>({.where = option_, .expected = "a name, or -", .got = "\"\""});
  if (several && on_stdout()) {
    pm::fail<pm::UsageError>(
        {.where = option_, .expected = "a folder for the files of several images", .got = "stdout (-)"});
  }
  std::error_code error;
  const bool there = std::filesystem::exists(path_, error);
  const bool is_there_as_folder = std::filesystem::is_directory(path_, error);
  // A folder that does not exist yet and has a file's ending is a slip: a name for the result of one image.
  const std::filesystem::path as_file = file_name_(path_);
  const bool is_file_name = as_file.extension() == std::filesystem::path(path_).extension() && !path_.ends_with('/');
  if (several && !is_there_as_folder && (there || is_file_name)) {
    pm::fail<pm::UsageError>(
        {.where = option_, .expected = "a folder for the files of several images", .got = "the file " + path_});
  }
  folder_ = !on_stdout() && (several || is_there_as_folder || path_.ends_with('/'));
}

std::filesystem::path OutputPlace::file(const std::string& image) const {
  return folder_ ? std::filesystem::path(path_) / file_name_(image) : std::filesystem::path(path_);
}

void OutputPlace::prepare() const {
  if (!folder_) return;
  std::error_code error;
  std::filesystem::create_directories(path_, error);
  if (error) pm::fail<pm::RuntimeFailure>({.where = option_ + ": " + path_ + ": " + error.message()});
}

std::string stem_of(const std::filesystem::path& image) { return image == "-" ? "stdin" : image.stem().string(); }

void check_places(const std::vector<const OutputPlace*>& places, const std::vector<std::string>& images,
                  const std::vector<std::string>& inputs) {
  std::map<std::string, std::string> taken;  // what each file is
  for (const std::string& input : inputs) {
    if (!input.empty()) taken[identity_of(input)] = "a file that is read";
  }
  for (const std::string& image : images) {
    if (image != "-") taken[identity_of(image)] = "an image that is read";
  }
  const auto take = [&](const OutputPlace& place, const std::string& image) {
    const std::filesystem::path file = place.file(image);
    const std::string what = place.option() + (place.is_folder() ? " of " + image : "");
    const auto [other, is_free] = taken.emplace(identity_of(file), what);
    if (is_free) return;
    pm::fail<pm::UsageError>({.where = what,
                              .expected = "a file of its own",
                              .got = file.string() + ", which is " + other->second + " too",
                              .remedy = "write to another place, or name the images differently"});
  };
  for (const OutputPlace* place : places) {
    if (!place->wanted() || place->on_stdout()) continue;
    if (!place->is_folder()) {
      take(*place, "");
      continue;
    }
    for (const std::string& image : images) take(*place, image);
  }
}

std::string PoseOutput::next(const pm::ImagePoses& image) {
  std::string text;
  if (place_.is_folder()) {
    text = pm::write_poses(format_, image, joints_);
    pm::write_file_atomically(place_.file(image.image), text);
  } else {
    text = writer_.next(image);
    add(text);
  }
  return text;
}

void PoseOutput::end(std::string_view last) {
  add(writer_.end() + std::string(last));
  if (place_.wanted() && !place_.on_stdout() && !place_.is_folder()) pm::write_file_atomically(place_.path(), text_);
}

void PoseOutput::add(std::string_view text) {
  if (!place_.wanted() || place_.is_folder()) return;
  if (place_.on_stdout()) {
    write_stdout(text);
  } else {
    text_ += text;
  }
}

}  // namespace tool
