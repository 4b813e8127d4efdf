// The drawing of a network as SVG.
#include "network_svg.hpp"

#include "tool.hpp"

#include <posemachine/graph/ops.hpp>
#include <posemachine/graph/queries.hpp>
#include <posemachine/graph/sizes.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pm = posemachine;

namespace tool {

namespace {

// Pixels of the picture.
constexpr int margin = 24;
constexpr int column_width = 260;
constexpr int column_gap = 90;
constexpr int row_height = 38;
constexpr int row_gap = 14;
constexpr int head_height = 96;    // name and costs of a column
constexpr int output_height = 34;  // of an output's sign below its box

// Nodes that are drawn as one: a block inside a column, or an operation with what follows it cell by cell.
struct Box {
  std::string name;
  std::string detail;
  int column = 0;
  int row = 0;
  int last = 0;  // node whose dst is the box's
  std::int64_t multiply_adds = 0;
  std::vector<std::size_t> outputs;
};

struct Column {
  std::string name;
  int rows = 0;
  std::int64_t parameters = 0;
  std::int64_t multiply_adds = 0;
};

std::string escaped(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    switch (c) {
      case '&': safe += "&amp;"; break;
      case '<': safe += "&lt;"; break;
      case '>': safe += "&gt;"; break;
      case '"': safe += "&quot;"; break;
      default: safe += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? '?' : c;
    }
  }
  return safe;
}

// At most so many characters; names are UTF-8, and a cut must not split a character.
std::string shortened(std::string_view text, std::size_t most) {
  if (text.size() <= most) return std::string(text);
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0) == 0x80) --most;
  return std::string(text.substr(0, most)) + "...";
}

// "3.95 G": three digits and a prefix.
std::string with_prefix(std::int64_t count) {
  double value = static_cast<double>(count);
  const char* const prefixes[] = {"", " k", " M", " G", " T", " P", " E"};
  std::size_t prefix = 0;
  while (value >= 999.5 && prefix + 1 < std::size(prefixes)) {
    value /= 1000;
    ++prefix;
  }
  return format(prefix == 0      ? "%.0f%s"
                : value >= 99.95 ? "%.0f%s"
                : value >= 9.995 ? "%.1f%s"
                                 : "%.2f%s",
                value, prefixes[prefix]);
}

// White to orange by the share of the most expensive box.
std::string heat(std::int64_t cost, std::int64_t most) {
  const double share = most > 0 ? std::sqrt(static_cast<double>(cost) / static_cast<double>(most)) : 0;
  const auto mix = [&](int from, int to) { return from + static_cast<int>(std::lround((to - from) * share)); };
  return format("#%02x%02x%02x", static_cast<unsigned>(mix(255, 253)), static_cast<unsigned>(mix(255, 174)),
                static_cast<unsigned>(mix(255, 97)));
}

// "5x5, /2": what a single operation's window is.
std::string window_text(const pm::Node& node) {
  const pm::Window window = node.op->geometry(node.options);
  std::string text;
  if (window.kernel > 1 || node.op == &pm::convolution_op) text += format(" %dx%d", window.kernel, window.kernel);
  if (window.dilation > 1) text += format(" rate %d", window.dilation);
  if (window.stride > 1) text += format(" /%d", window.stride);
  if (window.scale > 1) text += format(" x%d", window.scale);
  return text;
}

