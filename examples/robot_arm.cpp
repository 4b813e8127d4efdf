// robot_arm FOLDER PICTURES [SEED] [--depth 8|16]: draws pictures of a robot arm and a table of its seven joints, to
// train on without any photographs: docs/how_to/train_on_your_own_data.md. With --depth the same arms as a depth sensor
// sees them: grey pictures of 16 bits, a millimetre per level, or of 8 bits, 16 mm per level; 0: nothing was seen.
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

constexpr std::array<std::array<std::size_t, 2>, 6> links{{{0, 1}, {1, 2}, {2, 3}, {3, 4}, {4, 5}, {4, 6}}};
constexpr std::array<double, links.size()> thickness{9, 7, 5, 4, 3, 3};  // pixels

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

// Millimetres from a depth sensor; of things that overlap the nearest is seen.
class DepthScene {
 public:
  // A wall that need not stand straight before the sensor.
  explicit DepthScene(pm::RandomStream& random) {
    const double middle = random.uniform(1900, 3000), across = random.uniform(-3, 3), down = random.uniform(-3, 3);
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) at(x, y) = middle + across * (x - width / 2) + down * (y - height / 2);
    }
  }

  // A round bar between two points at two distances.
  void add_bar(pm::Point from, pm::Point to, double thickness_px, double from_mm, double to_mm) {
    constexpr double mm_per_px = 6;
    const pm::Point along = to - from;
    const double length2 = along.x * along.x + along.y * along.y;
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) {
        const pm::Point offset = pm::Point{double(x), double(y)} - from;
        const double share = length2 > 0 ? (offset.x * along.x + offset.y * along.y) / length2 : 0;
        const double t = std::clamp(share, 0.0, 1.0);
        const double aside = pm::distance(offset, t * along), radius = thickness_px / 2;
        if (aside > radius) continue;
        const double bulge = mm_per_px * std::sqrt(radius * radius - aside * aside);
        at(x, y) = std::min(at(x, y), from_mm + t * (to_mm - from_mm) - bulge);
      }
    }
  }

  // The sensor's picture: noise grows with the square of the distance; 2 % of all pixels, and a third of those at an
  // edge, are missing. Source for noise and edges: Khoshelham and Oude Elberink 2012, of Kinect.
  pm::DepthImage seen(pm::RandomStream& random) const {
    pm::DepthImage image(width, height);
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) {
        const double mm = at(x, y);
        const double noisy = mm + (1 + 3e-6 * mm * mm) * random.normal();
        const bool missing = random.uniform() < (is_edge(x, y) ? 0.33 : 0.02);
        image.at(x, y)[0] = missing ? 0 : static_cast<std::uint16_t>(std::lround(std::clamp(noisy, 1.0, 65535.0)));
      }
    }
    return image;
  }

 private:
  double& at(int x, int y) { return mm_[static_cast<std::size_t>(y * width + x)]; }
  double at(int x, int y) const { return mm_[static_cast<std::size_t>(y * width + x)]; }
  bool is_edge(int x, int y) const {
    constexpr double step_mm = 80;
    const double right = at(std::min(x + 1, width - 1), y), below = at(x, std::min(y + 1, height - 1));
    return std::abs(right - at(x, y)) > step_mm || std::abs(below - at(x, y)) > step_mm;
  }

  std::vector<double> mm_ = std::vector<double>(static_cast<std::size_t>(width * height));
};

// A wall, things that are no arm before and behind it, and the arm, whose links lean towards the sensor or away.
pm::DepthImage draw_depth(const Joints& joints, pm::RandomStream& random) {
  DepthScene scene(random);
  for (int thing = 0; thing < 5; ++thing) {
    const pm::Point at{random.uniform(0, width), random.uniform(0, height)};
    const bool is_bar = random.below(2) == 0;
    const pm::Point along{random.uniform(-40, 40), random.uniform(-40, 40)};
    const double mm = random.uniform(800, 2600), tilt = random.uniform(-200, 200);
    scene.add_bar(at, is_bar ? at + along : at, random.uniform(3, 12), mm, is_bar ? mm + tilt : mm);
  }
  std::array<double, names.size()> mm{random.uniform(1000, 1600)};
  for (const auto& [from, to] : links) mm[to] = mm[from] + random.uniform(-60, 60);
  for (std::size_t i = 0; i < links.size(); ++i) {
    const auto [from, to] = links[i];
    scene.add_bar(joints[from], joints[to], thickness[i] + 1, mm[from], mm[to]);
  }
  return scene.seen(random);
}

// Levels of 16 mm, up to 4.08 m.
pm::GreyImage in_levels(const pm::DepthImage& depth) {
  pm::GreyImage grey(depth.width, depth.height);
  std::transform(depth.pixels.begin(), depth.pixels.end(), grey.pixels.begin(),
                 [](int mm) { return static_cast<std::uint8_t>(std::min((mm + 8) / 16, 255)); });
  return grey;
}

// `depth_bits`: 0 for colours, 8 or 16 for depth.
pm::AnyImage draw_as(int depth_bits, const Joints& joints, pm::RandomStream& random) {
  if (depth_bits == 0) return draw(joints, random);
  pm::DepthImage depth = draw_depth(joints, random);
  if (depth_bits == 8) return in_levels(depth);
  return depth;
}

void write_set(const std::filesystem::path& folder, int pictures, std::uint64_t seed, int depth_bits) {
  std::filesystem::create_directories(folder / "images");
  std::string table = "image";
  for (const std::string name : names) table += "," + name + "_x," + name + "_y";
  table += ",box_x,box_y,box_width,box_height\n";
  for (int i = 0; i < pictures; ++i) {
    pm::RandomStream random(seed, pm::Purpose::test, 0, static_cast<std::uint64_t>(i));
    const Joints joints = bend(random);
    const std::string file = "arm" + std::to_string(i) + ".png";
    pm::write_png(folder / "images" / file, draw_as(depth_bits, joints, random));
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
  std::vector<std::string> arguments(argv + 1, argv + argc);
  int depth_bits = 0;
  if (const auto option = std::find(arguments.begin(), arguments.end(), "--depth"); option != arguments.end()) {
    const std::string bits = option + 1 == arguments.end() ? "" : option[1];
    depth_bits = bits == "8" ? 8 : bits == "16" ? 16 : -1;
    if (depth_bits > 0) arguments.erase(option, option + 2);
  }
  if (arguments.size() < 2 || arguments.size() > 3 || depth_bits < 0) {
    std::fprintf(stderr, "usage: robot_arm FOLDER PICTURES [SEED] [--depth 8|16]\n");
    return 2;
  }
  try {
    const std::uint64_t seed = arguments.size() == 3 ? std::stoull(arguments[2]) : 1;
    write_set(arguments[0], std::stoi(arguments[1]), seed, depth_bits);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "robot_arm: %s\n", error.what());
    return 1;
  }
}
