// A digest of a training set, so that a run goes on with the people it was started with.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/data/person.hpp>
#include <posemachine/pose/pose.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace posemachine::inline POSEMACHINE_BUILD {

/// "14 people, 0123456789abcdef": tells training sets apart by who is in them, in which order and with which joints;
/// where the files lie does not matter. Source: FNV-1a, 64 bits.
inline std::string people_digest(std::span<const Person> people) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  const auto add = [&hash](const void* bytes, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i)
      hash = (hash ^ static_cast<const unsigned char*>(bytes)[i]) * 0x100000001b3ULL;
  };
  for (const Person& person : people) {
    add(person.dataset.data(), person.dataset.size());
    add(&person.number, sizeof person.number);
    for (const Joint& joint : person.joints) {
      const double values[]{joint.position.x, joint.position.y, static_cast<double>(joint.state)};
      add(values, sizeof values);
    }
  }
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text = std::to_string(people.size()) + " people, ";
  for (int shift = 60; shift >= 0; shift -= 4) text += digits[(hash >> shift) & 15];
  return text;
}

}  // namespace posemachine::inline POSEMACHINE_BUILD