// The nodes of a network as boxes in columns.
class Chart {
 public:
  Chart(const pm::Graph& graph, pm::Size input) : graph_(graph), sizes_(pm::infer_sizes(graph, input)) {
    box_of_.resize(graph.nodes.size());
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) place(static_cast<int>(i));
    for (Box& box : boxes_) {
      const auto last = static_cast<std::size_t>(graph.nodes[static_cast<std::size_t>(box.last)].dst);
      box.detail = format("%d x %d x %d", graph.values[last].channels, sizes_[last].height, sizes_[last].width);
      if (box.multiply_adds > 0) box.detail += " · " + with_prefix(box.multiply_adds);
      most_ = std::max(most_, box.multiply_adds);
    }
    for (std::size_t o = 0; o < graph.outputs.size(); ++o) {
      boxes_[box_of(graph.values[static_cast<std::size_t>(graph.outputs[o].value)].producer)].outputs.push_back(o);
    }
  }

  const std::vector<Box>& boxes() const { return boxes_; }
  const std::vector<Column>& columns() const { return columns_; }
  std::int64_t most() const { return most_; }

  // Pairs of boxes between which a value flows.
  std::set<std::pair<std::size_t, std::size_t>> edges() const {
    std::set<std::pair<std::size_t, std::size_t>> found;
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      const pm::Node& node = graph_.nodes[i];
      for (int k = 0; k < node.inputs.count; ++k) {
        const pm::Value value = pm::input(graph_, node, k);
        const std::size_t from = box_of(graph_.values[static_cast<std::size_t>(value.id)].producer);
        if (from != box_of_[i]) found.insert({from, box_of_[i]});
      }
    }
    return found;
  }

 private:
  std::size_t box_of(int node) const { return box_of_[static_cast<std::size_t>(node)]; }

  void place(int index) {
    const pm::Node& node = graph_.nodes[static_cast<std::size_t>(index)];
    const auto [top, inside] = levels(pm::scope_path(graph_, node.scope));
    if (columns_.empty() || columns_.back().name != top) columns_.push_back({top, 0, 0, 0});
    Column& column = columns_.back();
    const bool begins = boxes_.empty() || boxes_.back().column != static_cast<int>(columns_.size()) - 1;
    // An activation or a norm belongs to what it follows, where that is not a block of several operations.
    const bool plain = inside.empty() || is_operation(inside);
    const bool follows = !begins && plain && single_ && node.inputs.count == 1 && is_cell_by_cell(node) &&
                         box_of(producer_of(node)) == boxes_.size() - 1;
    if (follows) {
      boxes_.back().name += ", " + std::string(node.op->name);
    } else if (begins || inside.empty() || inside != inside_) {
      Box box;
      box.name = inside.empty() ? node_name(node) : inside;
      box.column = static_cast<int>(columns_.size()) - 1;
      box.row = column.rows++;
      boxes_.push_back(std::move(box));
      single_ = plain;
      if (!inside.empty() && single_) boxes_.back().name += window_text(node);
      inside_ = inside;
    }
    Box& box = boxes_.back();
    box.last = index;
    box_of_[static_cast<std::size_t>(index)] = boxes_.size() - 1;
    for (int k = 0; k < node.parameters.count; ++k) {
      const pm::Parameter& parameter = pm::parameter(graph_, node, k);
      const bool counted = !seen_.insert(pm::parameter_id(graph_, node, k)).second;
      if (!counted && parameter.trainable) column.parameters += parameter.size();
    }
    const std::int64_t cost = pm::count_multiply_adds(graph_, node, sizes_[static_cast<std::size_t>(node.dst)]);
    box.multiply_adds = pm::detail::saturating_add(box.multiply_adds, cost);
    column.multiply_adds = pm::detail::saturating_add(column.multiply_adds, cost);
  }

  // Blocks that an operation with parameters opens for itself.
  static bool is_operation(const std::string& block) {
    for (const char* name : {"Conv_", "TransposedConv_", "BatchNorm_", "PReLU_"}) {
      if (block.starts_with(name)) return true;
    }
    return false;
  }

  // The column's block and the block in it; operations beside the network's blocks share a column.
  static std::pair<std::string, std::string> levels(const std::string& path) {
    const std::size_t dot = path.find('.');
    if (dot == std::string::npos)
      return is_operation(path) ? std::pair{std::string(), path} : std::pair{path, std::string()};
    const std::size_t next = path.find('.', dot + 1);
    return {path.substr(0, dot), path.substr(dot + 1, next == std::string::npos ? next : next - dot - 1)};
  }

  std::string node_name(const pm::Node& node) const {
    for (const pm::Port& port : graph_.inputs) {
      if (port.value == node.dst) return "input " + std::string(pm::name_text(graph_, port.name));
    }
    return std::string(node.op->name) + window_text(node);
  }

  static bool is_cell_by_cell(const pm::Node& node) {
    const pm::Window window = node.op->geometry(node.options);
    return !window.global && window.kernel == 1 && window.stride == 1 && window.scale <= 1 &&
           node.op != &pm::convolution_op;
  }
  int producer_of(const pm::Node& node) const {
    return graph_.values[static_cast<std::size_t>(pm::input(graph_, node, 0).id)].producer;
  }

  const pm::Graph& graph_;
  std::vector<pm::Size> sizes_;
  std::vector<Box> boxes_;
  std::vector<Column> columns_;
  std::vector<std::size_t> box_of_;
  std::set<int> seen_;   // parameters counted
  std::string inside_;   // block of the last box
  bool single_ = false;  // the last box is one operation
  std::int64_t most_ = 0;
};

class Drawing {
 public:
  Drawing(const pm::Graph& graph, const Chart& chart) : graph_(graph), chart_(chart) {
    tops_.resize(chart.boxes().size());
    std::vector<int> next(chart.columns().size(), margin + 30 + head_height);
    for (std::size_t i = 0; i < chart.boxes().size(); ++i) {
      const Box& box = chart.boxes()[i];
      int& y = next[static_cast<std::size_t>(box.column)];
      tops_[i] = y;
      y += row_height + row_gap + static_cast<int>(box.outputs.size()) * output_height;
      height_ = std::max(height_, y);
    }
    height_ += margin;
    const auto columns = static_cast<int>(chart.columns().size());
    width_ = 2 * margin + columns * (column_width + column_gap);  // bows stand beside the last one too
  }

