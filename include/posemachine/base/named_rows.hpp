// NamedRows: things of one kind that are known by their names, the library's and a user's own.
#pragma once

#include <posemachine/base/text.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>

#include <algorithm>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// A registry's rows. Row has a member `name`.
template <class Row>
class NamedRows {
 public:
  const std::vector<Row>& all() const& { return rows_; }
  std::vector<Row> all() && { return std::move(rows_); }  // of a registry that is gone by then

  /// The row, or null.
  const Row* find(std::string_view name) const {
    const auto found = std::find_if(rows_.begin(), rows_.end(), [&](const Row& each) { return each.name == name; });
    return found != rows_.end() ? &*found : nullptr;
  }

  /// `remedy`: what to do where no name is similar. Errors: E naming `where` and the rows there are.
  template <class E = UsageError>
  const Row& get(std::string_view name, const std::string& where, const std::string& remedy = {}) const {
    if (const Row* const row = find(name)) return *row;
    std::string known;
    for (const std::string& each : names()) known += (known.empty() ? "" : ", ") + each;
    const std::string similar = did_you_mean(name, names());
    fail<E>({.where = where,
             .expected = "one of " + known,
             .got = "\"" + detail::excerpt(name, 100) + "\"",
             .remedy = similar.empty() ? remedy : similar});
  }

  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const Row& row : rows_) names.emplace_back(row.name);
    return names;
  }

 protected:
  /// `what` a row is, for messages: "metric". `reserved`: characters that mean something behind a name.
  NamedRows(std::string_view what, std::string_view reserved, std::initializer_list<Row> library)
      : what_(what), reserved_(reserved), rows_(library) {}

  /// Adds a user's own row. Errors: UsageError where it is not `complete`, for want of `part`, or its name is empty, has a
  /// reserved character or is another's.
  void add(const Row& row, bool complete, std::string_view part) {
    const std::string where = std::string(what_) + " \"" + std::string(row.name) + "\"";
    const auto refuse = [&](const std::string& expected, const std::string& got) {
      fail<UsageError>({.where = where, .expected = expected, .got = got});
    };
    if (!complete) refuse(std::string(part), "none");
    if (row.name.empty()) refuse("a name", "none");
    if (row.name.find_first_of(reserved_) != std::string_view::npos) {
      refuse("a name without any of " + std::string(reserved_), std::string(row.name));
    }
    if (find(row.name) != nullptr) refuse("a name of its own", "that of another");
    rows_.push_back(row);
  }

 private:
  std::string_view what_;
  std::string_view reserved_;
  std::vector<Row> rows_;
};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
