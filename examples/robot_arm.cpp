// robot_arm FOLDER PICTURES [SEED]: draws pictures of a robot arm and a table of its seven joints, to train on without
// any photographs: docs/how_to/train_on_your_own_data.md.
#include <posemachine/base/files.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/core/image.hpp>
#include <posemachine/core/random.hpp>
#include <posemachine/data/image_io.hpp>
#include <posemachine/pose/draw.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <numbers>
#include <string>
#include <vector>

namespace pm = posemachine;

namespace {

constexpr int width = 160;
constexpr int height = 120;
constexpr std::array<const char*, 7> names{"base", "shoulder", "elbow", "wrist", "palm", "left_finger", "right_finger"};

using Joints = std::array<pm::Point, names.size()>;

pm::Point step(pm::Point from, double length, double angle) {
  return from + pm::Point{length * std::cos(angle), -length * std::sin(angle)};
}

Joints bend(pm::RandomStream& random) {
  const pm::Point base{random.uniform(55, 105), random.uniform(100, 112)};
  const double size = random.uniform(0.8, 1.1);
  double angle = std::numbers::pi / 2 + random.uniform(-0.3, 0.3);
  const pm::Point shoulder = step(base, 18 * size, angle);
  angle += random.uniform(-0.9, 0.9);
  const pm::Point elbow = step(shoulder, 30 * size, angle);
  angle += random.uniform(-1.3, 1.3);
  const pm::Point wrist = step(elbow, 24 * size, angle);
  angle += random.uniform(-0.8, 0.8);
  const pm::Point palm = step(wrist, 9 * size, angle);
  const double spread = random.uniform(0.25, 0.8);
  return {
      base, shoulder, elbow, wrist, palm, step(palm, 10 * size, angle + spread), step(palm, 10 * size, angle - spread)};
}

pm::Rgb any_colour(pm::RandomStream& random) {
  const auto level = [&] { return static_cast<std::uint8_t>(random.below(256)); };
  const std::uint8_t red = level(), green = level(), blue = level();
  return {red, green, blue};
}

// A wall of some colour, things that are no arm, and the arm in a colour of its own.
pm::Image draw(const Joints& joints, pm::RandomStream& random) {
  pm::Image image(width, height);
  pm::fill_rectangle(image, 0, 0, width, height, any_colour(random));
  for (int thing = 0; thing < 5; ++thing) {
    const pm::Point at{random.uniform(0, width), random.uniform(0, height)};
    const pm::Point other = at + pm::Point{random.uniform(-40, 40), random.uniform(-40, 40)};
    if (random.below(2) == 0)
      pm::draw_line(image, at, other, random.uniform(2, 6), any_colour(random));
    else
      pm::draw_disc(image, at, random.uniform(2, 9), any_colour(random));
  }
  const pm::Rgb colour = any_colour(random);
  const std::array<std::array<std::size_t, 2>, 6> links{{{0, 1}, {1, 2}, {2, 3}, {3, 4}, {4, 5}, {4, 6}}};
  const std::array<double, 6> thickness{9, 7, 5, 4, 3, 3};
  for (std::size_t i = 0; i < links.size(); ++i) {
    pm::draw_line(image, joints[links[i][0]], joints[links[i][1]], thickness[i] + 2, {20, 20, 20});
  }
  for (std::size_t i = 0; i < links.size(); ++i) {
    pm::draw_line(image, joints[links[i][0]], joints[links[i][1]], thickness[i], colour);
  }
  for (std::size_t joint = 1; joint <= 3; ++joint) pm::draw_disc(image, joints[joint], 2.5, {240, 240, 240});
  for (std::uint8_t& value : image.pixels) {
    const int noisy = value + static_cast<int>(std::lround(6 * random.normal()));
    value = static_cast<std::uint8_t>(std::clamp(noisy, 0, 255));
  }
  return image;
}

void write_set(const std::filesystem::path& folder, int pictures, std::uint64_t seed) {
  std::filesystem::create_directories(folder / "images");
  std::string table = "image";
  for (const std::string name : names) table += "," + name + "_x," + name + "_y";
  table += ",box_x,box_y,box_width,box_height\n";
  for (int i = 0; i < pictures; ++i) {
    pm::RandomStream random(seed, pm::Purpose::test, 0, static_cast<std::uint64_t>(i));
    const Joints joints = bend(random);
    const std::string file = "arm" + std::to_string(i) + ".png";
    pm::write_png(folder / "images" / file, draw(joints, random));
    table += file;
    double left = joints[0].x, right = left, top = joints[0].y, bottom = top;
    for (const pm::Point& joint : joints) {
      char text[64];
      std::snprintf(text, sizeof text, ",%.2f,%.2f", joint.x, joint.y);
      table += text;
      left = std::min(left, joint.x), right = std::max(right, joint.x);
      top = std::min(top, joint.y), bottom = std::max(bottom, joint.y);
    }
    char box[96];
    constexpr double margin = 6;  // the arm is thicker than its joints are far apart
    std::snprintf(box, sizeof box, ",%.2f,%.2f,%.2f,%.2f\n", left - margin, top - margin, right - left + 2 * margin,
                  bottom - top + 2 * margin);
    table += box;
  }
  pm::write_file_atomically(folder / "arms.csv", table);
  std::printf("%s: %d pictures\n", (folder / "arms.csv").c_str(), pictures);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3 || argc > 4) {
    std::fprintf(stderr, "usage: robot_arm FOLDER PICTURES [SEED]\n");
    return 2;
  }
  try {
    write_set(argv[1], std::stoi(argv[2]), argc == 4 ? std::stoull(argv[3]) : 1);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "robot_arm: %s\n", error.what());
    return 1;
  }
}
