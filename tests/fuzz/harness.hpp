// Fuzz harnesses: a reader, the errors it may refuse an input with, and small inputs to begin from.
#pragma once

#include "temporary_folder.hpp"

#include <posemachine/core/error.hpp>
#include <posemachine/data/data_set.hpp>
#include <posemachine/data/person.hpp>
#include <posemachine/pose/joint_set.hpp>

#include <cmath>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace fuzz {

/// Row of harnesses(). A reader may throw what is_refusal() knows; whatever else leaves it is a finding.
struct Harness {
  std::string_view name;
  std::vector<std::string> (*seeds)();  // inputs that are read without a refusal
  void (*read)(const std::string& input);
  bool (*is_refusal)(const posemachine::Error& error);
};

/// Those of the program: one in a fuzzer, all of them in the test.
inline std::vector<Harness>& harnesses() {
  static std::vector<Harness> all;
  return all;
}

inline bool add(const Harness& harness) {
  harnesses().push_back(harness);
  return true;
}

/// The errors that a reader promises.
template <class... Es>
bool refuses_with(const posemachine::Error& error) {
  return (... || (dynamic_cast<const Es*>(&error) != nullptr));
}

/// Whether the input was read: false where it was refused as promised. Throws whatever is a finding.
inline bool accepts(const Harness& harness, const std::string& input) {
  try {
    harness.read(input);
    return true;
  } catch (const posemachine::Error& error) {
    if (!harness.is_refusal(error)) throw;
    return false;
  }
}

/// A property of what was read. Not an Error: one that does not hold is a finding.
inline void require(bool holds, const std::string& what) {
  if (!holds) throw std::logic_error(what);
}

/// For readers that take files; of this process alone, where TMPDIR says.
inline const test_environment::TemporaryFolder& folder() {
  static const test_environment::TemporaryFolder own;
  return own;
}

/// Stands between the files of an input that is made of several.
inline constexpr char file_separator = '\x1c';

/// So many files of an input; those that are not there are empty, and the last one has the rest.
inline std::vector<std::string> files_in(std::string_view input, std::size_t count) {
  std::vector<std::string> files;
  while (files.size() + 1 < count && input.find(file_separator) != std::string_view::npos) {
    files.emplace_back(input.substr(0, input.find(file_separator)));
    input.remove_prefix(files.back().size() + 1);
  }
  files.emplace_back(input);
  files.resize(count);
  return files;
}

/// What every data set's reader promises of what it returns.
inline void require_sound(const posemachine::Annotations& read) {
  check(read.joints);
  require(!read.people.empty(), "at least one person");
  for (const posemachine::Person& person : read.people) {
    require(person.joints.size() == read.joints.joints.size(), "a joint of each person per joint of the set");
    for (const posemachine::Joint& joint : person.joints) {
      if (!joint.is_labelled()) continue;
      require(std::isfinite(joint.position.x) && std::isfinite(joint.position.y), "finite positions");
    }
    if (!person.box) continue;
    require(std::isfinite(person.box->x) && std::isfinite(person.box->y), "finite corners");
    require(person.box->width > 0 && person.box->height > 0, "boxes that have an area");
    require(std::isfinite(person.box->width) && std::isfinite(person.box->height), "finite boxes");
  }
}

}  // namespace fuzz
