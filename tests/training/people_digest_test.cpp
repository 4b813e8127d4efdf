// The digest of a training set: what it tells apart, and that it stays what stored runs have.
#include <posemachine/training/people_digest.hpp>

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

using namespace posemachine;

namespace {

std::vector<Person> two_people() {
  return {{"a/im0001.jpg", "lsp", 1, {{{1.5, 2.25}, JointState::visible}, {{-3, 4}, JointState::occluded}}},
          {"b/im00007.jpg", "lspet", 7, {{{10, 20.5}, JointState::visible}, {{}, JointState::unlabelled}}}};
}

}  // namespace

TEST_CASE("people_digest: people whose joints all weigh 1 have the digest that checkpoints stored before weights") {
  CHECK(people_digest(two_people()) == "2 people, be26ba1a4922fa4b");
  CHECK(people_digest({}) == "0 people, cbf29ce484222325");
}

TEST_CASE("people_digest: other weights, positions, states, numbers and orders are told apart; folders are not") {
  std::vector<std::vector<Person>> sets(9, two_people());
  sets[1][0].joints[0].weight = 0.5f;
  sets[2][0].joints[1].weight = 0.5f;
  sets[3][1].joints[0].weight = 0.5f;
  sets[4][0].joints[0].weight = 0;
  sets[5][0].joints[0].position.x = 1.25;
  sets[6][0].joints[0].state = JointState::occluded;
  sets[7][0].number = 2;
  std::swap(sets[8][0], sets[8][1]);
  std::set<std::string> digests;
  for (const auto& people : sets) digests.insert(people_digest(people));
  CHECK(digests.size() == sets.size());
  std::vector<Person> moved = two_people();
  moved[0].image = "elsewhere/im0001.jpg";
  CHECK(people_digest(moved) == people_digest(two_people()));
}
