// Photographs that could not be used, as every command that goes round them says it.
#include "left_out.hpp"

#include <cstddef>

namespace pm = posemachine;

namespace tool {

std::set<std::filesystem::path> warn_of_absent(std::span<const pm::Person> people, const Context& context) {
  std::set<std::filesystem::path> images;
  const std::vector<pm::AbsentImage> absent = pm::absent_images(people);
  if (absent.empty()) return images;
  std::size_t count = 0;
  for (const pm::AbsentImage& each : absent) {
    count += each.people;
    images.insert(each.image);
  }
  context.warn(format("left out: %zu of %zu people, whose images are absent: %zu, %s first", count, people.size(),
                      absent.size(), absent.front().image.c_str()));
  return images;
}

void warn_of_left_out(const pm::DamagedImages& damaged, std::set<std::filesystem::path>& named,
                      const Context& context) {
  for (const auto& [image, message] : damaged.all()) {
    if (named.insert(image).second) context.warn("left out: " + message);
  }
}

std::string left_out_words(const pm::Annotations& annotations) {
  std::string words;
  for (const pm::LeftOut& each : annotations.left_out) {
    words += (words.empty() ? "" : ", ") + each.what + " (" + thousands(static_cast<long long>(each.count)) + ")";
  }
  return words;
}

pm::Json left_out_to_json(const pm::Annotations& annotations) {
  pm::Json json = pm::Json::object();
  for (const pm::LeftOut& each : annotations.left_out) json[each.what] = each.count;
  return json;
}

void add_left_out(pm::Json& json, const LeftOutImages& images) {
  for (const auto& [image, problem] : images) {
    json["left_out_images"].push_back({{"image", image.string()}, {"problem", problem}});
  }
}

LeftOutImages left_out_from_json(const pm::Json& json, const std::string& where) {
  LeftOutImages images;
  if (!json.contains("left_out_images")) return images;
  for (const pm::Json& entry : pm::array_member(json, "left_out_images", where)) {
    const std::string entry_where = where + ".left_out_images[" + std::to_string(images.size()) + "]";
    images.emplace(pm::string_member(entry, "image", entry_where), pm::string_member(entry, "problem", entry_where));
  }
  return images;
}

std::string left_out_text(int people) { return people == 0 ? "" : format(", %d left out", people); }

}  // namespace tool
