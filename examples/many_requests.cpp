// many_requests MODEL PHOTO...: many photos, few threads; what a server does with EstimatorPool.
#include <posemachine/data/image_io.hpp>
#include <posemachine/posemachine.hpp>

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <future>
#include <string>
#include <utility>
#include <vector>

namespace pm = posemachine;

namespace {

// docs: begin many_requests
int estimate_all(const pm::Model& model, const std::vector<std::string>& photos) {
  using namespace std::chrono_literals;
  pm::EstimatorPool pool(model, {.threads = 2, .queue = 16});
  std::vector<std::pair<std::string, std::future<pm::Pose>>> answers;
  int unanswered = 0;
  for (const std::string& name : photos) {
    try {
      const pm::Image photo = pm::read_image(name);
      answers.emplace_back(name, pool.submit(photo, {.deadline = pm::RequestOptions::Clock::now() + 2s}));
    } catch (
        const pm::Error& error) {  // DataError: no such photo; Rejected: a full queue, for which a server answers 503
      std::printf("%s\n", error.what());
      ++unanswered;
    }
  }
  for (auto& [name, answer] : answers) {
    try {
      const pm::Keypoint last = answer.get().keypoints.back();
      std::printf("%s: %s at %.0f, %.0f\n", name.c_str(), model.spec().joints.joints.back().c_str(), last.position.x,
                  last.position.y);
    } catch (const pm::Error& error) {  // Rejected for one that waited too long; whatever else went wrong with it
      std::printf("%s: %s\n", name.c_str(), error.what());
      ++unanswered;
    }
  }
  return unanswered;  // the pool ends with its last request
}
// docs: end many_requests

}  // namespace

int main(int count, char** arguments) {
  if (count < 3) {
    std::fprintf(stderr, "usage: many_requests MODEL.safetensors PHOTO...\n");
    return 2;
  }
  try {
    return estimate_all(pm::Model::load(arguments[1]), {arguments + 2, arguments + count}) == 0 ? 0 : 1;
  } catch (const pm::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
