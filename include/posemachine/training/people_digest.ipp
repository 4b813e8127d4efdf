// The definitions of training/people_digest.hpp.
#pragma once

#include <posemachine/training/people_digest.hpp>

#include <posemachine/base/digest.hpp>
#include <posemachine/pose/pose.hpp>

#include <algorithm>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

POSEMACHINE_INLINE std::string people_digest(std::span<const Person> people) {
  Digest digest;
  bool weighted = false;
  for (const Person& person : people) {
    digest.add(person.dataset);
    digest.add(&person.number, sizeof person.number);
    for (const Joint& joint : person.joints) {
      const double values[]{joint.position.x, joint.position.y, static_cast<double>(joint.state)};
      digest.add(values, sizeof values);
      weighted = weighted || joint.weight != 1;
    }
  }
  // Runs on data sets without boxes keep their digest.
  const bool boxes = std::any_of(people.begin(), people.end(), [](const Person& each) { return each.box.has_value(); });
  for (const Person& person : people) {
    if (!boxes) break;
    const char kind = person.box ? 1 : 0;
    digest.add(&kind, 1);
    if (person.box) digest.add(&*person.box, sizeof *person.box);
  }
  if (weighted) {  // runs from before there were weights keep their digest
    digest.add("weights");
    for (const Person& person : people) {
      for (const Joint& joint : person.joints) digest.add(&joint.weight, sizeof joint.weight);
    }
  }
  return std::to_string(people.size()) + " people, " + digest.text();
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