  std::string svg(const std::string& title) {
    text_ = format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" "
        "font-family=\"sans-serif\" font-size=\"12\">\n",
        width_, height_, width_, height_);
    text_ += "<title>" + escaped(title) + "</title>\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n";
    write(margin, margin + 12, escaped(title), "font-size=\"16\" font-weight=\"bold\"");
    for (const auto& [from, to] : chart_.edges()) edge(from, to);
    for (std::size_t c = 0; c < chart_.columns().size(); ++c) head(static_cast<int>(c));
    fields_ = pm::receptive_fields(graph_);
    for (std::size_t i = 0; i < chart_.boxes().size(); ++i) draw(i);
    return text_ + "</svg>\n";
  }

 private:
  static int left(int column) { return margin + column * (column_width + column_gap); }

  void write(int x, int y, const std::string& text, const char* style = "") {
    text_ += format("<text x=\"%d\" y=\"%d\" %s>", x, y, style) + text + "</text>\n";
  }

  void head(int index) {
    const Column& column = chart_.columns()[static_cast<std::size_t>(index)];
    const int x = left(index);
    const int y = margin + 56;
    write(x, y, escaped(shortened(column.name.empty() ? "(network)" : column.name, 32)),
          "font-size=\"14\" font-weight=\"bold\"");
    write(x, y + 18, thousands(column.parameters) + " parameters", "fill=\"#555555\"");
    write(x, y + 34, with_prefix(column.multiply_adds) + " multiply-adds", "fill=\"#555555\"");
  }

  void draw(std::size_t index) {
    const Box& box = chart_.boxes()[index];
    const int x = left(box.column);
    const int y = tops_[index];
    text_ += format("<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"4\" fill=\"%s\" stroke=\"#777777\"/>\n", x,
                    y, column_width, row_height, heat(box.multiply_adds, chart_.most()).c_str());
    write(x + 8, y + 15, escaped(shortened(box.name, 40)));
    write(x + 8, y + 31, box.detail, "fill=\"#555555\"");
    int below = y + row_height;
    for (const std::size_t output : box.outputs) {
      const int value = graph_.outputs[output].value;
      const pm::Stride stride = pm::stride_of(graph_, {value});
      text_ += format("<path d=\"M %d %d v 8\" stroke=\"#2b6cb0\" fill=\"none\"/>\n", x + 16, below);
      write(x + 8, below + 20, escaped(shortened(pm::output_name(graph_, output), 34)),
            "fill=\"#2b6cb0\" font-weight=\"bold\"");
      write(x + 8, below + 33,
            format("sees %d px, %s", fields_[static_cast<std::size_t>(value)], stride_text(stride).c_str()),
            "fill=\"#2b6cb0\" font-size=\"11\"");
      below += output_height;
    }
  }

  // Down to the next box straight, past others in a bow at the side, to another column from side to side.
  void edge(std::size_t from, std::size_t to) {
    const Box& a = chart_.boxes()[from];
    const Box& b = chart_.boxes()[to];
    const int y0 = tops_[from] + row_height;
    const int y1 = tops_[to];
    if (a.column == b.column && b.row == a.row + 1) {
      const int x = left(a.column) + column_width / 2;
      text_ += format("<path d=\"M %d %d V %d\" stroke=\"#777777\" fill=\"none\"/>\n", x, y0, y1);
      return;
    }
    const int out = left(a.column) + column_width;
    const int middle0 = y0 - row_height / 2;
    const int middle1 = y1 + row_height / 2;
    if (a.column == b.column) {
      const int bow = out + std::min(column_gap - 12, 14 + 5 * (b.row - a.row));
      text_ += format("<path d=\"M %d %d C %d %d, %d %d, %d %d\" stroke=\"#b0b0b0\" fill=\"none\"/>\n", out, middle0,
                      bow, middle0, bow, middle1, out, middle1);
    } else {
      const int in = left(b.column);
      text_ += format("<path d=\"M %d %d C %d %d, %d %d, %d %d\" stroke=\"#9db8d6\" fill=\"none\"/>\n", out, middle0,
                      out + column_gap / 2, middle0, in - column_gap / 2, middle1, in, middle1);
    }
  }

  const pm::Graph& graph_;
  const Chart& chart_;
  std::vector<int> tops_;    // y of each box
  std::vector<int> fields_;  // receptive fields
  int width_ = 0;
  int height_ = 0;
  std::string text_;
};

}  // namespace

std::string stride_text(const pm::Stride& stride) {
  if (stride.global) return "one cell";
  if (stride.cells == 1) return format("a cell in %d px", stride.pixels);
  if (stride.pixels == 1) return format("%d cells a px", stride.cells);
  return format("%d cells in %d px", stride.cells, stride.pixels);
}

std::string network_svg(const std::string& name, const pm::Graph& graph, pm::Size input) {
  const Chart chart(graph, input);
  const std::string title = format("%s at %d x %d: %s parameters, %s multiply-adds", name.c_str(), input.height,
                                   input.width, thousands(pm::count_parameters(graph)).c_str(),
                                   with_prefix(pm::count_multiply_adds(graph, input)).c_str());
  return Drawing(graph, chart).svg(title);
}

}  // namespace tool
