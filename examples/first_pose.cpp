// first_pose MODEL PHOTO PICTURE [X Y WIDTH HEIGHT]: prints the joints of the person in a photo and draws the skeleton.
#include <posemachine/estimate.hpp>

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace pm = posemachine;

namespace {

// docs: begin first_pose
void draw_first_pose(const std::string& model_file, const std::string& photo_file, const std::string& picture_file,
                     const std::vector<pm::Box>& people) {
  const pm::Model model = pm::Model::load(model_file);
  const std::vector<std::string>& names = model.spec().joints.joints;
  pm::Image photo = pm::read_image(photo_file);  // JPEG or PNG, turned upright

  pm::Estimator estimator(model);      // one per thread; copies share the weights
  const std::vector<pm::Pose> poses =  // no boxes: one person, the whole photo
      people.empty() ? std::vector{estimator(photo)} : estimator(photo, people);

  for (const pm::Pose& pose : poses) {
    for (std::size_t j = 0; j < names.size(); ++j) {
      const pm::Keypoint& joint = pose.keypoints[j];
      std::printf("%-16s %7.1f %7.1f  score %.2f\n", names[j].c_str(), joint.position.x, joint.position.y, joint.score);
    }
    pm::draw_pose(photo, pose, model.spec().joints);
  }
  pm::write_png(picture_file, photo);
}
// docs: end first_pose

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4 && argc != 8) {
    std::fprintf(stderr, "usage: first_pose MODEL PHOTO PICTURE.png [X Y WIDTH HEIGHT]\n");
    return 2;
  }
  std::vector<pm::Box> people;
  if (argc == 8) people.push_back({std::atof(argv[4]), std::atof(argv[5]), std::atof(argv[6]), std::atof(argv[7])});
  try {
    draw_first_pose(argv[1], argv[2], argv[3], people);
  } catch (const pm::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
