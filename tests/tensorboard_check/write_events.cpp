// Writes the event files that check.py reads: a run, and one that was resumed. Both end as by a crash.
#include <posemachine/core/image.hpp>
#include <posemachine/training/event_file.hpp>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>

namespace pm = posemachine;

namespace {

// Pixel (x, y) is (x, y, step).
pm::Image gradient(int width, int height, std::int64_t step) {
  pm::Image image(width, height);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      image.at(x, y)[0] = static_cast<std::uint8_t>(x);
      image.at(x, y)[1] = static_cast<std::uint8_t>(y);
      image.at(x, y)[2] = static_cast<std::uint8_t>(step);
    }
  }
  return image;
}

void write_steps(pm::EventFile& file, std::int64_t first, std::int64_t last, double scale) {
  for (std::int64_t step = first; step <= last; ++step) {
    file.scalar("loss/stage 1", step, scale / static_cast<double>(step));
    if (step % 2 == 0) file.picture("validation/pose", step, gradient(37, 21, step));
  }
}

}  // namespace

int main(int count, char** words) {
  if (count != 2) {
    std::fprintf(stderr, "Usage: write_events FOLDER\n");
    return 2;
  }
  const std::filesystem::path folder = words[1];
  try {
    for (const char* run : {"plain", "resumed"}) std::filesystem::create_directories(folder / run);
    pm::EventFile plain(folder / "plain");
    write_steps(plain, 1, 8, 1);
    plain.scalar("far", std::int64_t{1} << 40, -2.5);
    pm::EventFile stopped(folder / "resumed");
    write_steps(stopped, 1, 8, 1);
    stopped.scalar("orphan", 5, 5);
    stopped.scalar("orphan", 7, 7);
    pm::EventFile resumed(folder / "resumed");
    resumed.restart_at(5);
    write_steps(resumed, 6, 7, 100);
    std::_Exit(0);  // nothing is closed or flushed
  } catch (const std::exception& error) {
    std::fprintf(stderr, "write_events: %s\n", error.what());
    return 1;
  }
}
